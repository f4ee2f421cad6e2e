"""What was sealed comes back whole where it belongs, and nobody else opens, alters or makes one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.sealed import Seals

SEALS = Seals(["first", "second"], "tests")
SECRET = b'{"from":"+15550100001"}'


@given(st.binary(max_size=2_000), st.text(max_size=40))
def test_what_was_sealed_comes_back(text: bytes, bound_to: str) -> None:
    sealed = SEALS.seal(text, bound_to)
    assert SEALS.open(sealed, bound_to) == text
    assert all(c.isalnum() or c in "-_" for c in sealed) and sealed.isascii()


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=63))
def test_one_changed_character_spoils_it(at: int, by: int) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sealed = SEALS.seal(SECRET * 3, "CA1")
    at %= len(sealed) - 1  # the last letter's spare bits mean nothing
    changed = letters[(letters.index(sealed[at]) + by) % 64]
    assert SEALS.open(sealed[:at] + changed + sealed[at + 1 :], "CA1") is None


@given(st.text(max_size=200))
def test_what_is_none_of_ours_is_refused_without_a_fault(text: str) -> None:
    assert SEALS.open(text, "CA1") is None


def test_it_opens_only_for_what_it_was_bound_to_and_its_purpose() -> None:
    sealed = SEALS.seal(SECRET, "CA1")
    assert SEALS.open(sealed, "CA2") is None
    assert Seals(["first"], "other tests").open(sealed, "CA1") is None
    assert Seals(["third"], "tests").open(sealed, "CA1") is None


def test_a_new_auth_token_still_opens_what_the_old_one_sealed() -> None:
    old = Seals(["second"], "tests").seal(SECRET, "CA1")
    assert SEALS.open(old, "CA1") == SECRET


def test_it_shows_neither_the_text_nor_what_two_texts_share() -> None:
    one, other = SEALS.seal(SECRET, "CA1"), SEALS.seal(SECRET, "CA2")
    assert "5550100001" not in one
    assert one[:22] != other[:22] and one[22:40] != other[22:40]


@pytest.mark.parametrize("tokens", [[], [""], ["good", ""]])
def test_an_empty_secret_is_refused(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        Seals(tokens, "tests")
