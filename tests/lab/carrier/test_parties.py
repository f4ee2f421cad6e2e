"""Who is at a number depends on the number and the seed alone, and shares hold."""

import pytest

from app.lab.carrier.parties import DOES, REFUSALS, Digits, Mixture

NUMBERS = [f"+1415555{n:04}" for n in range(4_000)]


def test_every_kind_of_party_has_its_digits() -> None:
    digits = Digits()
    assert {digits(f"+141555501{n:02}", 0).does for n in range(100)} == set(DOES)


def test_one_rings_out_first_and_answers_afterwards() -> None:
    assert [Digits()("+14155550199", n).does for n in range(3)] == [
        "rings_out",
        "answers",
        "answers",
    ]


def test_a_seed_says_all_and_another_seed_says_otherwise() -> None:
    assert [Digits(7)(n, 0) for n in NUMBERS[:50]] == [Digits(7)(n, 0) for n in NUMBERS[:50]]
    assert [Digits(7)(n, 0) for n in NUMBERS[:50]] != [Digits(8)(n, 0) for n in NUMBERS[:50]]


def test_a_mixture_keeps_its_shares() -> None:
    mixture = Mixture({"machine": 0.4, "busy": 0.1, "invalid": 0.05}, seed=3)
    does = [mixture(number, 0).does for number in NUMBERS]
    assert does.count("machine") / len(NUMBERS) == pytest.approx(0.4, abs=0.04)
    assert does.count("busy") / len(NUMBERS) == pytest.approx(0.1, abs=0.03)
    assert does.count("invalid") / len(NUMBERS) == pytest.approx(0.05, abs=0.02)


def test_a_wrong_number_stays_wrong_and_a_right_one_right() -> None:
    mixture = Mixture({"invalid": 0.3, "busy": 0.3}, seed=1)
    for number in NUMBERS[:300]:
        wrong = [mixture(number, before).does in REFUSALS for before in range(5)]
        assert len(set(wrong)) == 1


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_shares_that_make_no_sense_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match="shares"):
        Mixture({"busy": share})
