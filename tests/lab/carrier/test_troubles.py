"""Troubles come from the seed and from what they are about, and as often as was asked for."""

from typing import Any

import pytest

from app.lab.carrier.troubles import FATES, Rate, Troubles

NUMBERS = [f"+1415555{n:04}" for n in range(3_000)]


def test_without_troubles_nothing_happens() -> None:
    assert {Troubles().fate(number, 1) for number in NUMBERS} == {"fine"}
    assert {len(Troubles().sendings(number)) for number in NUMBERS} == {1}


def test_every_fate_comes_as_often_as_was_asked_for() -> None:
    shares: dict[str, Any] = dict.fromkeys(FATES, 0.1)
    troubles = Troubles(seed=4, **shares)
    fates = [troubles.fate(number, 1) for number in NUMBERS]
    for fate in FATES:
        assert fates.count(fate) / len(NUMBERS) == pytest.approx(0.1, abs=0.03)


def test_the_order_in_which_numbers_are_called_changes_nothing() -> None:
    troubles = Troubles(seed=4, lost=0.5)
    assert [troubles.fate(n, 1) for n in NUMBERS] == [
        troubles.fate(n, 1) for n in reversed(NUMBERS)
    ][::-1]
    assert troubles.fate(NUMBERS[0], 1) == troubles.fate(NUMBERS[0], 1)
    assert len({tuple(troubles.fate(n, again) for again in range(8)) for n in NUMBERS}) > 100


def test_copies_of_a_callback_are_marked_as_such_or_not() -> None:
    troubles = Troubles(seed=2, twice=1.0)
    copies = [troubles.sendings(number)[1] for number in NUMBERS]
    assert {copy.marked for copy in copies} == {True, False}


@pytest.mark.parametrize("wrong", [{"lost": 1.5}, {"lost": 0.6, "reset_after": 0.6}, {"never": -1}])
def test_shares_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Troubles(**wrong)


def test_a_rate_lets_no_more_through_in_any_second() -> None:
    rate = Rate(5)
    taken = [at / 100 for at in range(0, 1000) if rate.takes(at / 100)]
    assert 45 <= len(taken) <= 56
    assert Rate(0).takes(0.0)
