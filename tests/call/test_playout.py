"""Every byte that is not cut is released once, in order and on time; marks tell what was played."""

from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from app.call.axis import FRAME_BYTES
from app.call.commands import (
    Command,
    CreateResponse,
    KeepAudio,
    KeepSilence,
    SendAudio,
    SendClear,
    SendMark,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    ItemAdded,
    KeyPressed,
    MarkEchoed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
)
from app.call.phases import CallSettings
from app.call.playout import Played, Playout, Settled
from app.call.playout_settings import PlayoutSettings
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say
from tests.call.virtual_time import SILENCE

LEAD_MS, STEP_MS = 200, 60


def marks(commands: list[Command]) -> list[str]:
    return [command.name for command in commands if isinstance(command, SendMark)]


def sent(commands: list[Command]) -> list[tuple[int, int]]:
    return [(c.start, c.end) for c in commands if isinstance(c, SendAudio)]


def run_out(playout: Playout, now_ms: int) -> list[Command]:
    """Release until nothing is due, as the pacer would."""
    commands: list[Command] = []
    while playout.due_ms is not None:
        now_ms = max(now_ms, playout.due_ms)
        commands += playout.release(now_ms)
    return commands


def playing(n_bytes: int = 16_000) -> Playout:
    """Two seconds of one item, released up to the lead at 0 ms."""
    playout = Playout()
    playout.receive("r", "a", 0, n_bytes, 0)
    return playout


@pytest.mark.parametrize(
    ("lead_ms", "step_ms", "mark_every_ms", "fence_timeout_ms"),
    [(200, 19, 200, 500), (60, 60, 200, 500), (200, 60, 0, 500), (200, 60, 200, 0)],
)
def test_settings_that_could_not_release_whole_frames_are_refused(
    lead_ms: int, step_ms: int, mark_every_ms: int, fence_timeout_ms: int
) -> None:
    with pytest.raises(ValueError, match="expected"):
        PlayoutSettings(lead_ms, step_ms, mark_every_ms, fence_timeout_ms)


answers = st.lists(
    st.lists(
        st.tuples(st.integers(1, 9_000), st.integers(0, 900)),  # (bytes, ms until they come)
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=4,
)


@given(answers, st.integers(1, 20))
@limits(max_examples=150, deadline=None)
def test_every_byte_is_released_once_in_order_in_whole_frames_and_at_the_pace_of_speech(
    script: list[list[tuple[int, int]]], grid_ms: int
) -> None:
    playout = Playout()
    now_ms = released = stored = 0
    play_end_ms = 0
    ends: list[int] = []

    def carry_out(commands: list[Command]) -> None:
        nonlocal released, stored, play_end_ms
        for command in commands:
            if isinstance(command, KeepAudio | KeepSilence):
                stored += command.n_bytes
            elif isinstance(command, SendAudio):
                assert (command.start, command.generation) == (released, 0)
                assert command.end > command.start
                assert command.end <= stored
                assert (command.end - command.start) % FRAME_BYTES == 0
                released = command.end
                play_end_ms = max(play_end_ms, now_ms) + (command.end - command.start) // 8
                assert play_end_ms - now_ms <= LEAD_MS
            elif isinstance(command, SendMark) and command.name.startswith("e"):
                ends.append(released)

    def pace_until(end_ms: int) -> None:
        nonlocal now_ms
        while playout.due_ms is not None and -(-playout.due_ms // grid_ms) * grid_ms <= end_ms:
            now_ms = max(now_ms, -(-playout.due_ms // grid_ms) * grid_ms)
            carry_out(playout.release(now_ms))
            if stored - released >= FRAME_BYTES:
                assert play_end_ms - now_ms > LEAD_MS - STEP_MS
        now_ms = end_ms

    for number, answer in enumerate(script):
        for n_bytes, wait_ms in answer:
            pace_until(now_ms + wait_ms)
            carry_out(playout.receive(f"r{number}", f"i{number}", 0, n_bytes, now_ms))
        carry_out(playout.finish(now_ms))
    pace_until(now_ms + 60_000)

    received = [sum(n_bytes for n_bytes, _ in answer) for answer in script]
    padded = [-(-n_bytes // FRAME_BYTES) * FRAME_BYTES for n_bytes in received]
    assert released == stored == sum(padded)
    assert ends == [sum(padded[: n + 1]) for n in range(len(padded))]


@given(st.integers(0, 2**32), st.sampled_from([0, 40, 150]))
@limits(max_examples=25, deadline=None)
def test_what_is_not_cut_is_played_to_the_last_byte(seed: int, delay_ms: int) -> None:
    line = VirtualLine(seed, Network(carrier_ms=delay_ms))
    sizes = [line.chance.uniform(30, 2_500) for _ in range(3)]
    line.model.script.append(Answer(tuple(Say(f"i{n}", ms) for n, ms in enumerate(sizes))))
    line.open()
    line.run_for(sum(sizes) + 3_000)

    assert [line.heard(f"i{n}") for n in range(3)] == [int(ms * 8) for ms in sizes]
    assert line.carrier.played == line.shell.sent
    assert not line.call.playout.unplayed


def test_silence_fills_the_last_frame_only() -> None:
    line = VirtualLine(1, Network(carrier_ms=0))
    line.model.script.append(Answer((Say("a", 101),)))
    line.open()
    line.run_for(2_000)

    assert line.carrier.played[808:] == array("q", [SILENCE] * (960 - 808))


def test_marks_stand_at_the_start_about_every_200_ms_and_at_the_end() -> None:
    playout = Playout()
    commands = playout.receive("r", "a", 0, 16_000, 0)
    commands += playout.finish(0)
    commands += run_out(playout, 0)

    names = marks(commands)
    positions = [int(name.partition(".")[2]) for name in names]
    assert names[0] == "s0.0"
    assert names[-1] == "e0.16000"
    assert [name[0] for name in names[1:-1]] == ["p"] * (len(names) - 2)
    gaps = [(after - before) // 8 for before, after in pairwise(positions)]
    assert all(200 <= gap <= 260 for gap in gaps[:-1])
    assert gaps[-1] <= 260


def test_a_start_mark_is_sent_again_after_the_buffer_ran_dry_and_not_before() -> None:
    playout = Playout()
    playout.receive("r", "a", 0, 1_600, 0)

    assert marks(playout.receive("r", "a", 0, 160, 199)) == []
    assert marks(playout.receive("r", "a", 0, 800, 220)) == ["s0.1760"]


def test_each_queued_answer_has_its_own_end_mark() -> None:
    playout = Playout()
    commands = playout.receive("r1", "a", 0, 3_200, 0) + playout.finish(0)
    commands += playout.receive("r2", "b", 0, 3_200, 10) + playout.finish(10)
    commands += run_out(playout, 10)

    assert [name for name in marks(commands) if name[0] == "e"] == ["e0.3200", "e0.6400"]
    assert all(start // 3_200 == (end - 1) // 3_200 for start, end in sent(commands))


def test_an_answer_without_audio_has_no_end_mark() -> None:
    assert Playout().finish(0) == []


def test_the_fence_goes_out_before_the_clear() -> None:
    playout = playing()

    commands, settled = playout.cut(500)

    assert commands == [SendMark("f0"), SendClear()]
    assert settled is None
    assert playout.fenced
    assert playout.generation == 1
    assert not playout.unplayed


def test_a_cut_before_anything_was_sent_is_settled_at_once() -> None:
    playout = Playout()
    playout.receive("r", "a", 0, 100, 0)

    commands, settled = playout.cut(10)

    assert commands == []
    assert settled is not None
    assert (settled.by, settled.items[0].heard_bytes) == ("unsent", 0)


def test_heard_is_interpolated_from_the_last_mark_to_the_fence() -> None:
    playout = Playout()
    names = marks(playout.receive("r", "a", 0, 16_000, 0) + run_out(playout, 0))
    position = int(names[1].partition(".")[2])
    playout.echoed(names[0], 1_000, 1_020)
    playout.echoed(names[1], 1_000 + position // 8, 1_020 + position // 8)
    playout.cut(700)

    settled = playout.echoed("f0", 1_000 + position // 8 + 100, 1_020 + position // 8 + 100)

    assert isinstance(settled, Settled)
    assert settled.by == "fence"
    assert abs(settled.position - position - 800) <= FRAME_BYTES


def test_echoes_of_an_older_generation_are_never_played() -> None:
    playout = Playout()
    names = marks(playout.receive("r", "a", 0, 16_000, 0) + playout.finish(0) + run_out(playout, 0))
    playout.cut(100)

    verdicts = [playout.echoed(name, 5_000, 5_020) for name in names]
    settled = playout.echoed("f0", 5_000, 5_020)

    assert verdicts == [None] * len(names)
    assert isinstance(settled, Settled)
    assert settled.items[0].heard_ms == 0


def test_a_flushed_mark_does_not_start_a_clock_that_knew_nothing() -> None:
    playout = playing()
    commands = run_out(playout, 0)
    playout.cut(3_000)
    playout.echoed(marks(commands)[0], 5_000, 5_020)

    settled = playout.echoed("f0", 5_000, 5_020)

    assert isinstance(settled, Settled)
    assert settled.position == 0


def test_a_start_mark_that_comes_back_after_the_cut_still_dates_the_sound() -> None:
    playout = playing()
    playout.cut(150)
    playout.echoed("s0.0", 1_000, 1_020)

    settled = playout.echoed("f0", 1_140, 1_160)

    assert isinstance(settled, Settled)
    assert abs(settled.items[0].heard_ms - 140) <= 20


def test_a_start_mark_that_the_clear_flushed_claims_nothing() -> None:
    """The buffer was believed dry and was not: the audio before the mark had not been played."""
    playout = Playout()
    playout.receive("r", "a", 0, 1_600, 0)
    playout.echoed("s0.0", 1_000, 1_020)
    playout.receive("r", "a", 0, 1_600, 1_000)
    playout.cut(1_010)
    playout.echoed("s0.1600", 1_060, 1_080)

    settled = playout.echoed("f0", 1_060, 1_080)

    assert isinstance(settled, Settled)
    assert settled.items[0].heard_ms < 100


def test_without_a_fence_the_clock_settles_after_the_timeout() -> None:
    playout = playing()
    playout.cut(120)

    assert playout.due_ms == 620
    assert playout.expire(619) == []
    (settled,) = playout.expire(620)
    assert (settled.by, settled.position) == ("clock", 960)
    assert playout.due_ms is None
    assert playout.echoed("f0", 2_000, 2_020) is None


def test_two_fences_are_settled_each_by_its_own_echo() -> None:
    playout = playing()
    playout.cut(100)
    playout.receive("r2", "b", 0, 1_600, 120)
    playout.cut(200)

    second = playout.echoed("f1", 1_000, 1_020)
    first = playout.echoed("f0", 1_000, 1_020)

    assert isinstance(first, Settled)
    assert isinstance(second, Settled)
    assert [first.items[0].item_id, second.items[0].item_id] == ["a", "b"]


def test_nothing_is_claimed_beyond_what_was_sent() -> None:
    playout = playing()
    playout.echoed("s0.0", 1_000, 1_020)
    playout.cut(100)

    settled = playout.echoed("f0", 60_000, 60_020)

    assert isinstance(settled, Settled)
    assert settled.position == settled.sent == 1_600


@given(st.text(max_size=20) | st.sampled_from(["f0", "f1", "f" + "9" * 5_000, "s0.0", "p0.1600"]))
def test_names_that_nobody_sent_say_nothing(name: str) -> None:
    playout = Playout()

    assert playout.echoed(name, 0, 20) is None
    assert not playout.unplayed


def test_a_mark_counts_once() -> None:
    playout = playing()

    assert isinstance(playout.echoed("s0.0", 1_000, 1_020), Played)
    assert playout.echoed("s0.0", 9_000, 9_020) is None


def test_closing_settles_what_plays_and_what_is_fenced() -> None:
    playout = playing()
    playout.cut(100)
    playout.receive("r2", "b", 0, 3_200, 120)

    verdicts = playout.close(220)

    assert [(v.items[0].item_id, v.by, v.items[0].heard_ms) for v in verdicts] == [
        ("a", "clock", 100),
        ("b", "clock", 100),
    ]
    assert playout.due_ms is None


def test_the_ledger_stays_small_in_a_long_call() -> None:
    line = VirtualLine(3, Network(carrier_ms=0, jitter_ms=0), CallSettings(greeting="Greet."))
    call = line.call
    call.handle(CallerAudioBegan(0), 0)
    call.handle(ModelReady("s", "m"), 0)
    waiting: list[str] = []
    for turn in range(500):
        now_ms = turn * 2_000
        response = f"r{turn}"
        for event in (
            KeyPressed("1"),
            ResponseCreated(response),
            ItemAdded(response, f"i{turn}", "message"),
            AudioReceived(response, f"i{turn}", 1_600),
            ResponseFinished(response, "completed"),
        ):
            commands = call.handle(event, now_ms)
            waiting += marks(commands)
            assert not any(isinstance(c, CreateResponse) and turn for c in commands)
        for name in waiting:
            call.handle(MarkEchoed(name, now_ms + 200, now_ms + 220), now_ms + 250)
        waiting.clear()

    generation = call.playout._now
    assert len(generation.marks) == len(generation.ends) == len(generation.spans._spans) == 0
