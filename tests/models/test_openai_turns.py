"""Invariant: whoever ends turns, answers them and interrupts answers is who was asked to, in every
mode, or the session is not used; and what we commit and clear ourselves keeps its place in time."""

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.call.commands import ClearInput, CommitInput, CreateResponse
from app.call.events import (
    CallerTranscribed,
    CallerTurnCommitted,
    Event,
    ModelClosed,
    ModelFault,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
)
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.server import LabRealtime
from app.models.openai_connect import Configured, Credentials, Limits, connect_and_configure
from app.models.openai_realtime import open_session
from app.models.openai_turns import encode_turns
from app.models.ports import ModelSession, SemanticVad, ServerVad, SessionConfig, TurnDetection
from tests.lab.realtime.driver import API_KEY, ScriptedBrain, ScriptedEar, ToneMouth, silence, tone
from tests.models.openai_server import OpenAIServer, running

MODES: list[TurnDetection | None] = [
    None,
    *(
        vad(create_response=creates, interrupt_response=interrupts)
        for vad in (ServerVad, SemanticVad)
        for creates in (True, False)
        for interrupts in (True, False)
    ),
    ServerVad(idle_timeout_ms=8000, create_response=False),
    ServerVad(threshold=0.3, prefix_padding_ms=100, silence_duration_ms=900),
    SemanticVad("low"),
]


async def opened(
    turns: TurnDetection | None, change: Callable[[dict[str, Any]], None]
) -> Configured | ModelClosed:
    """What becomes of a session whose echo was changed in its `audio.input`."""

    def echo(session: dict[str, Any]) -> dict[str, Any]:
        change(session["audio"]["input"])
        return session

    async with running(OpenAIServer(echo=echo)) as server:
        credentials = Credentials("sk-test", server.base_url)
        limits = Limits(configure_s=5, close_s=0.3)
        config = SessionConfig(turn_detection=turns)
        result = await connect_and_configure(config, credentials, limits)
        if isinstance(result, Configured):
            await result.socket.close()
        return result


@pytest.mark.parametrize("turns", MODES, ids=str)
async def test_every_mode_is_taken_as_it_is_echoed(turns: TurnDetection | None) -> None:
    seen: list[object] = []
    result = await opened(turns, lambda heard: seen.append(heard["turn_detection"]))
    assert isinstance(result, Configured)
    (echoed,) = seen
    if turns is None:
        assert echoed is None
    else:
        assert isinstance(echoed, dict)
        assert echoed["create_response"] is turns.create_response
        assert echoed["interrupt_response"] is turns.interrupt_response


@pytest.mark.parametrize("turns", MODES, ids=str)
async def test_a_server_that_does_not_say_is_believed(turns: TurnDetection | None) -> None:
    assert isinstance(await opened(turns, lambda heard: heard.pop("turn_detection")), Configured)


OURS = ServerVad(create_response=False, interrupt_response=False)


@pytest.mark.parametrize(
    ("asked", "echoed", "detail"),
    [
        (OURS, {"create_response": True}, ".create_response: asked for False"),
        (OURS, {"interrupt_response": True}, ".interrupt_response: asked for False"),
        (ServerVad(), {"create_response": False}, ".create_response: asked for True"),
        (OURS, {"idle_timeout_ms": 5000}, ".idle_timeout_ms: asked for None"),
        (ServerVad(idle_timeout_ms=9000), {"idle_timeout_ms": None}, "the session says None"),
        (OURS, {"type": "semantic_vad"}, ".type: asked for server_vad"),
        (SemanticVad(), {"type": "server_vad"}, "the session says server_vad"),
        (None, {"type": "server_vad"}, ": asked for null, the session says server_vad"),
        (OURS, None, ": asked for server_vad, the session says null"),
    ],
)
async def test_a_session_in_which_somebody_else_decides_is_refused(
    asked: TurnDetection | None, echoed: dict[str, Any] | None, detail: str
) -> None:
    def change(heard: dict[str, Any]) -> None:
        said = None if echoed is None else (heard["turn_detection"] or {}) | echoed
        heard["turn_detection"] = said

    closed = await opened(asked, change)
    assert isinstance(closed, ModelClosed)
    assert closed.cause == "refused"
    assert closed.detail.startswith("audio input turn_detection")
    assert detail in closed.detail


@pytest.mark.parametrize(
    "rounded",
    [{"threshold": 0.5000000074}, {"prefix_padding_ms": 320}, {"silence_duration_ms": 512}],
)
async def test_settings_that_come_back_rounded_refuse_nothing(rounded: dict[str, Any]) -> None:
    result = await opened(OURS, lambda heard: heard["turn_detection"].update(rounded))
    assert isinstance(result, Configured)
    assert result.silence_ms == rounded.get("silence_duration_ms", 500)


def test_an_idle_timeout_is_only_mentioned_when_there_is_one() -> None:
    assert "idle_timeout_ms" not in (encode_turns(ServerVad()) or {})
    assert (encode_turns(ServerVad(idle_timeout_ms=7000)) or {})["idle_timeout_ms"] == 7000


# Against the lab, which keeps to the protocol's facts


class Line:
    """A session with the lab's model, and what came of it."""

    def __init__(self, session: ModelSession) -> None:
        self.session = session
        self.events: list[Event] = []

    def speak(self, ulaw: bytes) -> None:
        for start in range(0, len(ulaw), 160):
            piece = ulaw[start : start + 160]
            self.session.send_audio(base64.b64encode(piece).decode(), len(piece))

    async def until(self, kind: type[Event]) -> Event:
        while True:
            event = (await self.session.receive()).event
            assert not isinstance(event, ModelClosed), event
            self.events.append(event)
            if isinstance(event, kind):
                return event

    def kinds(self) -> set[type[Event]]:
        return {type(event) for event in self.events}


@pytest.fixture
async def lab() -> AsyncIterator[LabRealtime]:
    async with LabRealtime(
        api_key=API_KEY,
        brain_factory=ScriptedBrain,
        ear=ScriptedEar(),
        mouth=ToneMouth(),
        behaviour=Behaviour(think_ms=0, speed=100.0),
    ) as made:
        yield made


async def line(lab: LabRealtime, turns: TurnDetection | None) -> Line:
    config = SessionConfig(turn_detection=turns)
    made = Line(await open_session(config, Credentials(API_KEY, lab.base_url)))
    await made.until(ModelReady)
    return made


async def test_what_we_commit_is_the_callers_turn_and_answered_when_we_ask(
    lab: LabRealtime,
) -> None:
    call = await line(lab, None)
    assert (call.session.capabilities.turns, call.session.capabilities.speech_events) == (
        "us",
        False,
    )
    call.speak(tone(300) + silence(300))
    call.session.send(CommitInput("commit_1"))
    committed = await call.until(CallerTurnCommitted)
    assert await call.until(CallerTranscribed) == CallerTranscribed(
        committed.item_id,  # type: ignore[union-attr]
        "hello",
    )
    assert ResponseCreated not in call.kinds(), "a commit is no question"
    call.session.send(CreateResponse("ask_1"))
    await call.until(ResponseFinished)
    assert SpeechStarted not in call.kinds()
    await call.session.close()


async def test_a_commit_of_nothing_is_harmless_and_names_its_request(lab: LabRealtime) -> None:
    call = await line(lab, None)
    call.speak(tone(300))
    call.session.send(ClearInput())
    call.speak(tone(80))
    call.session.send(CommitInput("commit_1"))
    fault = await call.until(ModelFault)
    assert isinstance(fault, ModelFault)
    assert (fault.code, fault.kind, fault.request_id) == (
        "input_audio_buffer_commit_empty",
        "harmless",
        "commit_1",
    )
    assert call.session.stats.unknown == {}
    await call.session.close()


async def test_what_was_cleared_still_counts_on_the_sessions_axis(lab: LabRealtime) -> None:
    call = await line(lab, OURS)
    call.speak(silence(600) + tone(100))
    await call.until(SpeechStarted)
    call.session.send(ClearInput())
    call.speak(silence(500) + tone(100) + silence(600))
    again = await call.until(SpeechStarted)
    stopped = await call.until(SpeechStopped)
    assert isinstance(again, SpeechStarted) and isinstance(stopped, SpeechStopped)
    assert again.audio_start_ms == 600 + 100 + 500 - 300
    assert stopped.audio_end_ms == 600 + 100 + 500 + 100 + 500
    assert call.session.axis_ms == 1900
    assert ResponseCreated not in call.kinds()
    await call.session.close()


async def test_a_turn_of_their_voice_detection_ends_sooner_when_we_commit_it(
    lab: LabRealtime,
) -> None:
    call = await line(lab, OURS)
    call.speak(silence(200) + tone(300))
    started = await call.until(SpeechStarted)
    call.session.send(CommitInput("commit_1"))
    committed = await call.until(CallerTurnCommitted)
    assert committed.item_id == started.item_id  # type: ignore[union-attr]
    await call.session.close()
