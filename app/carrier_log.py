"""What the carrier tells of calls and streams, as lines in the log."""

import logging

from app.carriers.twilio.attempts import Detection
from app.carriers.twilio.progress import CallProgress, StreamStatus
from app.observe.log import event

logger = logging.getLogger(__name__)


def log_progress(progress: CallProgress) -> None:
    event(
        logger,
        logging.INFO,
        "call progress",
        call=progress.call_sid,
        state=progress.state.value,
        duration_s=progress.duration_s,
        sip_code=progress.sip_code,
    )


def log_detection(found: Detection) -> None:
    """Who answered a call that we placed."""
    event(
        logger,
        logging.INFO,
        "who answered",
        call=found.call_sid,
        by=found.answered_by,
        took_ms=found.took_ms,
    )


async def log_stream(status: StreamStatus) -> None:
    """The only place where a handshake that Twilio could not finish shows on our side."""
    failed = status.event == "stream-error"
    event(
        logger,
        logging.WARNING if failed else logging.DEBUG,
        "media stream failed at the carrier" if failed else "media stream",
        call=status.call_sid,
        stream=status.stream_sid,
        event=status.event,
        error=status.error,
    )
