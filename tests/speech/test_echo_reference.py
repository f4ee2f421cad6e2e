"""Invariant: what is remembered as played is what the carrier, which plays one piece after the
other and forgets its queue when it is cleared, played at that time; memory is bounded."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.speech.echo_reference import JOINED_MS, KEPT_MS, Played, samples
from telecodecs import ULAW_SILENCE

FRAME = bytes(range(160))


@dataclass
class Carrier:
    """The plain way: a byte for every place of the axis."""

    axis: bytearray = field(default_factory=lambda: bytearray(ULAW_SILENCE * 200_000))
    end: int = 0

    def play(self, ulaw: bytes, at_ms: int) -> None:
        late = at_ms * 8 - self.end
        start = self.end if late < JOINED_MS * 8 else at_ms * 8
        self.axis[start : start + len(ulaw)] = ulaw
        self.end = start + len(ulaw)

    def clear(self, at_ms: int) -> None:
        self.axis[at_ms * 8 :] = ULAW_SILENCE * (len(self.axis) - at_ms * 8)
        self.end = min(self.end, at_ms * 8)


steps = st.lists(
    st.tuples(st.integers(-60, 100), st.binary(min_size=1, max_size=800), st.booleans()),
    max_size=25,
)


@given(steps, st.integers(0, 400), st.integers(1, 4_000))
def test_it_remembers_what_a_carrier_plays(
    steps: list[tuple[int, bytes, bool]], back_ms: int, n_bytes: int
) -> None:
    played, carrier = Played(), Carrier()
    now_ms = 100
    played.add(FRAME, 0)
    carrier.play(FRAME, 0)
    for wait_ms, ulaw, cut in steps:
        now_ms = max(0, now_ms + wait_ms)
        if cut:
            played.cut(now_ms)
            carrier.clear(now_ms)
        else:
            played.add(ulaw, now_ms)
            carrier.play(ulaw, now_ms)
    start = max(0, now_ms - back_ms) * 8
    expected = samples(bytes(carrier.axis[start : start + n_bytes]))
    assert np.array_equal(played.stretch(start, start + n_bytes), expected)


def test_late_dates_make_no_holes() -> None:
    played = Played()
    for number in range(50):
        played.add(FRAME, 1_000 + 20 * number + (number * 7) % 15)
    assert np.array_equal(played.stretch(8_000, 8_000 + 50 * 160), samples(FRAME * 50))


def test_before_and_after_is_silence() -> None:
    played = Played()
    played.add(FRAME, 1_000)
    around = played.stretch(7_000, 9_000)
    assert not around[:1_000].any()
    assert not around[1_160:].any()
    assert np.array_equal(around[1_000:1_160], samples(FRAME))


def test_memory_is_bounded() -> None:
    played = Played()
    for number in range(5_000):
        played.add(FRAME, 20 * number)
    assert KEPT_MS * 8 <= len(played) <= KEPT_MS * 8 + 3 * len(FRAME)
