"""Who calls is what the dialplan's variables say, with or without underscores; without any a
call is anonymous, and its name is nobody's to ask for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.asterisk.identity import ANONYMOUS, address_of, call_id_of, read_identity

GIVEN = {
    "__EARSHOT_FROM": "+15550100001",
    "_EARSHOT_TO": "0015550100002",
    "EARSHOT_CALL_ID": "1795170608.12",
    "__EARSHOT_SOURCE_IP": "192.0.2.7",
    "__EARSHOT_AGENT": "sales",
    "__EARSHOT_HEADER_X_Shop": "7",
    "__EARSHOT_HEADER_User-to-User": "abc;encoding=hex",
    "__EARSHOT_AGAIN": "1",
    "__EARSHOT_NEWS": "busy|desk",
    "DIALEDPEERNUMBER": "earshot",
}


def test_the_variables_say_who_calls_whom() -> None:
    who = read_identity(GIVEN, "1795170608.13")
    assert (who.facts.from_number, who.facts.to_number) == ("+15550100001", "+15550100002")
    assert who.facts.direction == "inbound"
    assert who.facts.source_ip == "192.0.2.7"
    assert who.facts.sip_headers == {"X-Shop": "7", "User-to-User": "abc;encoding=hex"}
    assert (who.agent, who.again, who.news) == ("sales", True, "busy|desk")
    assert who.call_id == call_id_of("1795170608.12")


def test_without_variables_a_call_is_anonymous_and_its_own() -> None:
    first, second = read_identity({}, "1795170608.13"), read_identity({}, "1795170608.13")
    assert first.facts.from_number == ANONYMOUS
    assert (first.facts.to_number, first.agent, first.again) == ("", "", False)
    assert first.call_id != second.call_id, "another PBX counts its channels alike"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("+1 (555) 010-0001", "+15550100001"),
        ("00445550100", "+445550100"),
        ("tel:+15550100001;phone-context=x", "+15550100001"),
        ("1001", "1001"),
        ("sip:ann@pbx.example", "sip:ann@pbx.example"),
        ("", ""),
    ],
)
def test_numbers_are_written_one_way(given: str, address: str) -> None:
    assert address_of(given) == address


def test_a_sip_caller_is_known_as_one() -> None:
    assert read_identity({"EARSHOT_FROM": "sip:ann@pbx.example"}).facts.origin == "sip"
    assert read_identity({"EARSHOT_FROM": "+15550100001"}).facts.origin == "pstn"


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.integers(), st.text())), st.text())
def test_whatever_a_pbx_sends_the_name_is_fit_for_files_and_keys(
    given: dict[str, object], channel_id: str
) -> None:
    who = read_identity(given | {"EARSHOT_CALL_ID": channel_id}, channel_id)
    assert re.fullmatch(r"AS[0-9a-f]{32}", who.call_id)
    assert len(who.facts.from_number) <= 256
