"""A call's facts say who is whom in either direction, and no log line shows them by accident."""

import pytest

from app.call.facts import CallFacts, number_of

FACTS = CallFacts(
    from_number="+15550100001",
    to_number="+15550100002",
    caller_name="Ada",
    sip_headers={"X-Order-Id": "4711"},
    campaign={"name": "Ada"},
)


def test_the_party_is_whoever_speaks_with_the_agent() -> None:
    assert (FACTS.party, FACTS.line) == ("+15550100001", "+15550100002")
    placed = CallFacts(direction="outbound", from_number="+15550100002", to_number="+15550100001")
    assert (placed.party, placed.line) == ("+15550100001", "+15550100002")


def test_nothing_personal_is_in_the_repr() -> None:
    assert repr(FACTS) == f"{FACTS}" == "CallFacts(direction='inbound', origin='pstn', ...)"


def test_a_header_is_found_whatever_its_case() -> None:
    assert FACTS.header("x-ORDER-id") == "4711"
    assert FACTS.header("X-Order") == ""


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("+15550100001", "+15550100001"),
        ("sip:+15550100001@pbx.example.com;transport=tls", "+15550100001"),
        ("sips:+15550100001@192.0.2.7:5061", "+15550100001"),
        ("sip:sales@pbx.example.com", ""),
        ("client:ada", ""),
        ("+٠١٢٣٤٥٦٧", ""),
        ("+15550100001\n", ""),
        ("anonymous", ""),
        ("", ""),
    ],
)
def test_a_number_is_found_in_an_address_or_there_is_none(address: str, number: str) -> None:
    assert number_of(address) == number
