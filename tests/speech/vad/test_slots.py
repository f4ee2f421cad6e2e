"""Invariant: no number is out twice, and there are never more than were out at once."""

from hypothesis import given
from hypothesis import strategies as st

from app.speech.vad.slots import Slots


@given(st.lists(st.booleans(), max_size=100))
def test_numbers_stay_dense_and_single(takes: list[bool]) -> None:
    slots, out, most = Slots(), list[int](), 0
    for take in takes:
        if take:
            slot = slots.take()
            assert slot not in out
            out.append(slot)
            most = max(most, len(out))
            assert slot < most
        elif out:
            slots.give_back(out.pop(0))
