"""The facts of a call are read from Twilio's fields, fit into its `<Parameter>`s, and come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.events import OnAnswer
from app.call.facts import CallFacts
from app.carriers.twilio.caller import (
    MOST_MESSAGE_BYTES,
    MOST_VARIABLES_BYTES,
    FactSeals,
    MessageTooLongError,
    TooManyVariablesError,
    as_parameters,
    from_parameters,
    read_facts,
)

SEALS = FactSeals(["token"])
CALL = "CA" + "1" * 32
ANY = st.text(max_size=300)


@given(st.dictionaries(ANY.map("SipHeader_{}".format), ANY, max_size=6), ANY, ANY)
def test_whatever_came_fits_into_parameters_and_comes_back(
    headers: dict[str, str], name: str, forwarded: str
) -> None:
    said = {**headers, "From": "+15550100001", "CallerName": name, "ForwardedFrom": forwarded}
    facts = read_facts(said, "inbound")
    parameters = as_parameters(SEALS.seal(facts, CALL))
    assert all(len(key) + len(value) < 500 for key, value in parameters.items())
    assert SEALS.open(from_parameters({"token": "t", **parameters}), CALL) == facts


def test_the_longest_facts_fit() -> None:
    """Noise does not compress."""
    noise = "".join(chr(0x4E00 + 7919 * i % 20_000) for i in range(4_000))
    said = {f"SipHeader_X-{i}": noise[i * 100 : i * 100 + 60] for i in range(40)}
    names = ("From", "To", "CallerName", "ForwardedFrom", "StirVerstat", "SipDomain", "SipSourceIp")
    said |= {name: noise[i * 300 : i * 300 + 300] for i, name in enumerate(names)}
    message = OnAnswer("message", noise[-(MOST_MESSAGE_BYTES // 3) :])
    variables = {"note": noise[: MOST_VARIABLES_BYTES // 3 - 4]}
    facts = read_facts(said, "outbound", variables, "a" * 40, message, 1_800_000_000_000)
    assert SEALS.open(from_parameters(as_parameters(SEALS.seal(facts, CALL))), CALL) == facts


def test_headers_beyond_what_twilio_passes_on_are_cut() -> None:
    said = {f"SipHeader_X-{i}": "x" * 95 for i in range(1, 30)}
    assert sum(len(k + v) for k, v in read_facts(said, "inbound").sip_headers.items()) <= 1_024


@pytest.mark.parametrize(
    ("said", "origin"),
    [
        ({"From": "+15550100001"}, "pstn"),
        ({"From": "sip:ada@pbx.example.com"}, "sip"),
        ({"From": "+15550100001", "SipDomain": "shop.sip.example.com"}, "sip"),
        ({"From": "client:ada"}, "client"),
        ({}, "pstn"),
    ],
)
def test_where_a_call_comes_from(said: dict[str, str], origin: str) -> None:
    assert read_facts(said, "inbound").origin == origin


def test_of_a_call_that_we_placed_the_called_party_counts() -> None:
    said = {"From": "+15550100002", "To": "sip:ada@pbx.example.com", "ToCountry": "DE"}
    facts = read_facts(said, "outbound")
    assert (facts.origin, facts.country) == ("sip", "DE")


def test_a_country_is_two_letters_or_unknown() -> None:
    assert read_facts({"FromCountry": "US"}, "inbound").country == "US"
    assert read_facts({"FromCountry": "U"}, "inbound").country == ""


def test_variables_that_no_call_can_carry_are_refused() -> None:
    fits = {"n": "x" * (MOST_VARIABLES_BYTES - 1)}
    assert SEALS.open_variables(SEALS.seal_variables(fits)) == fits
    with pytest.raises(TooManyVariablesError, match="at most 1024 bytes of variables, got 1025"):
        SEALS.seal_variables({"n": "x" * MOST_VARIABLES_BYTES})
    assert SEALS.open_variables("") == SEALS.open_variables("nonsense") == {}


def test_what_is_done_about_a_machine_comes_back_and_nobody_else_makes_it() -> None:
    on_answer = OnAnswer("message", "x" * MOST_MESSAGE_BYTES)
    sealed = SEALS.seal_on_answer(on_answer)
    assert SEALS.open_on_answer(sealed) == on_answer
    assert SEALS.open_on_answer("") is None
    assert SEALS.open_on_answer(sealed[:-2]) is None
    assert FactSeals(["other"]).open_on_answer(sealed) is None
    assert SEALS.open_on_answer(SEALS.seal_variables({"a": "b"})) is None
    with pytest.raises(MessageTooLongError, match="1000 bytes, got 1001"):
        SEALS.seal_on_answer(OnAnswer("message", "x" * (MOST_MESSAGE_BYTES + 1)))


def test_facts_are_none_for_another_call() -> None:
    assert SEALS.open(SEALS.seal(CallFacts(), CALL), "CA2") is None
