"""What the load's model says is a turn of the GA protocol that our own adapter understands, its
audio goes on without a gap from answer to answer, and every id is its own."""

import base64
import json
from typing import Any

from app.call.events import (
    AudioReceived,
    ItemAdded,
    RateLimits,
    ResponseCreated,
    ResponseFinished,
    TextReceived,
)
from app.models.openai_server_events import Decoder
from app.models.ports import SessionStats
from bench.load_answers import ANSWER_BYTES, ASKED_BYTES, CYCLE_STEPS, Answers
from bench.load_call import BotVoice, Samples


def spoken(steps: int, phase: int = 0) -> tuple[BotVoice, list[list[bytes]]]:
    voice = BotVoice(2, Samples())
    answers = Answers("sess_1", voice, phase)
    return voice, [answers.step(n * 0.04) for n in range(steps)]


def events(steps: list[list[bytes]]) -> list[dict[str, Any]]:
    return [json.loads(message) for messages in steps for message in messages]


def test_an_answer_comes_once_in_a_cycle_at_its_phase() -> None:
    _, steps = spoken(3 * CYCLE_STEPS, phase=100)
    begun = [n for n, messages in enumerate(steps) if b'"response.created"' in b"".join(messages)]
    assert begun == [CYCLE_STEPS - 101 + n * CYCLE_STEPS for n in range(3)]


def test_the_answers_are_all_said_and_their_audio_goes_on_byte_by_byte() -> None:
    voice, steps = spoken(5 * CYCLE_STEPS - 2)
    deltas = [e["delta"] for e in events(steps) if e["type"] == "response.output_audio.delta"]
    said = b"".join(base64.b64decode(delta) for delta in deltas)
    voice.heard(said, 0.0, dry_at_s=0)
    assert len(said) == sum(ANSWER_BYTES)
    assert voice.missing_bytes == 0
    assert voice.reader.lost == voice.reader.foreign == voice.reader.repeated == 0


def test_some_answers_end_within_a_frame_and_some_do_not() -> None:
    assert {n_bytes % 160 == 0 for n_bytes in ANSWER_BYTES} == {True, False}


def test_ids_are_unique_and_within_an_answer_the_same() -> None:
    _, steps = spoken(2 * CYCLE_STEPS + 30)
    seen = events(steps)
    ids = [event["event_id"] for event in seen]
    assert len(set(ids)) == len(ids)
    created = [e["response"]["id"] for e in seen if e["type"] == "response.created"]
    done = [e["response"]["id"] for e in seen if e["type"] == "response.done"]
    of_audio = {e["response_id"] for e in seen if e["type"] == "response.output_audio.delta"}
    assert created == done
    assert set(created) == of_audio
    assert len(created) == 2


def test_our_adapter_reads_the_turn_without_a_remainder() -> None:
    _, steps = spoken(CYCLE_STEPS + 30)
    stats = SessionStats()
    decoder = Decoder(stats)
    decoded = [decoder.decode(m, 0) for messages in steps for m in messages]
    kinds = [type(incoming.event) for incoming in decoded if incoming is not None]
    assert (stats.nonsense, stats.unknown) == (0, {})
    assert kinds[:2] == [ResponseCreated, ItemAdded]
    assert kinds[2:-2] == [TextReceived, AudioReceived] * 15
    assert kinds[-2:] == [ResponseFinished, RateLimits]


def test_an_answer_that_was_asked_for_names_the_request() -> None:
    voice = BotVoice(2, Samples())
    answers = Answers("sess_1", voice, 0)
    answers.ask(b'{"request_id":"create-1"}', 0.0)
    assert answers.busy
    steps = [answers.step(0.0) for _ in range(5)]
    assert not answers.busy
    seen = events(steps)
    assert seen[0]["response"]["metadata"] == {"request_id": "create-1"}
    assert seen[-2]["response"]["status"] == "completed"
    assert voice.sent == ASKED_BYTES


def test_a_silenced_model_ends_its_sentence_and_begins_no_other() -> None:
    voice = BotVoice(2, Samples())
    answers = Answers("sess_1", voice, CYCLE_STEPS - 1)
    answers.step(0.0)
    answers.silence()
    for _ in range(3 * CYCLE_STEPS):
        answers.step(0.0)
    assert voice.sent == ANSWER_BYTES[0]
    assert not answers.busy
