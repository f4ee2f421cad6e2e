"""A script runs by what the caller hears: the same sounds give the same words at the same tick."""

import pytest

from app.lab.phone.caller import Caller
from app.lab.phone.script import (
    HangUp,
    Interrupt,
    Piece,
    Press,
    Say,
    SayPieces,
    Script,
    Silence,
    Step,
    Wait,
    WaitForBot,
    WaitUntil,
)
from app.lab.phone.sound import any_audio

BOT = b"b" * 160


class Bench:
    """A caller who is given 20 ms at a time; `spoken` maps ticks to what was said in them."""

    def __init__(self, *steps: Step, script: Script | None = None) -> None:
        self.told: list[tuple[str, int, str]] = []
        self.caller = Caller(
            script or Script(steps, hears=any_audio),
            lambda kind, at_ms, text: self.told.append((kind, at_ms, text)),
        )
        self.spoken: dict[int, bytes] = {}
        self.keys: dict[int, str] = {}
        self.mute: set[int] = set()
        self.hung_up_at: int | None = None
        self.now = 0

    def run(self, ticks: int, heard: bytes | None = None, announcement: bool = False) -> None:
        for _ in range(ticks):
            out = self.caller.tick(self.now * 20, heard, announcement)
            if out.speech is not None:
                self.spoken[self.now] = out.speech
            if out.keys:
                self.keys[self.now] = out.keys
            if out.mute:
                self.mute.add(self.now)
            if out.hang_up and self.hung_up_at is None:
                self.hung_up_at = self.now
            self.now += 1


def test_words_are_said_frame_by_frame_and_the_last_is_filled_with_silence() -> None:
    bench = Bench(Say(b"1" * 160 + b"2" * 40, text="hello"), HangUp())
    bench.run(4)
    assert bench.spoken == {0: b"1" * 160, 1: b"2" * 40 + b"\xff" * 120}
    assert bench.told == [("caller_started", 0, "hello"), ("caller_stopped", 40, "hello")]
    assert bench.hung_up_at == 2


def test_pieces_are_one_utterance_with_the_background_in_its_pauses() -> None:
    pieces = (Piece(b"1" * 200, "i would", pause_ms=50), Piece(b"2" * 160, "like"))
    bench = Bench(SayPieces(pieces), HangUp())
    bench.run(8)
    assert sorted(bench.spoken) == [0, 1, 5]
    assert bench.told == [
        ("caller_started", 0, "i would ... like"),
        ("caller_stopped", 120, "i would ... like"),
    ]
    assert bench.hung_up_at == 6
    (one,) = bench.caller.spoken
    assert (one.kind, one.onset_ms, one.end_ms) == ("hesitation", 0, 120)
    assert one.pauses_ms == ((25, 100),)


def test_what_was_said_is_on_record_with_its_kind_and_its_time() -> None:
    words = b"\xff" * 80 + b"1" * 160 + b"\xff" * 80
    bench = Bench(Wait(40), Say(words, "hello"), Interrupt(words, 60, "(cough)", kind="cough"))
    bench.run(6)
    bench.run(10, BOT)
    said = [
        (one.kind, one.text, one.began_ms, one.onset_ms, one.end_ms) for one in bench.caller.spoken
    ]
    assert said == [("speech", "hello", 40, 50, 70), ("cough", "(cough)", 160, 170, 190)]


def test_waiting_for_the_bot_to_start_and_to_finish() -> None:
    bench = Bench(WaitForBot.started(), Press("1"), WaitForBot.finished(quiet_ms=100), HangUp())
    bench.run(5)
    bench.run(20, BOT)
    bench.run(10)
    assert bench.keys == {5: "1"}
    assert bench.hung_up_at == 29


def test_waiting_for_what_the_line_does_not_tell() -> None:
    happened: list[str] = []
    bench = Bench(WaitUntil(lambda: bool(happened)), Press("1"), WaitUntil(lambda: False, 300))
    bench.run(4)
    happened.append("it")
    bench.run(30)
    assert bench.keys == {4: "1"}
    assert bench.hung_up_at == 29
    assert [record.timed_out for record in bench.caller.steps] == [False, False, True]


def test_an_interruption_comes_after_exactly_so_much_of_the_bot() -> None:
    bench = Bench(Interrupt(b"s" * 320, after_ms=100))
    bench.run(3)
    bench.run(3, BOT)
    bench.run(4)
    bench.run(10, BOT)
    assert sorted(bench.spoken) == [11, 12]


def test_what_was_heard_before_the_callers_last_words_does_not_count() -> None:
    bench = Bench(WaitForBot(said_ms=60), Say(b"s" * 160), WaitForBot(said_ms=60), HangUp())
    bench.run(4, BOT)
    bench.run(5)
    assert bench.hung_up_at is None
    bench.run(3, BOT)
    assert bench.hung_up_at == 11


def test_a_wait_that_times_out_ends_the_call_and_is_on_record() -> None:
    bench = Bench(WaitForBot.started(timeout_ms=200), Say(b"s" * 160))
    bench.run(12)
    assert bench.hung_up_at == 10
    assert bench.spoken == {}
    assert [record.timed_out for record in bench.caller.steps] == [True]
    assert len(bench.caller.unfinished) == 2
    assert bench.told == [("step_timeout", 200, "WaitForBot")]


def test_a_script_may_go_on_after_a_timeout_but_did_not_run_as_written() -> None:
    steps = (WaitForBot.started(timeout_ms=40), Say(b"s" * 160))
    bench = Bench(script=Script(steps, on_timeout="go_on"))
    bench.run(6)
    assert sorted(bench.spoken) == [2]
    assert bench.caller.unfinished


def test_silence_carries_nothing_and_a_wait_carries_the_background() -> None:
    bench = Bench(Wait(40), Silence(60), Say(b"s" * 160))
    bench.run(8)
    assert bench.mute == {2, 3, 4}
    assert sorted(bench.spoken) == [5]


def test_keys_are_pressed_one_by_one() -> None:
    bench = Bench(Press("12#", gap_ms=100), HangUp())
    bench.run(20)
    assert bench.keys == {0: "1", 5: "2", 10: "#"}
    assert bench.hung_up_at == 15


def test_an_announcement_counts_as_the_bot_speaking() -> None:
    bench = Bench(WaitForBot.started(), HangUp())
    bench.run(2)
    bench.run(1, announcement=True)
    assert bench.hung_up_at == 2


def test_live_events_say_when_the_bot_began_and_ceased() -> None:
    bench = Bench()
    bench.run(2)
    bench.run(5, BOT)
    bench.run(20)
    assert bench.told == [("bot_started", 20, ""), ("bot_stopped", 120, "")]


def test_the_caller_does_not_stay_for_ever() -> None:
    bench = Bench(script=Script(limit_ms=1000))
    bench.run(60)
    assert bench.hung_up_at == 50


@pytest.mark.parametrize(("background", "kinds"), [("silence", 1), ("comfort", 50)])
def test_the_background_is_silence_or_noise(background: str, kinds: int) -> None:
    quiet = Script(background="silence") if background == "silence" else Script()
    caller = Caller(quiet, lambda kind, at_ms, text: None)
    assert len({caller.background(tick) for tick in range(100)}) == kinds
