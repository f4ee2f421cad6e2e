"""Invariant: each client event gets the documented answer, whole and in the documented order."""

import base64
from collections.abc import Mapping
from itertools import groupby

import pytest

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import Say
from tests.lab.realtime.driver import UTTERANCE, ScriptedBrain, World, silence, tone


async def test_a_fresh_session_shows_its_whole_default_configuration(world: World) -> None:
    client = await world.connect()
    session = (await client.next())["session"]
    assert session["id"].startswith("sess_")
    assert session["model"] == "gpt-realtime-2.1"
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    assert session["expires_at"] > 1_700_000_000


async def test_a_spoken_turn_sends_the_documented_events_in_order(world: World) -> None:
    client = await world.session()
    client.events.clear()
    await client.speak(UTTERANCE)
    await client.until("response.done")
    assert [name for name, _ in groupby(client.types()) if "delta" not in name] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]


async def test_every_audio_byte_and_every_word_arrives_once_and_in_order(world: World) -> None:
    audio = bytes(i % 251 for i in range(12345))
    world.brain = ScriptedBrain([Say("One two three, four five.", audio=audio)])
    client = await world.session()
    await client.speak(UTTERANCE)
    done = (await client.until("response.done"))["response"]
    deltas = [e for e in client.events if e["type"] == "response.output_audio.delta"]
    words = [e["delta"] for e in client.events if e["type"].endswith("audio_transcript.delta")]
    item_id = done["output"][0]["id"]
    assert b"".join(base64.b64decode(e["delta"]) for e in deltas) == audio
    assert {e["item_id"] for e in deltas} == {item_id}
    assert "".join(words) == "One two three, four five."
    assert bytes(world.log.items[item_id].audio) == audio


async def test_the_caller_is_kept_byte_for_byte_and_the_utterance_is_heard(world: World) -> None:
    client = await world.session()
    await client.speak(UTTERANCE, piece_bytes=333)
    await client.until("input_audio_buffer.committed")
    await client.until("response.done")
    assert bytes(world.log.caller_audio) == UTTERANCE
    assert world.log.appends[-1].end_byte == len(UTTERANCE)
    stopped = next(e for e in client.events if e["type"].endswith("speech_stopped"))
    assert world.ear.utterances == [UTTERANCE[: stopped["audio_end_ms"] * 8]]


async def test_speech_positions_include_the_padding_and_the_silence(world: World) -> None:
    vad = {"type": "server_vad", "prefix_padding_ms": 100, "silence_duration_ms": 240}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    await client.speak(b"\xff" * 8 * 1000 + UTTERANCE)
    started = await client.until("input_audio_buffer.speech_started")
    stopped = await client.until("input_audio_buffer.speech_stopped")
    assert started["audio_start_ms"] == 900
    assert stopped["audio_end_ms"] == 1640
    assert stopped["item_id"] == started["item_id"]
    assert (await client.until("input_audio_buffer.committed"))["item_id"] == started["item_id"]


async def test_without_create_response_turns_are_committed_but_not_answered(world: World) -> None:
    vad = {"type": "server_vad", "create_response": False}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    await client.speak(UTTERANCE + UTTERANCE)
    for _ in range(2):
        await client.until("input_audio_buffer.committed")
    await client.send("response.create")
    await client.until("response.done")
    assert client.types().count("response.created") == 1
    assert [turn.role for turn in world.brain.shown[0]] == ["user", "user"]


async def test_manual_turns_hear_the_committed_audio_and_wait_to_be_asked(world: World) -> None:
    client = await world.session(audio={"input": {"turn_detection": None}})
    await client.speak(tone(250))
    await client.send("input_audio_buffer.commit")
    committed = await client.until("input_audio_buffer.committed")
    added = await client.until("conversation.item.added")
    assert added["item"]["id"] == committed["item_id"]
    await client.send("response.create")
    await client.until("response.done")
    assert world.ear.utterances == [tone(250)]
    assert "input_audio_buffer.speech_started" not in client.types()


async def test_clearing_the_buffer_forgets_what_was_said(world: World) -> None:
    client = await world.session(audio={"input": {"turn_detection": None}})
    await client.speak(tone(250))
    await client.send("input_audio_buffer.clear")
    await client.until("input_audio_buffer.cleared")
    await client.send("input_audio_buffer.commit", event_id="mine")
    error = (await client.until("error"))["error"]
    assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")


async def test_a_commit_is_transcribed_and_never_answered(world: World) -> None:
    heard = {"turn_detection": None, "transcription": {"model": "gpt-transcribe"}}
    client = await world.session(audio={"input": heard})
    await client.speak(tone(150))
    await client.send("input_audio_buffer.commit")
    committed = await client.until("input_audio_buffer.committed")
    done = await client.until("conversation.item.input_audio_transcription.completed")
    assert (done["item_id"], done["transcript"]) == (committed["item_id"], "hello")
    await client.setup(instructions="no change")
    assert "response.created" not in client.types()


async def test_without_turn_detection_nothing_ends_by_itself(world: World) -> None:
    client = await world.session(audio={"input": {"turn_detection": None}})
    await client.speak(UTTERANCE + UTTERANCE)
    await client.send("input_audio_buffer.commit", event_id="all")
    await client.until("input_audio_buffer.committed")
    await client.send("input_audio_buffer.commit", event_id="again")
    error = (await client.until("error"))["error"]
    assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "again")
    assert not [name for name in client.types() if "speech" in name or "response" in name]
    assert bytes(world.log.conversation.items[0].parts[0].audio) == UTTERANCE + UTTERANCE


async def test_a_clear_forgets_speech_in_progress_but_not_the_time(world: World) -> None:
    client = await world.session()
    await client.speak(silence(1000) + tone(200))
    await client.until("input_audio_buffer.speech_started")
    await client.send("input_audio_buffer.clear")
    await client.until("input_audio_buffer.cleared")
    await client.speak(silence(1000))
    await client.setup(instructions="no change")
    assert "input_audio_buffer.speech_stopped" not in client.types()
    await client.speak(tone(200))
    started = await client.until("input_audio_buffer.speech_started")
    assert started["audio_start_ms"] == 1000 + 200 + 1000 - 300


async def test_a_turn_of_the_caller_can_be_deleted_and_words_put_first(world: World) -> None:
    client = await world.session(audio={"input": {"turn_detection": None}})
    await client.speak(tone(150))
    await client.send("input_audio_buffer.commit")
    item_id = (await client.until("input_audio_buffer.committed"))["item_id"]
    text = [{"type": "input_text", "text": "said before"}]
    first = {"type": "message", "role": "user", "content": text}
    await client.send("conversation.item.create", item=first, previous_item_id="root")
    await client.until("conversation.item.done")
    added = await client.until("conversation.item.added")
    assert added["previous_item_id"] is None
    await client.send("conversation.item.delete", item_id=item_id)
    assert (await client.until("conversation.item.deleted"))["item_id"] == item_id
    await client.send("response.create")
    await client.until("response.done")
    assert [turn.text for turn in world.brain.shown[0]] == ["said before"]


async def test_transcription_reports_what_the_ear_heard_even_after_the_answer(
    world: World,
) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=1000.0, transcription_delay_ms=1000)
    client = await world.session(audio={"input": {"transcription": {"model": "whisper-1"}}})
    await client.speak(UTTERANCE)
    completed = await client.until("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "hello"
    assert completed["usage"] == {"type": "duration", "seconds": 0.9}
    assert "response.done" in client.types()


async def test_speech_outside_the_grammar_is_a_turn_that_was_not_understood(world: World) -> None:
    world.ear.script = [None]
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.done")
    turn = world.brain.shown[0][-1]
    assert (turn.role, turn.text, turn.understood) == ("user", "", False)
    assert world.ear.hints == [("yes | no",)]


async def test_items_are_created_where_asked_read_back_and_deleted(world: World) -> None:
    client = await world.session()

    async def create(item_id: str, text: str, **where: str) -> dict[str, object]:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "id": item_id, "content": content}
        await client.send("conversation.item.create", item=item, **where)
        await client.until("conversation.item.added")
        return await client.until("conversation.item.done")

    assert (await create("a", "first"))["previous_item_id"] is None
    assert (await create("b", "last"))["previous_item_id"] == "a"
    assert (await create("c", "middle", previous_item_id="a"))["previous_item_id"] == "a"
    assert (await create("d", "front", previous_item_id="root"))["previous_item_id"] is None
    await client.send("conversation.item.delete", item_id="c")
    await client.until("conversation.item.deleted")
    await client.send("conversation.item.retrieve", item_id="b")
    retrieved = await client.until("conversation.item.retrieved")
    assert retrieved["item"]["content"] == [{"type": "input_text", "text": "last"}]
    await client.send("response.create")
    await client.until("response.done")
    assert [turn.text for turn in world.brain.shown[0]] == ["front", "first", "last"]


def created(
    content: Mapping[str, object], role: str = "user", **fields: object
) -> dict[str, object]:
    return {"type": "message", "role": role, "content": [content], **fields}


@pytest.mark.parametrize("transcribes", [True, False])
async def test_audio_in_an_item_that_the_client_made_is_heard(
    world: World, transcribes: bool
) -> None:
    world.behaviour = Behaviour(think_ms=0, transcribes_created_items=transcribes)
    client = await world.session(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    audio = base64.b64encode(tone(500)).decode()
    await client.send(
        "conversation.item.create",
        item=created({"type": "input_audio", "audio": audio}, id="replayed"),
    )
    await client.until("conversation.item.done")
    await client.send("response.create")
    await client.until("response.done")
    assert world.ear.utterances == [tone(500)]
    assert [(turn.role, turn.text) for turn in world.brain.shown[0]] == [("user", "hello")]
    done = [e for e in client.events if e["type"].endswith("transcription.completed")]
    assert [e["item_id"] for e in done] == (["replayed"] if transcribes else [])
    assert "user: hello" in world.log.context()


async def test_audio_beside_a_text_in_one_item_is_heard_too(world: World) -> None:
    client = await world.session(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    audio = base64.b64encode(tone(500)).decode()
    parts = [{"type": "input_text", "text": "Then"}, {"type": "input_audio", "audio": audio}]
    item = {"type": "message", "role": "user", "content": parts}
    await client.send("conversation.item.create", item=item)
    done = await client.until("conversation.item.input_audio_transcription.completed")
    assert (done["content_index"], done["transcript"]) == (1, "hello")
    assert world.log.turns()[0].text == "Then hello"


async def test_a_seeded_conversation_is_the_models_memory_and_can_be_taken_back(
    world: World,
) -> None:
    client = await world.session(instructions="The caller is Ada.")
    items: list[dict[str, object]] = [
        created({"type": "input_text", "text": "a table for four"}, id="u1"),
        created(
            {"type": "output_text", "text": "At what [interrupted]"}, role="assistant", id="a1"
        ),
        {"type": "function_call", "id": "f1", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "id": "o1", "call_id": "call_1", "output": "4071"},
    ]
    for item in items:
        await client.send("conversation.item.create", item=item)
        await client.until("conversation.item.done")
    assert world.log.context().splitlines() == [
        "The caller is Ada.",
        "user: a table for four",
        "assistant: At what [interrupted]",
        "function_call: f {}",
        "function_call_output: 4071",
    ]
    for item_id in ("u1", "a1", "f1", "o1"):
        await client.send("conversation.item.delete", item_id=item_id)
        assert (await client.until("conversation.item.deleted"))["item_id"] == item_id
    assert world.log.context() == "The caller is Ada."


async def test_words_that_the_client_wrote_for_the_model_cannot_be_truncated(world: World) -> None:
    client = await world.session()
    text = {"type": "output_text", "text": "As I said."}
    await client.send("conversation.item.create", item=created(text, role="assistant", id="a1"))
    await client.until("conversation.item.done")
    await client.send("conversation.item.truncate", item_id="a1", content_index=0, audio_end_ms=0)
    error = (await client.until("error"))["error"]
    assert error["message"] == "Only model output audio messages can be truncated"
    assert "As I said." in world.log.context()


LONG = "x" * 33
TEXT = {"type": "input_text", "text": "hello"}


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (created(TEXT, id=LONG), "item.id"),
        ({"type": "function_call", "call_id": LONG, "name": "f", "arguments": ""}, "item.call_id"),
        ({"type": "function_call_output", "call_id": LONG, "output": ""}, "item.call_id"),
    ],
)
async def test_ids_have_at_most_32_characters(
    world: World, item: dict[str, object], param: str
) -> None:
    client = await world.session()
    await client.send("conversation.item.create", item=item)
    error = (await client.until("error"))["error"]
    assert (error["code"], error["param"]) == ("string_above_max_length", param)
    await client.send("conversation.item.create", item=created(TEXT, id=LONG[:32]))
    await client.until("conversation.item.done")
    await client.send("conversation.item.create", item=created(TEXT, id=LONG[:32]))
    assert (await client.until("error"))["error"]["code"] == "item_create_duplicate_item_id"


async def test_half_a_sample_in_an_item_is_refused(world: World) -> None:
    client = await world.connect()
    audio = base64.b64encode(bytes(4801)).decode()
    await client.send(
        "conversation.item.create", item=created({"type": "input_audio", "audio": audio})
    )
    assert (await client.until("error"))["error"]["code"] == "invalid_value"


async def test_retrieving_a_spoken_item_brings_its_audio(world: World) -> None:
    client = await world.session()
    await client.speak(UTTERANCE)
    item_id = (await client.until("response.done"))["response"]["output"][0]["id"]
    await client.send("conversation.item.retrieve", item_id=item_id)
    content = (await client.until("conversation.item.retrieved"))["item"]["content"][0]
    assert base64.b64decode(content["audio"]) == bytes(world.log.items[item_id].audio)


async def test_a_change_to_the_session_touches_only_what_it_names(world: World) -> None:
    client = await world.session(instructions="Be kind.")
    await client.send("session.update", session={"type": "realtime", "tool_choice": "none"})
    session = (await client.until("session.updated"))["session"]
    assert (session["instructions"], session["tool_choice"]) == ("Be kind.", "none")
    assert session["audio"]["output"]["format"] == {"type": "audio/pcmu"}


async def test_the_voice_is_locked_once_the_model_has_spoken(world: World) -> None:
    client = await world.session(audio={"output": {"voice": "cedar"}})
    await client.speak(UTTERANCE)
    await client.until("response.done")
    voice = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
    await client.send("session.update", session=voice)
    error = (await client.until("error"))["error"]
    assert (error["code"], error["param"]) == ("cannot_update_voice", "session.audio.output.voice")
    assert world.mouth.said[0][1] == "cedar"
    await client.setup(audio={"output": {"voice": "cedar"}})


REFUSED = [
    ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
    (
        {"type": "session.update", "session": {"type": "realtime", "modalities": ["text"]}},
        "unknown_parameter",
        "session.modalities",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "model": "gpt-realtime"}},
        "invalid_value",
        "session.model",
    ),
    (
        {
            "type": "session.update",
            "session": {"type": "realtime", "audio": {"input": {"format": {"type": "g711_ulaw"}}}},
        },
        "invalid_value",
        "session.audio.input.format.type",
    ),
    ({"type": "session.talk"}, "invalid_value", "type"),
    ({"event_id": "x"}, "missing_required_parameter", "type"),
    ({"type": "input_audio_buffer.append", "audio": "not base64!"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": 5}, "invalid_type", "audio"),
    ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
    ({"type": "conversation.item.delete", "item_id": "x"}, "item_delete_invalid_item_id", "*"),
    ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_retrieve_invalid_item_id", "*"),
    (
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "x", "output": "1"},
        },
        "item_create_invalid_tool_call_id",
        "*",
    ),
    (
        {
            "type": "conversation.item.create",
            "item": {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_audio", "audio": ""}],
            },
        },
        "invalid_value",
        "item.content[0].type",
    ),
    ({"type": "response.cancel"}, "response_cancel_not_active", None),
    ({"type": "response.create", "response": {"voice": "x"}}, "unknown_parameter", "*"),
]


@pytest.mark.parametrize(("event", "code", "param"), REFUSED)
async def test_what_a_client_does_wrong_is_an_error_and_the_session_goes_on(
    world: World, event: dict[str, object], code: str, param: str | None
) -> None:
    client = await world.session()
    await client.send_json({"event_id": "client-1", **event})
    error = (await client.until("error"))["error"]
    assert error["code"] == code
    assert param == "*" or error["param"] == param
    assert error["event_id"] == event.get("event_id", "client-1")
    assert world.log.errors[-1].code == code
    await client.setup()


async def test_text_that_is_no_json_is_an_error_and_the_session_goes_on(world: World) -> None:
    client = await world.session()
    for message in ("{", "[1]", '"type"'):
        await client.socket.send(message)
        assert (await client.until("error"))["error"]["code"] == "invalid_json"
    await client.setup()


async def test_the_log_keeps_every_client_event_but_the_appends_in_order(world: World) -> None:
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.done")
    await client.send("conversation.item.frobnicate")
    await client.until("error")
    assert world.log.received_types() == ["session.update", "conversation.item.frobnicate"]
    assert [event["type"] for event in world.log.events()] == client.types()
