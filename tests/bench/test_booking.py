"""The bench counts what the service holds: a booking too many, one too few, or a model that was
told something else is a miss."""

from collections import Counter

import pytest

from bench.booking import Tally, _count
from bench.booking_worker import HOLDS, STEPS

UNSURE = '{"error": "... it is not known whether it took effect ..."}'


@pytest.mark.parametrize(
    ("booked", "said", "idempotent", "right"),
    [
        (["booked a as 1001"], '"booked a as 1001"', True, True),
        (["booked a as 1001"], '"booked a as 1002"', True, False),
        (["booked a as 1001", "booked a as 1002"], '"booked a as 1002"', True, False),
        ([], '"booked a as 1001"', True, False),
        (["booked a as 1001"], UNSURE, True, False),
        (["booked a as 1001"], "", True, False),
        (["booked a as 1001"], UNSURE, False, True),
        ([], UNSURE, False, True),
        ([], "", False, False),
        (["booked a as 1001", "booked a as 1002"], UNSURE, False, False),
    ],
)
def test_one_booking_and_the_model_knows_it(
    booked: list[str], said: str, idempotent: bool, right: bool
) -> None:
    tally = Tally()
    _count(tally, "a", said, booked, idempotent=idempotent)
    assert (tally.wrong == []) is right
    assert tally.bookings == Counter([len(booked)])


def test_the_service_holds_at_steps_that_there_are() -> None:
    assert HOLDS.keys() <= set(STEPS)
