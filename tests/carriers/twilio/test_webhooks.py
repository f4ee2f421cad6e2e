"""Over real sockets: only what Twilio signed opens anything, and each step of a call that it tells
is told on once."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from app.carriers.body import MOST_BODY_BYTES
from app.carriers.twilio.progress import CallState, StreamStatus
from tests.carriers.twilio.twilio_side import CALL, PUBLIC, RINGING, Form, Twilio, World, sign

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = ["/twilio/voice", "/twilio/status", "/twilio/stream-ended"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"X-Twilio-Signature": None}},
        {"headers": {"X-Twilio-Signature": ""}},
        {"headers": {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
        {"auth": "another secret"},
        {"body": urlencode([*RINGING, ("CallSid", "CAother")]).encode()},
        {"body": b""},
        {
            "headers": {
                "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256",
            }
        },
    ],
    ids=["missing", "empty", "nonsense", "other secret", "changed", "no body", "unknown key"],
)
async def test_a_request_that_twilio_did_not_sign_opens_nothing(
    twilio: Twilio, world: World, path: str, changes: dict[str, Any]
) -> None:
    answer = await twilio.post(path, **changes)
    assert (answer.status, answer.text) == (403, "refused\n")
    assert world.untouched


async def test_a_signature_replayed_on_another_route_or_agent_is_refused(
    twilio: Twilio, world: World
) -> None:
    stolen = {"X-Twilio-Signature": sign(f"{PUBLIC}/twilio/voice", RINGING)}
    assert (await twilio.post("/twilio/status", headers=stolen)).status == 403
    assert (await twilio.post("/twilio/voice?agent=sales", headers=stolen)).status == 403
    assert world.untouched


async def test_what_a_proxy_writes_into_the_request_does_not_count(twilio: Twilio) -> None:
    proxied = {
        "Host": "bot.internal:8000",
        "X-Forwarded-Host": "evil.example.net",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example.net",
    }
    assert (await twilio.post("/twilio/voice", headers=proxied)).status == 200


async def test_a_signature_over_the_address_of_the_proxy_is_refused(twilio: Twilio) -> None:
    inside = {"X-Twilio-Signature": sign(f"{twilio.base}/twilio/voice", RINGING)}
    assert (await twilio.post("/twilio/voice", headers=inside)).status == 403


@pytest.mark.parametrize(
    ("path", "method", "status", "allow"),
    [
        ("/twilio/voice", "PUT", 405, "POST, GET"),
        ("/twilio/voice", "HEAD", 405, "POST, GET"),
        ("/twilio/status", "GET", 405, "POST"),
        ("/twilio/stream-ended", "DELETE", 405, "POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    twilio: Twilio, path: str, method: str, status: int, allow: str
) -> None:
    answer = await twilio.send(method, path, {"X-Twilio-Signature": sign(f"{PUBLIC}{path}")})
    assert (answer.status, answer.headers["allow"]) == (status, allow)


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", None])
async def test_a_body_of_another_type_is_refused(
    twilio: Twilio, world: World, content_type: str | None
) -> None:
    answer = await twilio.post("/twilio/voice", headers={"Content-Type": content_type})
    assert answer.status == 415
    assert world.untouched


async def test_the_content_type_may_carry_a_charset(twilio: Twilio) -> None:
    headers = {"Content-Type": "Application/X-WWW-Form-urlencoded; charset=UTF-8"}
    assert (await twilio.post("/twilio/voice", headers=headers)).status == 200


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(twilio: Twilio) -> None:
    bare = len(urlencode([*RINGING, ("X", "")]))
    form = [*RINGING, ("X", "x" * (MOST_BODY_BYTES - bare))]
    assert (await twilio.post("/twilio/voice", form)).status == 200
    form[-1] = ("X", form[-1][1] + "x")
    assert (await twilio.post("/twilio/voice", form)).status == 413


async def test_an_endless_body_without_a_length_is_cut_off(twilio: Twilio, world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(2 * MOST_BODY_BYTES // 4096):
            yield b"x" * 4096

    assert (await twilio.post("/twilio/voice", body=chunks())).status == 413
    assert world.untouched


@pytest.mark.parametrize("body", [b"CallSid", b"CallSid=%FF", b"a=1&&b=2"])
async def test_a_form_that_cannot_be_read_is_a_bad_request(twilio: Twilio, body: bytes) -> None:
    assert (await twilio.post("/twilio/voice", body=body)).status == 400


@pytest.mark.parametrize(
    "form",
    [
        RINGING[1:],
        [("CallSid", ""), *RINGING[1:]],
        [("CallSid", "CA {}"), *RINGING[1:]],
        [("CallSid", "CA" * 40), *RINGING[1:]],
        [*RINGING, ("CallSid", "CAother")],
    ],
)
async def test_a_signed_form_without_one_good_call_sid_is_a_bad_request(
    twilio: Twilio, world: World, form: Form
) -> None:
    assert (await twilio.post("/twilio/voice", form)).status == 400
    assert world.untouched


def status(state: str, sequence: int) -> Form:
    return [("CallSid", CALL), ("CallStatus", state), ("SequenceNumber", str(sequence))]


async def test_each_step_of_a_call_is_told_once_in_any_order(twilio: Twilio, world: World) -> None:
    for form in [
        status("initiated", 0),
        status("completed", 3),
        status("ringing", 1),
        status("completed", 3),
    ]:
        assert (await twilio.post("/twilio/status", form)).status == 204
    assert [(step.state, step.late) for step in world.progress] == [
        (CallState.INITIATED, False),
        (CallState.COMPLETED, False),
        (CallState.RINGING, True),
    ]
    assert not world.offered


async def test_a_stream_that_failed_is_reported(twilio: Twilio, world: World) -> None:
    form = [
        ("CallSid", CALL),
        ("StreamSid", "MZ1"),
        ("StreamEvent", "stream-error"),
        ("StreamError", "31920"),
    ]
    assert (await twilio.post("/twilio/status", form)).status == 204
    assert world.streams == [StreamStatus(CALL, "MZ1", "stream-error", "31920")]
    assert not world.progress


async def test_a_status_that_cannot_be_read_is_a_bad_request(twilio: Twilio, world: World) -> None:
    assert (await twilio.post("/twilio/status", status("asleep", 0))).status == 400
    assert world.untouched
