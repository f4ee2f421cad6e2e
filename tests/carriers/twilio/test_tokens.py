"""A token lets in one stream of one call, once and soon; everything else is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.events import Direction
from app.carriers.twilio.tokens import (
    Grant,
    Refusal,
    StreamTokens,
    TokenRefusedError,
    UsedTokensHere,
)

NOW_S = 1_800_000_000.5
GRANT = Grant("CA" + "0b" * 16, "reception", "inbound")
TOKENS = StreamTokens(["first secret"])


def refusal(token: str, call_sid: str = GRANT.call_sid, now_s: float = NOW_S) -> Refusal:
    with pytest.raises(TokenRefusedError) as caught:
        TOKENS.check(token, call_sid, now_s)
    return caught.value.reason


@given(
    agent=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
    direction=st.sampled_from(["inbound", "outbound"]),
)
def test_a_token_brings_back_its_grant(agent: str, direction: Direction) -> None:
    grant = Grant(GRANT.call_sid, agent, direction)
    token = TOKENS.issue(grant, NOW_S)
    assert TOKENS.check(token, GRANT.call_sid, NOW_S).grant == grant


def test_a_token_fits_into_a_parameter_and_needs_no_escaping() -> None:
    token = TOKENS.issue(Grant(GRANT.call_sid, "a" * 64, "outbound"), NOW_S)
    assert len(token) < 480
    assert all(c.isalnum() or c in "-_." for c in token)
    with pytest.raises(ValueError, match="agent name"):
        TOKENS.issue(Grant(GRANT.call_sid, "a" * 400, "outbound"), NOW_S)


def test_two_tokens_of_one_call_differ() -> None:
    assert TOKENS.issue(GRANT, NOW_S) != TOKENS.issue(GRANT, NOW_S)


def test_a_token_is_good_for_its_time_and_no_longer() -> None:
    tokens = StreamTokens(["first secret"], ttl_s=30)
    token = tokens.issue(GRANT, 1000.0)
    assert tokens.check(token, GRANT.call_sid, 1029.9).expires_s == 1030
    with pytest.raises(TokenRefusedError) as caught:
        tokens.check(token, GRANT.call_sid, 1030.0)
    assert caught.value.reason is Refusal.EXPIRED


def test_a_token_of_another_call_is_refused() -> None:
    assert refusal(TOKENS.issue(GRANT, NOW_S), "CAother") is Refusal.OTHER_CALL


@given(data=st.data())
def test_a_token_cannot_be_tampered_with(data: st.DataObject) -> None:
    token = TOKENS.issue(GRANT, NOW_S)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="latin-1").filter(lambda c: c != token[at]))
    reason = refusal(token[:at] + letter + token[at + 1 :])
    assert reason in (Refusal.FORGED, Refusal.MALFORMED)


def test_a_token_signed_with_another_secret_is_forged() -> None:
    assert refusal(StreamTokens(["another"]).issue(GRANT, NOW_S)) is Refusal.FORGED


@pytest.mark.parametrize("token", ["", "no-dot", "é.é", "a" * 500 + ".b"])
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert refusal(token) is Refusal.MALFORMED


@given(token=st.text())
def test_no_text_whatever_passes_or_breaks_the_check(token: str) -> None:
    assert refusal(token) in (Refusal.FORGED, Refusal.MALFORMED)


def test_while_secrets_change_both_are_good_and_the_first_one_signs() -> None:
    both = StreamTokens(["new secret", "first secret"])
    assert both.check(TOKENS.issue(GRANT, NOW_S), GRANT.call_sid, NOW_S).grant == GRANT
    assert refusal(both.issue(GRANT, NOW_S)) is Refusal.FORGED


async def test_a_token_is_good_once() -> None:
    used = UsedTokensHere()
    token = TOKENS.issue(GRANT, NOW_S)
    assert await TOKENS.redeem(token, GRANT.call_sid, used, NOW_S) == GRANT
    with pytest.raises(TokenRefusedError) as caught:
        await TOKENS.redeem(token, GRANT.call_sid, used, NOW_S)
    assert caught.value.reason is Refusal.REPLAYED


async def test_a_refused_token_is_not_used_up() -> None:
    used = UsedTokensHere()
    token = TOKENS.issue(GRANT, NOW_S)
    with pytest.raises(TokenRefusedError):
        await TOKENS.redeem(token, "CAother", used, NOW_S)
    assert await TOKENS.redeem(token, GRANT.call_sid, used, NOW_S) == GRANT


async def test_the_memory_is_bounded_and_refuses_rather_than_forgets() -> None:
    used = UsedTokensHere(most=2)
    assert await used.burn("a", 30, 0.0) == "fresh"
    assert await used.burn("b", 31, 0.0) == "fresh"
    assert await used.burn("c", 32, 0.0) == "full"
    assert await used.burn("a", 30, 0.0) == "used"
    # "a" cannot be shown again once it has expired, so its place is free.
    assert await used.burn("c", 32, 30.0) == "fresh"
    assert await used.burn("b", 31, 30.0) == "used"


async def test_an_overloaded_memory_has_its_own_reason() -> None:
    with pytest.raises(TokenRefusedError) as caught:
        token = TOKENS.issue(GRANT, NOW_S)
        await TOKENS.redeem(token, GRANT.call_sid, UsedTokensHere(most=0), NOW_S)
    assert caught.value.reason is Refusal.OVERLOADED


@pytest.mark.parametrize("secrets", [[], [""]])
def test_an_empty_secret_is_refused(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="auth token"):
        StreamTokens(secrets)
