"""An error of Twilio's names who can mend it and how, and repeats no number or address."""

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.response import Response  # type: ignore[import-untyped]

from app.carriers.twilio.errors import (
    AccountError,
    CallInputError,
    DestinationError,
    NumberError,
    RateError,
    TransportError,
    TwilioError,
    VendorError,
    from_transport,
    from_twilio,
)


@pytest.mark.parametrize(
    ("status", "code", "kind", "mend"),
    [
        (400, 21211, NumberError, "write it like"),
        (400, 21214, NumberError, "check it"),
        (400, 21217, NumberError, "check it"),
        (400, 13223, NumberError, "E.164"),
        (400, 13224, CallInputError, "no carrier reaches it now"),
        (400, 13225, DestinationError, "does not call that number"),
        (400, 13226, NumberError, "country code"),
        (400, 13227, DestinationError, "allow it in the console"),
        (400, 21216, DestinationError, "blocks"),
        (400, 21210, CallInputError, "choose another"),
        (404, 20404, CallInputError, "check the CallSid"),
        (401, 20003, AccountError, "TWILIO_AUTH_TOKEN"),
        (400, 21219, DestinationError, "trial account"),
        (400, 21215, DestinationError, "allow it in the console"),
        (429, 20429, RateError, "wait"),
        (429, 10004, RateError, "raise its limit"),
        (400, 99999, CallInputError, "see what it says"),
        (403, 99999, AccountError, "permissions"),
        (429, 429, RateError, "wait"),
        (500, 20500, VendorError, "status page"),
        (503, 503, VendorError, "status page"),
    ],
)
def test_codes_and_statuses_say_who_can_mend_it(
    status: int, code: int, kind: type[TwilioError], mend: str
) -> None:
    error = from_twilio(TwilioRestException(status, "/x", "said", code, "POST"), creating=False)
    assert type(error) is kind
    assert (error.status, error.code, error.outcome_unknown) == (status, code, False)
    assert mend in str(error)
    assert "said" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        "The number +14155550100 is not valid",
        "'To' 415-555-0100",
        "call sip:ann.example@pbx.example.com;transport=tls",
        "call client:ann.example",
        "(415) 555 0100",
    ],
)
def test_numbers_and_addresses_are_taken_out(said: str) -> None:
    text = str(from_twilio(TwilioRestException(400, "/x", said, 21210), creating=True))
    assert not any(secret in text for secret in ("4155550100", "555", "ann", "pbx"))


def test_the_static_words_are_without_twilios_own() -> None:
    error = from_twilio(TwilioRestException(400, "/x", "said", 21215, "POST"), creating=True)
    assert "allow it in the console" in error.why
    assert "said" not in error.why


def test_a_list_that_was_refused_says_so_by_its_status() -> None:
    refused = TwilioException("Unable to fetch page", Response(429, "{}"))
    error = from_twilio(refused, creating=False, retry_after_s=2.0)
    assert type(error) is RateError
    assert (error.status, error.retry_after_s) == (429, 2.0)


def test_newer_problem_reports_are_read_too() -> None:
    problem = TwilioServiceException("about:blank", "Too many", 429, 20429, "call +14155550100")
    error = from_twilio(problem, creating=True)
    assert type(error) is RateError
    assert "Too many" in str(error)
    assert "4155550100" not in str(error)


def test_a_failure_of_twilios_leaves_open_whether_the_call_was_placed() -> None:
    assert from_twilio(TwilioRestException(500, "/x", "m", 500), creating=True).outcome_unknown
    assert from_twilio(TwilioException("odd"), creating=True).outcome_unknown
    assert not from_twilio(
        TwilioRestException(400, "/x", "m", 21211), creating=True
    ).outcome_unknown


def test_only_a_connection_that_never_came_about_placed_nothing() -> None:
    key = ConnectionKey("127.0.0.1", 1, False, True, None, None, None)
    never = from_transport(aiohttp.ClientConnectorError(key, OSError()), creating=True)
    broken = from_transport(aiohttp.ServerDisconnectedError(), creating=True)
    late = from_transport(TimeoutError(), creating=True)
    assert type(never) is TransportError
    assert (never.outcome_unknown, broken.outcome_unknown, late.outcome_unknown) == (
        False,
        True,
        True,
    )
    assert "look at its status" in str(late)
    assert not from_transport(TimeoutError(), creating=False).outcome_unknown
