"""Every byte sent is heard once and in order or dropped by a clear; every mark comes back once."""

from hypothesis import given
from hypothesis import strategies as st

from app.lab.phone.playout import Playout
from app.lab.phone.truth import Played

TICK_MS = 20


class Bench:
    """A playout with its log, ticked by hand."""

    def __init__(self) -> None:
        self.played = Played()
        self.echoes: list[str] = []
        self.playout = Playout(self.played, self.echoes.append)
        self.now_ms = 0

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.playout.tick(self.now_ms, float(self.now_ms))
            self.now_ms += TICK_MS

    def fates(self) -> list[tuple[str, str, float]]:
        return [(mark.name, mark.fate, mark.echoed_ms) for mark in self.played.marks]


def test_audio_of_any_size_is_played_160_bytes_a_tick_in_order() -> None:
    bench = Bench()
    bench.playout.append(bytes(range(100)), 0)
    bench.playout.append(bytes(range(100, 250)), 0)
    bench.tick(3)
    assert bench.played.frames == [bytes(range(160)), bytes(range(160, 250)), None]


def test_a_mark_comes_back_when_the_last_frame_before_it_has_been_heard_to_its_end() -> None:
    bench = Bench()
    bench.playout.append(b"a" * 320, 0)
    bench.playout.mark("end", 0)
    bench.tick(2)
    assert bench.echoes == []
    bench.tick()
    assert bench.fates() == [("end", "played", 40)]


def test_a_mark_in_the_middle_of_a_frame_waits_for_that_frame() -> None:
    bench = Bench()
    bench.playout.append(b"a" * 100, 0)
    bench.playout.mark("middle", 0)
    bench.playout.append(b"b" * 220, 0)
    bench.tick(2)
    assert bench.fates() == [("middle", "played", 20)]


def test_a_mark_comes_back_at_once_when_nothing_is_queued() -> None:
    bench = Bench()
    bench.playout.mark("first", 3.5)
    bench.playout.append(b"a" * 160, 4)
    bench.tick(2)
    bench.playout.mark("later", 21.5)
    assert bench.fates() == [("first", "at_once", 3.5), ("later", "at_once", 21.5)]


def test_a_mark_behind_the_frame_that_is_sounding_waits_for_it() -> None:
    bench = Bench()
    bench.playout.append(b"a" * 160, 0)
    bench.tick()
    bench.playout.mark("sounding", 7)
    assert bench.echoes == []
    bench.tick()
    assert bench.fates() == [("sounding", "played", 20)]


def test_clear_drops_the_rest_and_brings_pending_marks_back_before_later_ones() -> None:
    bench = Bench()
    bench.playout.append(b"a" * 1600, 0)
    bench.playout.mark("one", 0)
    bench.playout.append(b"b" * 160, 0)
    bench.playout.mark("two", 0)
    bench.tick(2)
    bench.playout.clear(33)
    bench.playout.mark("fence", 33)
    assert bench.fates() == [
        ("one", "flushed", 33),
        ("two", "flushed", 33),
        ("fence", "at_once", 33),
    ]
    (clear,) = bench.played.clears
    assert (clear.position, clear.dropped_bytes, clear.flushed) == (320, 1440, ("one", "two"))
    bench.playout.append(b"c" * 160, 34)
    bench.tick()
    assert bench.played.frames[-1] == b"c" * 160


def test_running_dry_is_recorded_with_its_length_and_what_was_heard_around_it() -> None:
    bench = Bench()
    bench.playout.append(b"a" * 240, 0)
    bench.tick(5)
    bench.playout.append(b"b" * 160, 95)
    bench.tick()
    (spell,) = bench.played.dry_spells
    assert (spell.began_ms, spell.ended_ms, spell.position) == (30, 100, 240)
    assert (spell.before, spell.after, spell.marked) == (b"a" * 80, b"b" * 160, False)
    assert bench.played.underruns() == [spell]


def test_a_mark_at_the_dry_point_or_a_long_pause_makes_it_an_end_not_an_underrun() -> None:
    for mark_first, ticks in ((True, 5), (False, 30)):
        bench = Bench()
        bench.playout.append(b"a" * 160, 0)
        if mark_first:
            bench.playout.mark("end", 0)
        bench.tick(ticks)
        bench.playout.append(b"b" * 160, bench.now_ms)
        bench.tick()
        assert len(bench.played.dry_spells) == 1
        assert bench.played.underruns() == []
        assert bench.played.underruns(lambda spell: spell.after == b"b" * 160) != []


def test_a_mark_that_comes_while_the_line_is_dry_declares_the_end_too() -> None:
    bench = Bench()
    bench.playout.append(b"a" * 160, 0)
    bench.tick(3)
    bench.playout.mark("late", 50)
    bench.playout.append(b"b" * 160, 55)
    bench.tick()
    assert bench.played.dry_spells[0].marked


def test_a_clear_is_no_dry_spell_and_neither_is_the_silence_before_the_first_word() -> None:
    bench = Bench()
    bench.tick(3)
    bench.playout.append(b"a" * 800, 60)
    bench.tick(2)
    bench.playout.clear(95)
    bench.tick(3)
    bench.playout.append(b"b" * 160, 160)
    bench.tick()
    assert bench.played.dry_spells == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 700)),
            st.tuples(st.just("mark"), st.just(0)),
            st.tuples(st.just("clear"), st.just(0)),
            st.tuples(st.just("tick"), st.integers(1, 5)),
        ),
        max_size=60,
    )
)
def test_no_byte_and_no_mark_is_lost_or_doubled(actions: list[tuple[str, int]]) -> None:
    bench = Bench()
    sent = dropped = marks = 0
    for kind, amount in actions:
        if kind == "append":
            bench.playout.append(bytes((sent + i) % 251 for i in range(amount)), bench.now_ms)
            sent += amount
        elif kind == "mark":
            bench.playout.mark(str(marks), bench.now_ms)
            marks += 1
        elif kind == "clear":
            bench.playout.clear(bench.now_ms)
        else:
            bench.tick(amount)
    dropped = sum(clear.dropped_bytes for clear in bench.played.clears)
    assert bench.played.position + dropped + bench.playout.queued_bytes == sent
    bench.playout.clear(bench.now_ms)
    assert sorted(bench.echoes, key=int) == bench.echoes == [str(n) for n in range(marks)]
    if not any(clear.dropped_bytes for clear in bench.played.clears):
        heard = b"".join(frame for frame in bench.played.frames if frame)
        assert heard == bytes(i % 251 for i in range(len(heard)))


def test_a_long_burst_is_played_without_the_buffer_growing_stale() -> None:
    bench = Bench()
    audio = bytes(i * 7 % 256 for i in range(160 * 1000))
    bench.playout.append(audio, 0)
    bench.tick(1000)
    assert b"".join(frame or b"" for frame in bench.played.frames) == audio
    assert bench.playout.queued_bytes == 0
