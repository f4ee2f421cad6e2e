"""A SIP system that is handed a call can tell which one it is, and nothing that the operator wrote
into the address is lost or doubled for it."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents.outside import as_header
from app.carriers.twilio.sip_reference import MOST_HEADER_CHARS, referenced
from app.lab.phone.sip import read_target

CALL = "CA" + "0a" * 16


def headers(uri: str) -> dict[str, str]:
    return dict(parse_qsl(uri.partition("?")[2]))


def test_the_call_is_named_in_both_headers() -> None:
    told = referenced("sip:desk@pbx.example.com;transport=tls", CALL)

    assert told.startswith("sip:desk@pbx.example.com;transport=tls?")
    assert headers(told) == {
        "X-Earshot-Call": CALL,
        "User-to-User": f"{CALL.encode().hex()};encoding=hex",
    }


def test_the_operators_headers_stay_and_win() -> None:
    told = headers(referenced("sip:desk@pbx.example.com?X-Team=7&user-to-user=abc", CALL))

    assert told == {"X-Team": "7", "user-to-user": "abc", "X-Earshot-Call": CALL}


@pytest.mark.parametrize("length", [900, 960, 1_000])
def test_what_has_no_room_is_left_out(length: int) -> None:
    given = "X-Long=" + "a" * length
    told = referenced(f"sip:desk@pbx.example.com?{given}", CALL)

    assert len(told.partition("?")[2]) <= MOST_HEADER_CHARS
    assert headers(told)["X-Long"] == "a" * length


def test_headers_of_the_operators_go_along_and_stand_in_for_ours() -> None:
    more = {"X-Team": "9", "X-Order": "a;b, c=d&e?f", "user-to-user": "own"}
    told = headers(referenced("sip:desk@pbx.example.com?X-Team=7", CALL, more))

    assert told == {
        "X-Team": "7",
        "X-Earshot-Call": CALL,
        "X-Order": "a;b, c=d&e?f",
        "user-to-user": "own",
    }


def test_what_is_too_long_of_them_never_crowds_out_the_reference() -> None:
    more = {f"X-{n}": "x" * 255 for n in range(9)}
    told = referenced("sip:desk@pbx.example.com", CALL, more)

    assert len(told.partition("?")[2]) <= MOST_HEADER_CHARS
    assert headers(told)["X-Earshot-Call"] == CALL
    assert headers(told)["X-0"] == "x" * 255


def test_a_header_whose_name_ends_like_ours_is_another_one() -> None:
    told = headers(referenced("sip:desk@pbx.example.com?X-My-X-Earshot-Call=1", CALL))

    assert told["X-Earshot-Call"] == CALL


@given(
    st.dictionaries(
        st.from_regex(r"X-[A-Za-z0-9][A-Za-z0-9-]{0,20}", fullmatch=True),
        st.text(max_size=300),
        max_size=6,
    )
)
def test_whatever_a_value_was_it_arrives_in_its_own_header(values: dict[str, str]) -> None:
    more = {name: sent for name, value in values.items() if (sent := as_header(value))}
    uri = referenced("sip:desk@pbx.example.com;transport=tls", CALL, more)
    target = read_target(uri)  # refuses what Twilio refuses

    assert target.uri == "sip:desk@pbx.example.com;transport=tls"
    ours = {"x-earshot-call", "user-to-user"}
    for name, value in target.headers.items():
        if name.lower() not in ours:
            assert value == next(v for n, v in more.items() if n.lower() == name.lower())
