"""Invariant: what is handed out as a phrase says the words that were asked for, with sound and
nearly no silence around it, and comes from one response; everything else is a `PhraseFailed` in
bounded time. No way leaves a socket behind.

The model is the lab's over a real socket; where the wire must say something odd, a scripted one.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.realtime.server import LabRealtime
from app.models.openai_connect import Credentials, Limits
from app.models.openai_phrase import (
    MARGIN_MS,
    MAX_PHRASE_BYTES,
    PhraseFailed,
    render_phrase,
    trimmed,
)
from app.models.ports import SessionConfig
from telecodecs import pcm_to_ulaw
from tests.models.openai_server import OpenAIServer, Script, running, say

PHRASE = "One moment, please."
CONFIG = SessionConfig(model="gpt-realtime-2.1", voice="cedar", speed=1.25)
QUICK = Limits(connect_s=5, configure_s=5, close_s=1)
GUARD_S = 20
HEALTHY = Behaviour(think_ms=0, speed=200.0)


def silence(ms: int) -> bytes:
    return b"\xff" * (8 * ms)


def tone(ms: int, amplitude: int = 8000) -> bytes:
    wave = amplitude * np.sin(2 * np.pi * 440 * np.arange(8 * ms) / 8000)
    return pcm_to_ulaw(wave.astype("<i2").tobytes())


WORDS = tone(400) + silence(200) + tone(300)


class Announcer:
    """A model that says these things one after another, then nothing; keeps what it was asked."""

    def __init__(self, *script: Say) -> None:
        self._script = iter(script)
        self.asked: list[tuple[int, str]] = []
        """Turns shown and instructions, of each response beside the conversation."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        raise AssertionError("a phrase must not be part of a conversation")

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        self.asked.append((len(conversation), instructions))
        return [line for line in [next(self._script, None)] if line is not None]


class Nobody:
    """There is nobody to hear, and every line brings its own audio."""

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        raise AssertionError("a phrase's session hears nobody")

    async def say(self, text: str, voice: str) -> bytes:
        raise AssertionError(f"no audio was given for {text!r}")


class Studio:
    """The lab's model with an announcer, for one rendering."""

    def __init__(self, *script: Say, behaviour: Behaviour = HEALTHY) -> None:
        self.brain = Announcer(*script)
        self.lab = LabRealtime(
            api_key="sk-lab",
            brain_factory=lambda: self.brain,
            ear=Nobody(),
            mouth=Nobody(),
            behaviour=behaviour,
        )

    async def render(
        self, text: str = PHRASE, key: str = "sk-lab", timeout_s: float = GUARD_S
    ) -> bytes | PhraseFailed:
        async with self.lab, asyncio.timeout(GUARD_S):
            credentials = Credentials(key, self.lab.base_url)
            result = await render_phrase(
                text, CONFIG, credentials, limits=QUICK, timeout_s=timeout_s
            )
            while any(session.closed_s is None for session in self.lab.sessions):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # a socket left open hangs here, until the guard
        return result


async def scripted(script: Script, text: str = PHRASE, timeout_s: float = GUARD_S) -> Any:
    async with running(OpenAIServer(script=script)) as server, asyncio.timeout(GUARD_S):
        credentials = Credentials("k", server.base_url)
        return await render_phrase(text, CONFIG, credentials, limits=QUICK, timeout_s=timeout_s)


async def test_a_phrase_is_the_models_sound_without_the_silence_around_it() -> None:
    studio = Studio(Say(PHRASE, silence(500) + WORDS + silence(700)))
    result = await studio.render()
    assert isinstance(result, bytes)
    before, words, after = result.partition(WORDS)
    assert words == WORDS
    assert before == after == silence(MARGIN_MS - 10)


async def test_it_is_asked_for_beside_the_conversation_of_a_deaf_session() -> None:
    studio = Studio(Say(PHRASE, WORDS))
    await studio.render()
    (log,) = studio.lab.sessions
    assert log.model == CONFIG.model
    assert log.received_types() == ["session.update", "response.create"]
    session, response = log.received[0].event["session"], log.received[1].event["response"]
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcmu"},
        "voice": "cedar",
        "speed": 1.25,
    }
    assert session["audio"]["input"]["turn_detection"] is None
    assert "transcription" not in session["audio"]["input"]
    assert session["tools"] == []
    assert (response["conversation"], response["input"]) == ("none", [])
    assert response["output_modalities"] == ["audio"]
    ((turns, instructions),) = studio.brain.asked
    assert turns == 0
    assert f'"{PHRASE}"' in instructions
    assert log.errors == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("One moment, please.", "one moment please"),
        ("It’s 24/7 - “really”!", "It's 24 / 7, really."),
        ("Einen Moment, das Café ruft zurück.", "einen moment das cafe\u0301 ruft zuru\u0308ck"),
        ("少々お待ちください。", "少々、お待ちください"),
    ],
)
async def test_case_and_punctuation_of_the_transcript_do_not_matter(text: str, said: str) -> None:
    assert isinstance(await Studio(Say(said, WORDS)).render(text), bytes)


async def test_other_words_are_asked_for_once_more() -> None:
    studio = Studio(Say("Sure! One moment, please.", tone(100)), Say(PHRASE, WORDS))
    assert await studio.render() == WORDS
    assert len(studio.lab.sessions) == 1
    assert len(studio.brain.asked) == 2


@pytest.mark.parametrize("said", ["Sure! One moment, please.", "One moment.", "No.", "..."])
async def test_other_words_twice_are_no_phrase(said: str) -> None:
    studio = Studio(Say(said, WORDS), Say(said, WORDS), Say(PHRASE, WORDS))
    result = await studio.render()
    assert isinstance(result, PhraseFailed)
    assert result.cause == "wrong_words"
    assert said not in result.detail
    assert len(studio.brain.asked) == 2


@pytest.mark.parametrize("audio", [silence(900), tone(900, amplitude=20)])
async def test_silence_alone_is_no_phrase(audio: bytes) -> None:
    studio = Studio(Say(PHRASE, audio), Say(PHRASE, audio))
    result = await studio.render()
    assert isinstance(result, PhraseFailed)
    assert result.cause == "silence"
    assert len(studio.brain.asked) == 2


async def test_a_model_that_says_nothing_at_all_gave_no_phrase() -> None:
    result = await Studio().render()
    assert isinstance(result, PhraseFailed)
    assert result.cause == "wrong_words"


async def test_a_phrase_without_end_is_cut_off() -> None:
    endless = tone(1000) * (MAX_PHRASE_BYTES // 8000 + 2)
    result = await Studio(Say(PHRASE, endless)).render()
    assert isinstance(result, PhraseFailed)
    assert result.cause == "too_long"


async def test_a_refused_key_is_a_failure_that_names_no_key() -> None:
    result = await Studio().render(key="sk-wrong")
    assert result == PhraseFailed("refused", "HTTP 401, invalid_api_key")


async def test_a_vendor_that_is_not_there_is_unreachable() -> None:
    async with Studio().lab as lab:
        gone = lab.base_url
    result = await render_phrase(PHRASE, CONFIG, Credentials("k", gone), limits=QUICK)
    assert isinstance(result, PhraseFailed)
    assert result.cause == "unreachable"


@pytest.mark.parametrize(
    ("stall_ms", "behaviour"),
    [
        (0, replace(HEALTHY, mute=True)),
        (600_000, HEALTHY),
        (0, replace(HEALTHY, connect_delay_ms=1_000)),
    ],
    ids=["before the first sound", "in the middle", "before the upgrade"],
)
async def test_a_model_that_stalls_is_given_up(stall_ms: int, behaviour: Behaviour) -> None:
    line = Say(PHRASE, tone(900), stall_after_ms=300, stall_ms=stall_ms)
    result = await Studio(line, behaviour=behaviour).render(timeout_s=0.5)
    assert isinstance(result, PhraseFailed)
    assert result.cause == "timed_out"


@pytest.mark.parametrize(
    ("behaviour", "cause", "detail"),
    [
        (Behaviour(response_error="server_error"), "response_failed", "server_error"),
        (Behaviour(rate_limited=True), "response_failed", "rate_limit_exceeded"),
        (Behaviour(response_error="insufficient_quota"), "refused", "insufficient_quota"),
        (Behaviour(drop_after_s=0.2, mute=True), "lost", "1006"),
        (Behaviour(session_cap_s=0.2, mute=True), "expired", "expired"),
        (Behaviour(wrong_format=True), "wrong_format", "audio/pcm"),
    ],
)
async def test_every_way_to_fail_has_its_cause(
    behaviour: Behaviour, cause: str, detail: str
) -> None:
    result = await Studio(Say(PHRASE, WORDS), behaviour=behaviour).render()
    assert isinstance(result, PhraseFailed)
    assert result.cause == cause
    assert detail in result.detail


async def test_an_answer_cut_by_its_token_limit_is_no_phrase() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        create = await asked(server, socket)
        await begin(socket, "resp_1", create["response"]["metadata"])
        await utter(socket, "resp_1", PHRASE, WORDS)
        await end(socket, "resp_1", "incomplete", {"reason": "max_output_tokens"})
        await socket.wait_closed()

    result = await scripted(script)
    assert result.cause == "response_failed"
    assert "max_output_tokens" in result.detail


async def test_sound_and_words_of_other_responses_are_left_out() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        create = await asked(server, socket)
        await begin(socket, "resp_other", None)
        await utter(socket, "resp_other", "Hello!", tone(100))
        await begin(socket, "resp_ours", create["response"]["metadata"])
        await utter(socket, "resp_ours", "One moment, ", WORDS[:4000])
        await utter(socket, "resp_other", "I am somebody else.", tone(200))
        await end(socket, "resp_other", "completed")
        await utter(socket, "resp_ours", "please.", WORDS[4000:])
        await end(socket, "resp_ours", "completed")
        await socket.wait_closed()

    assert await scripted(script) == WORDS


async def test_what_is_late_of_the_first_take_is_not_part_of_the_second() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        for response_id, words in (("resp_1", "Wrong."), ("resp_2", PHRASE)):
            create = await asked(server, socket)
            await utter(socket, "resp_1", "Late.", tone(50))
            await begin(socket, response_id, create["response"]["metadata"])
            await utter(socket, response_id, words, WORDS)
            await end(socket, response_id, "completed")
        await socket.wait_closed()

    assert await scripted(script) == WORDS


async def test_an_error_that_answers_the_request_ends_the_wait() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        create = await asked(server, socket)
        other: dict[str, str] = {"code": "invalid_value", "message": "m", "event_id": "another"}
        await say(socket, "error", error=other)
        error = {"code": "unknown_parameter", "message": "m", "event_id": create["event_id"]}
        await say(socket, "error", error=error)
        await socket.wait_closed()

    assert await scripted(script) == PhraseFailed("response_failed", "error unknown_parameter")


async def test_vendors_free_text_does_not_get_into_the_detail() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        create = await asked(server, socket)
        secret = "Incorrect key: sk-very-secret"
        error = {"code": secret, "message": secret, "event_id": create["event_id"]}
        await say(socket, "error", error=error)
        await socket.wait_closed()

    assert await scripted(script) == PhraseFailed("response_failed", "error unnamed")


async def test_a_flood_of_nonsense_ends_the_wait() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        await asked(server, socket)
        for _ in range(30):
            await socket.send("no JSON at all")
        await socket.wait_closed()

    result = await scripted(script)
    assert result.cause == "nonsense"


async def test_the_session_is_closed_politely() -> None:
    codes: list[int | None] = []

    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        create = await asked(server, socket)
        await begin(socket, "resp_1", create["response"]["metadata"])
        await utter(socket, "resp_1", PHRASE, WORDS)
        await end(socket, "resp_1", "completed")
        await socket.wait_closed()
        codes.append(socket.close_code)

    assert await scripted(script) == WORDS
    assert codes == [1000]


async def test_a_server_that_answers_no_close_is_left() -> None:
    left = asyncio.Event()

    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        create = await asked(server, socket)
        await begin(socket, "resp_1", create["response"]["metadata"])
        await utter(socket, "resp_1", PHRASE, WORDS)
        await end(socket, "resp_1", "completed")
        socket.transport.pause_reading()
        await left.wait()
        socket.transport.abort()

    async with running(OpenAIServer(script=script)) as server, asyncio.timeout(GUARD_S):
        limits, credentials = Limits(close_s=0.1), Credentials("k", server.base_url)
        try:
            result = await render_phrase(PHRASE, CONFIG, credentials, limits=limits)
        finally:
            left.set()
    assert result == WORDS


async def test_cancelling_closes_the_socket() -> None:
    listening = asyncio.Event()
    gone = asyncio.Event()

    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        await asked(server, socket)
        listening.set()
        await socket.wait_closed()
        gone.set()

    async with running(OpenAIServer(script=script)) as server, asyncio.timeout(GUARD_S):
        credentials = Credentials("k", server.base_url)
        rendering = asyncio.create_task(render_phrase(PHRASE, CONFIG, credentials))
        await listening.wait()
        rendering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rendering
        await gone.wait()


@pytest.mark.parametrize("text", ["", "  ", "..."])
async def test_a_text_without_words_is_the_callers_fault(text: str) -> None:
    with pytest.raises(ValueError, match="words"):
        await render_phrase(text, CONFIG, Credentials("k", "http://127.0.0.1:9/v1"))


@given(before_ms=st.integers(0, 400), inner_ms=st.integers(0, 400), after_ms=st.integers(0, 400))
def test_trimming_keeps_every_sound_and_the_pauses_between(
    before_ms: int, inner_ms: int, after_ms: int
) -> None:
    words = tone(50) + silence(inner_ms) + tone(50)
    result = trimmed(silence(before_ms) + words + silence(after_ms))
    before, found, after = result.partition(words)
    assert found == words
    for asked_ms, kept in ((before_ms, before), (after_ms, after)):
        assert min(asked_ms, MARGIN_MS - 10) <= len(kept) / 8 <= min(asked_ms, MARGIN_MS)


async def asked(server: OpenAIServer, socket: ServerConnection) -> dict[str, Any]:
    server.keep(await socket.recv())
    create = server.received[-1]
    assert create["type"] == "response.create"
    return create


async def begin(socket: ServerConnection, response_id: str, metadata: object) -> None:
    response = {"id": response_id, "status": "in_progress", "metadata": metadata}
    await say(socket, "response.created", response=response)


async def utter(socket: ServerConnection, response_id: str, words: str, audio: bytes) -> None:
    place = {"response_id": response_id, "item_id": f"item_of_{response_id}", "content_index": 0}
    await say(socket, "response.output_audio_transcript.delta", delta=words, **place)
    delta = base64.b64encode(audio).decode("ascii")
    await say(socket, "response.output_audio.delta", delta=delta, **place)


async def end(
    socket: ServerConnection, response_id: str, status: str, details: object = None
) -> None:
    response = {"id": response_id, "status": status, "status_details": details, "output": []}
    await say(socket, "response.done", response=response)
