"""Signatures are those that Twilio's own validator accepts."""

import pytest
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore]
    RequestValidator,
)

from app.lab.phone.signing import signature, without_fragment, without_query

TOKEN = "12345"
FIELDS = {"To": "+18005551212", "CallSid": "CA1", "Zip": "", "from": "ü", "From": "+1"}


@pytest.mark.parametrize("url", ["https://bot.test/voice?a=b%20c&d", "http://127.0.0.1:8080/x/"])
def test_the_validator_accepts_a_post(url: str) -> None:
    validator = RequestValidator(TOKEN)
    made = signature(TOKEN, url, FIELDS)
    assert validator.validate(url, FIELDS, made)
    assert not validator.validate(url, FIELDS | {"To": "+1"}, made)


def test_the_validator_accepts_an_upgrade_over_the_socket_url_only() -> None:
    validator = RequestValidator(TOKEN)
    made = signature(TOKEN, "wss://bot.test/media")
    assert validator.validate("wss://bot.test/media", {}, made)
    assert not validator.validate("https://bot.test/media", {}, made)


def test_the_documented_example() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    made = signature(TOKEN, "https://mycompany.com/myapp.php?foo=1&bar=2", fields)
    assert made == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_what_is_not_requested_is_not_signed() -> None:
    assert without_fragment("https://bot.test/a?b=c#rc=2&rp=all") == "https://bot.test/a?b=c"
    assert without_query("wss://bot.test/media/x?token=1#y") == "wss://bot.test/media/x"
