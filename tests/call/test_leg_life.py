"""A leg is replaced before it ends, and one that was of no use counts against the call."""

import pytest

from app.call.events import CloseCause
from app.call.leg_life import LIVED_MS, SHORT_LIFE_MS, LegLife
from app.call.relay_settings import RelaySettings

SETTINGS = RelaySettings(session_ms=900_000, expiry_margin_ms=60_000, fruitless=2)


def born(lifetime_ms: int | None = None, now_ms: int = 0) -> LegLife:
    life = LegLife(SETTINGS)
    life.begin(lifetime_ms, now_ms)
    return life


@pytest.mark.parametrize(
    ("lifetime_ms", "due_ms", "why"),
    [(None, 900_000, "time"), (300_000, 240_000, "expiry"), (40_000, 30_000, "expiry")],
)
def test_the_next_leg_is_prepared_before_the_planned_end_and_the_vendors(
    lifetime_ms: int | None, due_ms: int, why: str
) -> None:
    life = born(lifetime_ms, 1_000)

    assert life.due_ms == 1_000 + due_ms
    assert life.ending(1_000 + due_ms) == why


def test_a_wait_ends_before_the_vendor_ends_the_session() -> None:
    assert born(40_000).before_end_ms(90_000, 4_000) == 36_000
    assert born(40_000).before_end_ms(20_000, 4_000) == 20_000
    assert born().before_end_ms(90_000, 4_000) == 90_000


def test_a_leg_that_is_lost_has_no_end_any_more() -> None:
    life = born(40_000)
    life.lost("lost", 5_000, owed=True)

    assert life.due_ms is None
    assert life.before_end_ms(90_000, 4_000) == 90_000


@pytest.mark.parametrize(
    ("cause", "lived_ms", "owed", "legs"),
    [
        ("lost", LIVED_MS, True, 2),
        ("stalled", LIVED_MS, True, 1),
        ("lost", SHORT_LIFE_MS - 1, False, 2),
        ("lost", SHORT_LIFE_MS, False, None),
        ("lost", LIVED_MS + 1, True, None),
    ],
)
def test_so_many_legs_lost_in_a_row_are_too_many(
    cause: CloseCause, lived_ms: int, owed: bool, legs: int | None
) -> None:
    life, lost = LegLife(SETTINGS), None
    for n in range(1, 5):
        life.begin(None, 0)
        life.lost(cause, lived_ms, owed=owed)
        if life.too_many_fruitless and lost is None:
            lost = n

    assert lost == legs


def test_a_whole_answer_begins_the_count_anew_for_its_own_leg_only() -> None:
    life = born()
    life.lost("lost", 1_000, owed=True)
    life.begin(None, 2_000)
    life.fruitful()
    life.lost("lost", 3_000, owed=True)
    life.begin(None, 4_000)
    life.lost("lost", 5_000, owed=True)

    assert not life.too_many_fruitless
