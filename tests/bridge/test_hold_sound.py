"""Wherever a stretch of the sound begins and ends, it is what an endless loop would hold there."""

from hypothesis import given
from hypothesis import strategies as st

from app.bridge.hold_sound import sound
from app.speech.hold_tone import hold_tone

LOOP = hold_tone()


@given(st.integers(0, 10 * len(LOOP)), st.integers(0, 3 * len(LOOP)))
def test_it_goes_round(start: int, n_bytes: int) -> None:
    first = start % len(LOOP)
    assert sound(start, start + n_bytes) == (LOOP * 5)[first : first + n_bytes]
