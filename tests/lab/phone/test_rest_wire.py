"""What the API refuses carries Twilio's code; what it returns is a Call resource."""

from datetime import UTC, datetime, timedelta

import pytest

from app.lab.phone.identity import CallIdentity
from app.lab.phone.rest_wire import RestError, call_resource, check_parties, check_twiml_source

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WHO = CallIdentity("CA1", "AC1", "+15005550006", "+15005550010", "outbound-api")


@pytest.mark.parametrize(
    ("to", "from_", "code"),
    [
        ("", "+15005550006", 21201),
        ("12345", "+15005550006", 21211),
        ("+0123456789", "+15005550006", 21211),
        ("+15005550010", "", 21213),
        ("+15005550010", "client:me", 21212),
    ],
)
def test_parties_that_cannot_call_each_other_are_refused(to: str, from_: str, code: int) -> None:
    with pytest.raises(RestError) as error:
        check_parties(to, from_)
    assert (error.value.code, error.value.http_status) == (code, 400)
    assert error.value.body()["code"] == code


@pytest.mark.parametrize("to", ["+15005550010", "sip:a@b.test", "client:me"])
def test_numbers_sip_addresses_and_clients_can_be_called(to: str) -> None:
    check_parties(to, "+15005550006")


@pytest.mark.parametrize(
    ("url", "twiml", "code"),
    [("", "", 21205), ("bot.test/voice", "", 21205), ("", "x" * 4001, 20001)],
)
def test_a_call_needs_twiml_from_somewhere(url: str, twiml: str, code: int) -> None:
    with pytest.raises(RestError) as error:
        check_twiml_source(url, twiml)
    assert error.value.code == code


def test_a_call_resource_before_and_after() -> None:
    later = NOON + timedelta(seconds=90)
    fresh = call_resource(
        WHO, "queued", created=NOON, updated=NOON, dialled=None, answered=None, ended=None
    )
    assert (fresh["status"], fresh["duration"], fresh["start_time"]) == ("queued", None, None)
    ended = call_resource(
        WHO, "completed", created=NOON, updated=later, dialled=NOON, answered=NOON, ended=later
    )
    assert (ended["status"], ended["duration"]) == ("completed", "90")
    assert ended["start_time"] == "Thu, 01 Jan 2026 12:00:00 +0000"
    assert ended["uri"] == "/2010-04-01/Accounts/AC1/Calls/CA1.json"
    resources = ended["subresource_uris"]
    assert isinstance(resources, dict)
    assert resources["user_defined_messages"].endswith("/Calls/CA1/UserDefinedMessages.json")


def test_a_call_that_nobody_answered_has_a_start_and_no_length() -> None:
    busy = call_resource(
        WHO, "busy", created=NOON, updated=NOON, dialled=NOON, answered=None, ended=NOON
    )
    assert (busy["start_time"] is None, busy["duration"]) == (False, None)


def test_length_is_told_in_the_call_s_own_time() -> None:
    soon = NOON + timedelta(milliseconds=90)
    brief = call_resource(
        WHO,
        "completed",
        created=NOON,
        updated=soon,
        dialled=NOON,
        answered=NOON,
        ended=soon,
        pace=1000,
        answered_by="human",
        queue_ms=250,
    )
    assert (brief["duration"], brief["answered_by"], brief["queue_time"]) == ("90", "human", "250")
