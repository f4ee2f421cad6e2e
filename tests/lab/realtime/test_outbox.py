"""Invariant: frames leave in the order in which they were emitted, and the log saw each of them."""

import random
from typing import Any

import msgspec

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ids import Ids
from app.lab.realtime.log import SessionLog
from app.lab.realtime.nonsense import Garbler
from app.lab.realtime.outbox import Outbox
from app.lab.realtime.refusals import RequestRefused


class Wire:
    """What a socket was given."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None

    async def send(self, payload: bytes, text: bool) -> None:
        assert text
        self.events.append(msgspec.json.decode(payload))

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


def outbox() -> tuple[Outbox, SessionLog]:
    log = SessionLog("sess_1", "gpt-realtime-2.1")
    return Outbox(log, Ids(random.Random(1)), Garbler(Behaviour())), log


async def test_everything_emitted_before_a_close_is_sent_before_it() -> None:
    box, log = outbox()
    box.emit("session.created", session={"id": "sess_1"})
    box.emit_prepared("response.output_audio.delta", b'{"type":"x","event_id":"', b'","delta":""}')
    box.refuse(RequestRefused("invalid_value", "No.", "p"), "mine")
    box.close(1001, "over")
    wire = Wire()
    await box.write(wire.send, wire.close)
    assert [event["type"] for event in wire.events] == ["session.created", "x", "error"]
    assert wire.closed == (1001, "over")
    assert [frame.event for frame in log.sent] == wire.events
    assert len({event["event_id"] for event in wire.events}) == 3


async def test_a_refusal_names_the_client_event_and_is_logged() -> None:
    box, log = outbox()
    box.refuse(RequestRefused("invalid_value", "No.", "p"), "mine")
    box.close(1000, "")
    wire = Wire()
    await box.write(wire.send, wire.close)
    assert wire.events[0]["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "No.",
        "param": "p",
        "event_id": "mine",
    }
    assert [(error.code, error.event_id) for error in log.errors] == [("invalid_value", "mine")]
