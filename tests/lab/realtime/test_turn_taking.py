"""Invariant: what the caller does with their voice shows in the conversation at once."""

import asyncio
import base64

import pytest

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import Say
from tests.lab.realtime.driver import (
    UTTERANCE,
    RawClient,
    ScriptedBrain,
    ScriptedEar,
    World,
    silence,
    tone,
)

LONG = "A very long answer that nobody wants to hear to its end. " * 3


async def answering(world: World, late_deltas: int = 0, **vad: object) -> RawClient:
    """A session in which the model is in the middle of a long answer."""
    world.behaviour = Behaviour(think_ms=0, speed=4.0, late_deltas=late_deltas)
    world.brain = ScriptedBrain([Say(LONG)])
    turn_detection = {"type": "server_vad", **vad}
    client = await world.session(audio={"input": {"turn_detection": turn_detection}})
    await client.speak(UTTERANCE)
    await client.until("response.output_audio.delta")
    return client


async def test_a_caller_who_speaks_cancels_the_answer_in_mid_burst(world: World) -> None:
    client = await answering(world)
    await client.speak(tone(200))
    await client.until("input_audio_buffer.speech_started")
    done = await client.until("response.done")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    started = client.types().index("input_audio_buffer.speech_started", 5)
    after = [name for name in client.types()[started:] if name.endswith(".delta")]
    assert after == [], "nothing of a cancelled answer may follow speech_started"


async def test_pieces_on_their_way_still_arrive_after_the_interruption(world: World) -> None:
    client = await answering(world, late_deltas=2)
    await client.speak(tone(200))
    done = (await client.until("response.done"))["response"]
    started = client.types().index("input_audio_buffer.speech_started", 5)
    assert client.types()[started:].count("response.output_audio.delta") == 2
    deltas = [e["delta"] for e in client.events if e["type"] == "response.output_audio.delta"]
    item = world.log.items[done["output"][0]["id"]]
    assert b"".join(map(base64.b64decode, deltas)) == bytes(item.audio)


async def test_a_truncation_cuts_the_memory_at_the_millisecond(world: World) -> None:
    client = await answering(world)
    await client.speak(tone(200))
    done = (await client.until("response.done"))["response"]
    item_id = done["output"][0]["id"]
    await client.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=77
    )
    truncated = await client.until("conversation.item.truncated")
    assert (truncated["item_id"], truncated["audio_end_ms"]) == (item_id, 77)
    await client.send("conversation.item.retrieve", item_id=item_id)
    content = (await client.until("conversation.item.retrieved"))["item"]["content"][0]
    assert content["transcript"] is None
    assert len(content["audio"]) == -(-77 * 8 // 3) * 4
    assert world.log.items[item_id].truncated_ms == 77
    assert world.log.items[item_id].audio_ms > 77
    await client.speak(silence(600))
    await client.until("response.done")
    assert [(t.role, t.text) for t in world.brain.shown[1]] == [
        ("user", "hello"),
        ("assistant", ""),
        ("user", "hello"),
    ]


async def test_truncations_beyond_the_audio_are_refused_with_the_known_words(world: World) -> None:
    client = await answering(world)
    await client.send("response.cancel")
    item = (await client.until("response.done"))["response"]["output"][0]
    length_ms = world.log.items[item["id"]].audio_ms
    too_far = {"item_id": item["id"], "content_index": 0, "audio_end_ms": length_ms + 1}
    await client.send("conversation.item.truncate", event_id="cut", **too_far)
    error = (await client.until("error"))["error"]
    assert error["code"] == "invalid_value"
    assert error["message"] == (
        f"Audio content of {length_ms}ms is already shorter than {length_ms + 1}ms"
    )
    assert error["event_id"] == "cut"
    await client.send("conversation.item.truncate", **{**too_far, "audio_end_ms": length_ms})
    await client.until("conversation.item.truncated")
    assert [cut.accepted for cut in world.log.truncations] == [False, True]


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ("unknown", "item_truncate_invalid_item_id"),
        ("user", "unsupported_content_type"),
        ("silent", "unsupported_content_type"),
    ],
)
async def test_only_an_answer_with_audio_can_be_truncated(
    world: World, which: str, code: str
) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=4.0)
    world.brain = ScriptedBrain([Say("Wait", audio=bytes(80), stall_after_ms=0, stall_ms=60_000)])
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.content_part.added")
    added = [e["item"] for e in client.events if e["type"] == "conversation.item.added"]
    item_id = {"unknown": "item_x", "user": added[0]["id"], "silent": added[1]["id"]}[which]
    await client.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0
    )
    error = (await client.until("error"))["error"]
    assert error["code"] == code
    await client.send("conversation.item.delete", item_id=added[1]["id"])
    await client.until("conversation.item.deleted")


async def test_an_item_that_was_cut_grows_no_more_although_its_answer_goes_on(
    world: World,
) -> None:
    client = await answering(world, interrupt_response=False)
    item_id = next(iter(world.log.items))
    await client.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=10
    )
    await client.until("conversation.item.truncated")
    await client.until("response.output_audio.delta")
    await client.send("conversation.item.retrieve", item_id=item_id)
    content = (await client.until("conversation.item.retrieved"))["item"]["content"][0]
    assert len(content["audio"]) == -(-80 // 3) * 4


async def test_without_interrupt_response_the_answer_goes_on_and_the_next_fails(
    world: World,
) -> None:
    client = await answering(world, interrupt_response=False, silence_duration_ms=100)
    await client.speak(UTTERANCE)
    await client.until("input_audio_buffer.committed")
    error = (await client.until("error"))["error"]
    assert error["code"] == "conversation_already_has_active_response"
    assert (await client.until("response.done"))["response"]["status"] == "completed"


async def test_an_interruption_before_the_answer_began_leaves_it_empty(world: World) -> None:
    world.ear = ScriptedEar(delay_s=60.0)
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.created")
    await client.speak(tone(200))
    done = (await client.until("response.done"))["response"]
    assert (done["status"], done["output"]) == ("cancelled", [])


async def test_an_idle_caller_is_committed_as_silence_and_answered(world: World) -> None:
    vad = {"type": "server_vad", "idle_timeout_ms": 1000}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    world.brain.script = [[Say("Hello?", audio=bytes(8 * 20))]]
    await client.send("response.create")
    await client.until("response.done")
    await client.speak(silence(200))
    timeout = await client.until("input_audio_buffer.timeout_triggered")
    assert 0 <= timeout["audio_start_ms"] <= timeout["audio_end_ms"] == 200
    committed = await client.until("input_audio_buffer.committed")
    assert committed["item_id"] == timeout["item_id"]
    await client.until("response.done")
    turn = world.brain.shown[1][-1]
    assert (turn.role, turn.text, turn.understood) == ("user", "", True)
    assert world.ear.utterances == []


async def test_speech_keeps_the_idle_timeout_from_firing(world: World) -> None:
    vad = {"type": "server_vad", "idle_timeout_ms": 600}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    world.brain.script = [[Say("Hello?", audio=bytes(8))]]
    await client.send("response.create")
    await client.until("response.done")
    await client.speak(tone(200))
    await asyncio.sleep(0.9)
    await client.setup(instructions="still here")
    assert "input_audio_buffer.timeout_triggered" not in client.types()


async def test_semantic_vad_takes_turns_too(world: World) -> None:
    vad = {"type": "semantic_vad", "eagerness": "high"}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    await client.speak(UTTERANCE)
    assert (await client.until("input_audio_buffer.speech_stopped"))["audio_end_ms"] == 760
    await client.until("response.done")


@pytest.mark.parametrize("name", ["audio/pcma", "audio/pcm"])
async def test_the_other_formats_are_heard_and_spoken_too(world: World, name: str) -> None:
    client = await world.connect()
    spoken = {"type": name} | ({"rate": 24000} if name == "audio/pcm" else {})
    await client.setup(audio={"input": {"format": spoken}, "output": {"format": spoken}})
    factor = 6 if name == "audio/pcm" else 1
    quiet = b"\x00" if factor > 1 else b"\xd5"
    loud = b"\x00\x20\x00\xe0" * 2400 if factor > 1 else b"\x2a\xaa" * 1600
    await client.speak(loud + quiet * (8000 * factor), piece_bytes=160 * factor)
    await client.until("input_audio_buffer.speech_stopped")
    done = (await client.until("response.done"))["response"]
    item = world.log.items[done["output"][0]["id"]]
    assert len(item.audio) == factor * 8 * 60 * len("Nothing more to say.")
    assert len(world.ear.utterances[0]) > 3000
