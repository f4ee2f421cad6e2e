"""A SIP system that is handed a call can tell which one it is, and nothing that the operator wrote
into the address is lost or doubled for it."""

from urllib.parse import parse_qsl

import pytest

from app.carriers.twilio.sip_reference import MOST_HEADER_CHARS, referenced

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
