"""The media socket's reader waits for nobody, and its end is known before the carrier can ask.

What a real socket shows (signatures, tokens, broken frames) is in tests/lab_calls/test_bad_callers.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.bridge.call_bridge import CallBridge
from app.bridge.errands import Runners
from app.bridge.media_socket import MakeWriter, MediaSocket
from app.bridge.pacer import Pacer
from app.bridge.switchboard import Switchboard
from app.call.arrival import Arrival
from app.call.commands import OpenLeg
from app.call.endings import EndReason
from app.call.events import StreamStarted
from app.call.facts import CallFacts
from app.call.phases import CallSettings
from app.carriers.line import Line
from app.carriers.twilio.caller import FactSeals, as_parameters
from app.carriers.twilio.media_door import MediaStreams
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import Grant, StreamTokens, UsedTokensHere
from app.lab.phone.signing import signature
from app.lab.phone.wire import CONNECTED, StreamIdentity, Writer
from tests.bridge.fake_model import FakeModel
from tests.bridge.test_call_bridge import Tools, booked

TOKEN = "token"
ACCOUNT = "AC" + "0" * 32
CALL, STREAM = "CA" + "1" * 32, "MZ" + "2" * 32
FRAME = b"\x7e" * 160


@dataclass
class Upgrade:
    """An ASGI connection to a media socket, and what lies behind it."""

    model: FakeModel = field(default_factory=FakeModel)
    board: Switchboard = field(default_factory=lambda: Switchboard(10))
    answered: list[dict[str, Any]] = field(default_factory=list)
    """ASGI messages from the app."""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, the peer takes no media."""

    def __post_init__(self) -> None:
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.writer = Writer(StreamIdentity(STREAM, CALL, ACCOUNT))
        self.tokens = StreamTokens([TOKEN])
        self.open.set()
        self.call: CallBridge | None = None
        self.facts: CallFacts | None = None
        self.made = asyncio.Event()
        self.seals = FactSeals([TOKEN])
        self.parameters: dict[str, str] = {}
        self.on_close: Callable[[], None] = lambda: None

    def arrive(self, *texts: str) -> None:
        for text in texts:
            self.frames.put_nowait({"type": "websocket.receive", "text": text})

    def begin(self) -> None:
        self.frames.put_nowait({"type": "websocket.connect"})
        grant = Grant(CALL, "receptionist", "inbound")
        token = self.tokens.issue(grant, time.time())
        self.arrive(CONNECTED, self.writer.start({"token": token, **self.parameters}))

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            await self.open.wait()
        if message["type"] == "websocket.close":
            self.on_close()
        self.answered.append(message)

    async def make_call(self, arrival: Arrival, line: Line, writer: MakeWriter) -> CallBridge:
        self.facts = arrival.facts
        self.made.set()

        async def open_model(_leg: OpenLeg) -> FakeModel:
            return self.model

        self.call = CallBridge(
            started=StreamStarted(arrival.call_id, arrival.stream_id, arrival.direction),
            settings=CallSettings(greeting="Say hello."),
            open_model=open_model,
            runners=Runners(Tools(booked)),
            dialect=line,
            writer=writer,
            clock=line.clock,
            pacer=Pacer(),
        )
        return self.call

    async def serve(self) -> None:
        url = "ws://127.0.0.1:9/twilio/media"
        checker = SignatureChecker([TOKEN], "http://127.0.0.1:9")
        door = MediaStreams(checker, self.tokens, self.seals, UsedTokensHere())
        socket = MediaSocket(door, self.board, self.make_call)
        scope = {
            "type": "websocket",
            "path": "/twilio/media",
            "raw_path": b"/twilio/media",
            "query_string": b"",
            "headers": [(b"x-twilio-signature", signature(TOKEN, url).encode())],
        }
        await asyncio.wait_for(socket(scope, self.frames.get, self.send), 10)


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_caller_audio_is_read_while_the_carrier_takes_nothing() -> None:
    upgrade = Upgrade()
    upgrade.begin()
    upgrade.arrive(upgrade.writer.media(FRAME, 0))
    serving = asyncio.create_task(upgrade.serve())
    await settle()
    upgrade.open.clear()
    assert upgrade.call is not None
    upgrade.call._writer.write("stuck")
    before = upgrade.model.axis_bytes
    for tick in range(1, 11):
        upgrade.arrive(upgrade.writer.media(FRAME, 20 * tick))
    await settle()
    assert upgrade.model.axis_bytes == before + 10 * len(FRAME)
    upgrade.open.set()
    upgrade.arrive(upgrade.writer.stop())
    await serving


async def test_how_a_call_ended_is_known_before_its_socket_closes() -> None:
    upgrade = Upgrade()
    known: list[EndReason | None] = []

    def look() -> None:
        end = upgrade.board.ending_of(CALL)
        known.append(None if end is None else end.reason)
        assert upgrade.model.closed == 0, "the caller does not wait for the model to close"

    upgrade.on_close = look
    upgrade.begin()
    serving = asyncio.create_task(upgrade.serve())
    await settle()
    assert upgrade.board.is_connected(CALL)
    assert upgrade.call is not None
    upgrade.call.hang_up("operator")
    await serving
    assert known == [EndReason.OPERATOR_HUNG_UP]
    assert upgrade.model.closed == 1
    assert [m["type"] for m in upgrade.answered] == ["websocket.accept", "websocket.close"]
    assert upgrade.answered[-1]["code"] == 1000


async def test_a_fault_in_the_reader_ends_the_call_instead_of_leaving_it_deaf(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(payload_b64: str, n_bytes: int) -> None:
        raise ValueError("text and count cannot belong together")

    upgrade = Upgrade()
    upgrade.begin()
    serving = asyncio.create_task(upgrade.serve())
    await settle()
    monkeypatch.setattr(upgrade.model, "send_audio", refuse)
    upgrade.arrive(upgrade.writer.media(FRAME, 0))
    await serving
    end = upgrade.board.ending_of(CALL)
    assert end is not None
    assert end.reason is EndReason.INTERNAL_ERROR


@pytest.mark.parametrize("gone", [True, False])
async def test_a_call_whose_server_is_stopped_closes_its_model(gone: bool) -> None:
    upgrade = Upgrade()
    upgrade.begin()
    serving = asyncio.create_task(upgrade.serve())
    await settle()
    if gone:
        upgrade.frames.put_nowait({"type": "websocket.disconnect", "code": 1012})
        await serving
    else:
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
    assert upgrade.model.closed == 1
    assert not upgrade.board.is_connected(CALL)


async def test_what_the_webhook_learnt_of_the_call_arrives_with_its_stream() -> None:
    upgrade = Upgrade()
    facts = CallFacts(from_number="+15550100001", sip_headers={"X-Order": "4711"})
    upgrade.parameters = as_parameters(upgrade.seals.seal(facts, CALL))
    upgrade.begin()
    serving = asyncio.create_task(upgrade.serve())
    await upgrade.made.wait()
    assert upgrade.facts == facts
    upgrade.frames.put_nowait({"type": "websocket.disconnect"})
    await serving


@pytest.mark.parametrize("of", ["another call", "another account", "nobody"])
async def test_facts_that_were_not_sealed_for_this_call_are_not_believed(
    of: str, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade, facts = Upgrade(), CallFacts(from_number="+15550100001")
    sealed = {
        "another call": upgrade.seals.seal(facts, "CA" + "9" * 32),
        "another account": FactSeals(["other"]).seal(facts, CALL),
        "nobody": "+15550100001",
    }
    upgrade.parameters = as_parameters(sealed[of])
    upgrade.begin()
    serving = asyncio.create_task(upgrade.serve())
    await upgrade.made.wait()
    assert upgrade.facts == CallFacts()
    upgrade.frames.put_nowait({"type": "websocket.disconnect"})
    await serving
    assert "the call's facts are missing" in caplog.text
    assert "5550100001" not in caplog.text
