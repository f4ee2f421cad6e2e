"""Invariant: what was said before a session reaches it as items that the SDK's types accept, in its
order and under our ids; a summary is asked beside the conversation and changes nothing in it."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.call.commands import RewriteItem, Summarise
from app.call.events import Entry, ModelReady, ResponseFinished, SummaryWritten, TextReceived
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.realtime.server import LabRealtime
from app.lab.speech.coded import coded_audio
from app.models.openai_client_events import encode_command, encode_entry
from app.models.openai_connect import Credentials
from app.models.openai_realtime import OpenAIRealtime, open_session
from app.models.ports import SessionConfig
from tests.models.test_openai_client_events import check

VOICE = coded_audio(1_900, 0, 400, quiet=False)
RUN = Entry("tool", "item_7", call_id="call_1", name="book", arguments='{"n":2}')
DONE = Entry("tool", "item_7", call_id="call_1", name="book", arguments='{"n":2}', output="booked")


def items(entry: Entry, ulaw: bytes = b"") -> list[dict[str, Any]]:
    events = [check(raw) for raw in encode_entry(entry, ulaw)]
    assert {event["type"] for event in events} <= {"conversation.item.create"}
    assert not [event for event in events if "previous_item_id" in event], "they go behind"
    return [event["item"] for event in events]


@pytest.mark.parametrize(
    ("kind", "role", "part"),
    [
        ("caller", "user", "input_text"),
        ("keys", "user", "input_text"),
        ("agent", "assistant", "output_text"),
    ],
)
def test_words_are_a_message_of_whoever_said_them(kind: Any, role: str, part: str) -> None:
    assert items(Entry(kind, "item_1", "Grüß Gott")) == [
        {
            "id": "item_1",
            "type": "message",
            "role": role,
            "content": [{"type": part, "text": "Grüß Gott"}],
        }
    ]


def test_a_turn_without_words_is_told_as_the_callers_voice() -> None:
    (item,) = items(Entry("caller", "item_1", audio_start_ms=0, audio_end_ms=20), b"\x7f" * 160)
    (part,) = item["content"]
    assert (item["role"], part["type"]) == ("user", "input_audio")
    assert base64.b64decode(part["audio"]) == b"\x7f" * 160


def test_known_words_are_told_rather_than_the_voice() -> None:
    (item,) = items(Entry("caller", "item_1", "Hello"), b"\x7f" * 160)
    assert item["content"] == [{"type": "input_text", "text": "Hello"}]


def test_a_turn_without_words_and_voice_is_not_told() -> None:
    assert items(Entry("caller", "item_1")) == []


def test_a_tool_is_its_call_and_its_output_once_it_has_one() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "book", "arguments": '{"n":2}'}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "booked"}
    assert items(RUN) == [{"id": "item_7", **call}]
    assert items(DONE) == [{"id": "item_7", **call}, output]


def test_ids_are_no_longer_than_the_api_allows_and_the_same_wherever_an_item_is_named() -> None:
    long = "item_" + "x" * 60
    (told,) = items(Entry("agent", long, "Hello"))
    events = [check(raw) for raw in encode_command(RewriteItem("r1", long, "new", "agent", "Hel"))]
    named = [event["item_id"] for event in events if event["type"] == "conversation.item.delete"]
    assert len(told["id"]) == 32
    assert named == [told["id"]]


def test_a_summary_is_asked_in_text_beside_the_conversation_and_without_tools() -> None:
    (raw,) = encode_command(Summarise("summary-1", "session", "Sum it up."))
    assert check(raw) == {
        "type": "response.create",
        "event_id": "summary-1",
        "response": {
            "conversation": "none",
            "output_modalities": ["text"],
            "instructions": "Sum it up.",
            "tool_choice": "none",
            "max_output_tokens": 2_000,
            "metadata": {"aside": "summary-1"},
        },
    }


# Against the lab's model


class Brain:
    """Says what the conversation is; a summary is its number of turns."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [CallFunction("hang_up")]

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [Say(f"{instructions} {len(conversation)} turns", b"")]


class Ear:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return "my voice"


class NoMouth:
    async def say(self, text: str, voice: str) -> bytes:
        raise AssertionError("nothing is said aloud here")


@asynccontextmanager
async def in_the_lab() -> AsyncIterator[tuple[OpenAIRealtime, SessionLog]]:
    lab = LabRealtime(api_key="k", brain_factory=Brain, ear=Ear(), mouth=NoMouth())
    async with lab:
        session = await open_session(SessionConfig(), Credentials("k", lab.base_url))
        assert isinstance(session, OpenAIRealtime)
        try:
            assert isinstance((await session.receive()).event, ModelReady)
            yield session, lab.sessions[0]
        finally:
            await session.close()


async def summary(session: OpenAIRealtime) -> SummaryWritten:
    """The next one; nothing else of it may reach a call."""
    session.send(Summarise("summary-1", "session", "Sum it up:"))
    while True:
        event = (await session.receive()).event
        assert not isinstance(event, ResponseFinished | TextReceived)
        if isinstance(event, SummaryWritten):
            return event


async def test_the_model_knows_what_it_was_told_in_its_order() -> None:
    async with in_the_lab() as (session, log):
        session.tell(Entry("caller", "c1", "Two seats."))
        session.tell(DONE)
        session.tell(Entry("agent", "a1", "It is booked [interrupted]"))
        session.tell(Entry("keys", "k1", "The caller pressed these keys: 1"))
        session.tell(Entry("caller", "c2", audio_start_ms=0, audio_end_ms=400), VOICE)
        written = await summary(session)
        assert [(turn.role, turn.text) for turn in log.turns()] == [
            ("user", "Two seats."),
            ("function_call", '{"n":2}'),
            ("function_call_output", "booked"),
            ("assistant", "It is booked [interrupted]"),
            ("user", "The caller pressed these keys: 1"),
            ("user", "my voice"),
        ]
        assert log.errors == []
    assert written.request_id == "summary-1"
    assert written.text == "Sum it up: 6 turns"
    assert written.usage is not None
    assert written.usage.output_text_tokens > 0


async def test_a_rewritten_item_stands_in_its_old_place() -> None:
    async with in_the_lab() as (session, log):
        session.tell(DONE)
        session.tell(Entry("agent", "a1", "one two three"))
        session.tell(Entry("agent", "a2", "four five six"))
        session.tell(Entry("caller", "c1", "Stop."))
        session.send(RewriteItem("r1", "a1", "heard-2-1", "agent", "one two [interrupted]"))
        session.send(RewriteItem("r2", "a2", "heard-2-2", "agent", ""))
        await summary(session)
        assert [turn.text for turn in log.turns()][2:] == ["one two [interrupted]", "Stop."]
        assert log.errors == []


async def test_a_summary_leaves_the_conversation_as_it_is() -> None:
    async with in_the_lab() as (session, log):
        session.tell(Entry("caller", "c1", "Two seats."))
        first, second = await summary(session), await summary(session)
        assert first.text == second.text
        assert [turn.text for turn in log.turns()] == ["Two seats."]
