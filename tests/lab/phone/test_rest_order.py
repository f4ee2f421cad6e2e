"""A call that is ordered is read whole or refused with a reason; it can be ended while it lasts."""

import pytest

from app.lab.phone.course import TwimlSource
from app.lab.phone.identity import CallStatus
from app.lab.phone.rest_form import Form
from app.lab.phone.rest_order import ends_as, read_order
from app.lab.phone.rest_wire import RestError
from app.lab.phone.status import StatusCallback

URL = "http://bot.test/voice"


def test_an_order_is_read_whole() -> None:
    form = {
        "Url": [URL],
        "FallbackUrl": [URL + "/sorry"],
        "StatusCallback": [URL + "/status?attempt=1"],
        "Timeout": ["25"],
        "TimeLimit": ["600"],
        "MachineDetection": ["DetectMessageEnd"],
        "AsyncAmd": ["true"],
        "AsyncAmdStatusCallback": [URL + "/amd"],
    }
    order = read_order(form)
    assert order.first == TwimlSource(URL)
    assert order.fallback == TwimlSource(URL + "/sorry")
    assert order.status == StatusCallback(URL + "/status?attempt=1")
    assert (order.ring_limit_ms, order.time_limit_s) == (25_000, 600)
    assert order.detection is not None
    assert (order.detection.message_end, order.detection.callback) == (True, URL + "/amd")


def test_what_is_not_said_is_as_twilio_has_it() -> None:
    order = read_order({"Url": [URL]})
    assert (order.ring_limit_ms, order.time_limit_s) == (60_000, None)
    assert (order.status, order.detection, order.fallback) == (None, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Timeout": ["601"]},
        {"Timeout": ["soon"]},
        {"MachineDetection": ["Always"]},
        {"MachineDetectionTimeout": ["60"]},
        {"MachineDetectionSpeechThreshold": ["999"]},
        {"MachineDetectionSpeechEndThreshold": ["5001"]},
        {"MachineDetectionSilenceTimeout": ["long"]},
        {"SendDigits": ["1" * 33]},
        {"StatusCallback": ["http://my_bot.test/status"]},
        {"StatusCallback": ["bot.test/status"]},
    ],
)
def test_what_twilio_would_refuse_is_refused(wrong: Form) -> None:
    with pytest.raises(RestError) as error:
        read_order({"Url": [URL], **wrong})
    assert error.value.http_status == 400


@pytest.mark.parametrize(
    ("status", "wanted", "ends"),
    [
        ("queued", "canceled", "canceled"),
        ("ringing", "completed", "canceled"),
        ("in-progress", "completed", "completed"),
    ],
)
def test_a_call_ends_as_it_can(status: CallStatus, wanted: str, ends: str) -> None:
    assert ends_as(status, wanted) == ends


@pytest.mark.parametrize(
    ("status", "wanted"),
    [("completed", "completed"), ("busy", "canceled"), ("in-progress", "canceled")],
)
def test_a_call_that_cannot_end_so_is_told(status: CallStatus, wanted: str) -> None:
    with pytest.raises(RestError) as error:
        ends_as(status, wanted)
    assert error.value.code == 21220
