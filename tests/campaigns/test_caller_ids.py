"""The number that a call comes from is free, the nearest of those that are, and of these the one
that was used longest ago; the same books give the same number."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.caller_ids import Chosen, NoneFree, Rotation, choose, day_of, place_of
from app.campaigns.spacing import SECOND_US, interval_us
from app.live.pace import NumberBook

NOW_US = 1_800_000_000 * SECOND_US
NEW_YORK, BOSTON, TORONTO, BERLIN, LONDON = (
    "+12125550101",
    "+16175550102",
    "+14165550103",
    "+493012345678",
    "+442079460104",
)
POOL = (LONDON, BERLIN, TORONTO, BOSTON, NEW_YORK)
PLAIN = Rotation(interval_us=interval_us(1))
LONG_AGO = NumberBook(NOW_US - 10**12)


def _books(**_: object) -> dict[str, NumberBook]:
    return dict.fromkeys(POOL, LONG_AGO)


def _chosen(answer: Chosen | NoneFree) -> str:
    assert isinstance(answer, Chosen), answer
    return answer.number


@pytest.mark.parametrize(
    ("to", "number"),
    [
        ("+12125550199", NEW_YORK),
        ("+13055550199", BOSTON),
        ("+14165550199", TORONTO),
        ("+16045550199", TORONTO),
        ("+493087654321", BERLIN),
        ("+491711234567", BERLIN),
        ("+442079460999", LONDON),
        ("+33142685300", LONDON),
        ("sip:someone@example.com", LONDON),
    ],
)
def test_the_nearest_number_is_taken(to: str, number: str) -> None:
    """With the same place for all, the pool's order decides."""
    assert _chosen(choose(POOL, _books(), PLAIN, to, NOW_US)) == number


def test_without_local_presence_the_order_is_that_of_use() -> None:
    plain = Rotation(interval_us=interval_us(1), local_presence=False)
    books = {**_books(), LONDON: NumberBook(NOW_US - 10**12, NOW_US - 10**10)}
    assert _chosen(choose(POOL, books, plain, LONDON, NOW_US)) == BERLIN


def test_a_number_that_keeps_its_pace_leaves_the_call_to_the_next_nearest() -> None:
    books = {**_books(), NEW_YORK: NumberBook(NOW_US, NOW_US)}
    assert _chosen(choose(POOL, books, PLAIN, "+12125550199", NOW_US)) == BOSTON


@given(calls=st.integers(1, 60), size=st.integers(1, 7))
def test_numbers_of_one_place_take_turns(calls: int, size: int) -> None:
    pool = tuple(f"+1212555{n:04}" for n in range(100, 100 + size))
    books, now_us, used = dict.fromkeys(pool, LONG_AGO), NOW_US, dict.fromkeys(pool, 0)
    for _ in range(calls):
        chosen = choose(pool, books, PLAIN, NEW_YORK, now_us)
        assert isinstance(chosen, Chosen)
        books[chosen.number] = chosen.book
        used[chosen.number] += 1
        now_us += PLAIN.interval_us
    assert max(used.values()) - min(used.values()) <= 1


def test_a_number_rests_between_two_calls_and_tells_until_when() -> None:
    rotation = Rotation(interval_us=interval_us(1), rest_us=60 * SECOND_US)
    books = {NEW_YORK: LONG_AGO}
    chosen = choose([NEW_YORK], books, rotation, BOSTON, NOW_US)
    assert isinstance(chosen, Chosen)
    books = {NEW_YORK: chosen.book}
    waiting = choose([NEW_YORK], books, rotation, BOSTON, NOW_US + 59 * SECOND_US)
    assert waiting == NoneFree(NOW_US + 60 * SECOND_US, "no caller number is free: of 1, 1 rest")
    assert isinstance(waiting, NoneFree)
    assert _chosen(choose([NEW_YORK], books, rotation, BOSTON, waiting.until_us)) == NEW_YORK


def test_the_calls_of_a_day_end_with_the_day_where_the_number_is() -> None:
    rotation = Rotation(interval_us=interval_us(1), per_day=2)
    noon = datetime(2026, 11, 1, 12, tzinfo=ZoneInfo("America/New_York"))
    now_us = int(noon.timestamp()) * SECOND_US
    books = {NEW_YORK: NumberBook(0)}
    for _ in range(2):
        chosen = choose([NEW_YORK], books, rotation, BOSTON, now_us)
        assert isinstance(chosen, Chosen)
        books[NEW_YORK], now_us = chosen.book, now_us + 2 * SECOND_US
    waiting = choose([NEW_YORK], books, rotation, BOSTON, now_us)
    assert isinstance(waiting, NoneFree)
    assert waiting.why == "no caller number is free: of 1, 1 have made their calls of the day"
    midnight = datetime(2026, 11, 2, tzinfo=ZoneInfo("America/New_York"))
    assert waiting.until_us == int(midnight.timestamp()) * SECOND_US
    after = choose([NEW_YORK], books, rotation, BOSTON, waiting.until_us)
    assert isinstance(after, Chosen)
    assert after.book.today == 1


def test_a_clock_that_was_set_back_does_not_lengthen_a_rest() -> None:
    rotation = Rotation(interval_us=interval_us(1), rest_us=60 * SECOND_US)
    ahead = NumberBook(NOW_US + 10**12, NOW_US + 10**12)
    waiting = choose([NEW_YORK], {NEW_YORK: ahead}, rotation, BOSTON, NOW_US)
    assert isinstance(waiting, NoneFree)
    assert waiting.until_us == NOW_US + 60 * SECOND_US


@given(
    stamps=st.lists(
        st.tuples(st.integers(-(10**8), 10**4), st.integers(-(10**9), 0), st.integers(0, 4)),
        min_size=len(POOL),
        max_size=len(POOL),
    ),
    to=st.sampled_from([*POOL, "+12125550199", "+491711234567", "nobody"]),
)
def test_whoever_is_chosen_is_free_and_a_wait_ends_when_it_says(
    stamps: list[tuple[int, int, int]], to: str
) -> None:
    rotation = Rotation(interval_us=interval_us(1), rest_us=30 * SECOND_US, per_day=3)
    books = {
        number: NumberBook(NOW_US + stamp, NOW_US + dialled, day_of(number, NOW_US), today)
        for number, (stamp, dialled, today) in zip(POOL, stamps, strict=True)
    }
    answer = choose(POOL, books, rotation, to, NOW_US)
    assert answer == choose(POOL, books, rotation, to, NOW_US)
    if isinstance(answer, NoneFree):
        assert answer.until_us > NOW_US
        assert isinstance(choose(POOL, books, rotation, to, answer.until_us), Chosen)
        assert isinstance(choose(POOL, books, rotation, to, answer.until_us - 1), NoneFree)
        return
    before = books[answer.number]
    assert before.today < 3
    assert before.dialled_us + 30 * SECOND_US <= NOW_US
    assert answer.book.today == before.today + 1
    assert answer.book.dialled_us == NOW_US


def test_a_day_is_that_of_the_place() -> None:
    at = datetime(2026, 7, 1, 3, tzinfo=ZoneInfo("UTC"))
    now_us = int(at.timestamp()) * SECOND_US
    assert day_of(NEW_YORK, now_us) == at.toordinal() - 1
    assert day_of(BERLIN, now_us) == at.toordinal()
    assert day_of("nobody", now_us) == at.toordinal()


def test_a_mobile_has_an_area_only_where_areas_number_mobiles_too() -> None:
    assert place_of("+491711234567").area == ""
    assert place_of("+493012345678").area == "30"
    assert place_of("+12125550101").area == "212"


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="got an empty pool"):
        choose([], {}, PLAIN, BOSTON, NOW_US)
