"""What Twilio tells of a call's life stands in the log with its fields; of streams only what went
wrong stands out."""

import logging

import pytest

from app.carrier_log import log_progress, log_stream
from app.carriers.twilio.progress import CallProgress, CallState, StreamStatus

LOGGER = "app.carrier_log"


def test_each_step_of_a_call_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=LOGGER):
        log_progress(CallProgress("CA1", CallState.BUSY, 3, duration_s=0, sip_code=486))
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.INFO, "call progress")
    fields = {"call": "CA1", "state": "busy", "duration_s": 0, "sip_code": 486}
    assert record.__dict__["fields"] == fields


async def test_a_stream_that_twilio_could_not_open_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, logger=LOGGER):
        await log_stream(StreamStatus("CA1", "MZ1", "stream-started"))
        await log_stream(StreamStatus("CA1", "MZ1", "stream-error", "31920"))
    started, failed = caplog.records
    assert (started.levelno, started.message) == (logging.DEBUG, "media stream")
    assert failed.levelno == logging.WARNING
    assert failed.message == "media stream failed at the carrier"
    assert failed.__dict__["fields"]["error"] == "31920"
