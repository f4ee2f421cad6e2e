"""Invariant: what the caller does with their voice shows in the conversation at once."""

import asyncio
import base64
from collections.abc import Sequence

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


async def weighed(world: World, client: RawClient, count: int) -> None:
    """Until the ear was asked `count` times and the session has its answers."""
    async with asyncio.timeout(60):
        while len(world.ear.utterances) < count:  # noqa: ASYNC110 - it is the server's state
            await asyncio.sleep(0.005)
    await client.send("conversation.item.retrieve", item_id="nowhere")
    while (await client.next())["type"] != "error":
        pass


@pytest.mark.parametrize(
    ("eagerness", "words", "wait_ms"),
    [
        ("high", "a table for two", 360),
        ("auto", "a table for two", 600),
        ("high", "a table for", 2000),
        ("medium", "a table for", 4000),
        ("auto", "a table for", 4000),
        ("low", "a table for", 8000),
        ("high", None, 1180),
    ],
)
async def test_semantic_vad_waits_longer_when_the_words_sound_unfinished(
    world: World, eagerness: str, words: str | None, wait_ms: int
) -> None:
    world.ear = ScriptedEar(words)
    vad = {"type": "semantic_vad", "eagerness": eagerness}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    await client.speak(tone(400) + silence(300))
    await weighed(world, client, 1)
    await client.speak(silence(9000), piece_bytes=8000)
    stopped = await client.until("input_audio_buffer.speech_stopped")
    assert stopped["audio_end_ms"] == 400 + wait_ms
    await client.until("response.done")


async def test_semantic_vad_lets_a_caller_hesitate_where_a_silence_would_cut_them_off(
    world: World,
) -> None:
    hesitation = tone(400) + silence(300), silence(1500) + tone(400) + silence(300), silence(700)
    world.ear = ScriptedEar("a table for", "a table for two", "a table for two")
    client = await world.session(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    for number, piece in enumerate(hesitation[:2], 1):
        await client.speak(piece)
        await weighed(world, client, number)
    await client.speak(hesitation[2])
    await client.until("response.done")
    assert client.types().count("input_audio_buffer.speech_started") == 1
    assert len(world.ear.utterances[0]) < len(world.ear.utterances[1])
    assert [turn.text for turn in world.brain.shown[0]] == ["a table for two"]


async def test_semantic_vad_asks_an_ear_for_words_that_break_off_if_it_can_hear_them(
    world: World,
) -> None:
    class Partial(ScriptedEar):
        async def so_far(self, utterance: bytes, hints: Sequence[str]) -> str | None:
            await super().hear(utterance, hints)
            return "yes"

    world.ear = Partial(None, "yes please")
    client = await world.session(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    await client.speak(tone(400) + silence(300))
    await weighed(world, client, 1)
    await client.speak(silence(400))
    assert (await client.until("input_audio_buffer.speech_stopped"))["audio_end_ms"] == 1000
    await client.until("response.done")
    assert world.brain.shown[0][-1].text == "yes please"


async def test_semantic_vad_awaits_the_rest_of_a_number_that_it_asked_for(world: World) -> None:
    """The same three digits end the turn, or not, by what was asked."""
    world.ear = ScriptedEar("hello", "four oh seven", "four oh seven")
    world.brain = ScriptedBrain([Say("Your three-digit code?", audio=bytes(80))])
    vad = {"type": "semantic_vad", "eagerness": "high"}
    client = await world.session(audio={"input": {"turn_detection": None}})
    await client.speak(tone(200))
    await client.send("input_audio_buffer.commit")
    await client.send("response.create")
    await client.until("response.done")
    await client.setup(audio={"input": {"turn_detection": vad}})
    await client.speak(tone(400) + silence(300))
    await weighed(world, client, 2)
    await client.speak(silence(100))
    assert (await client.until("input_audio_buffer.speech_stopped"))["audio_end_ms"] == 960


async def test_speech_is_noticed_late_with_its_true_position(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=4.0, speech_started_delay_ms=200)
    world.brain = ScriptedBrain([Say(LONG)])
    client = await world.session()
    await client.send("response.create")
    await client.until("response.output_audio.delta")
    await client.speak(silence(400) + tone(240))
    await client.setup(instructions="no change")
    assert "input_audio_buffer.speech_started" not in client.types()
    await client.speak(tone(20))
    assert (await client.until("input_audio_buffer.speech_started"))["audio_start_ms"] == 100
    assert (await client.until("response.done"))["response"]["status"] == "cancelled"


async def test_noise_is_taken_for_speech_when_the_ear_is_set_so(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=100.0, vad_half_dbfs=-5.0)
    client = await world.session()
    await client.speak(tone(400))
    await client.setup(instructions="no change")
    assert "input_audio_buffer.speech_started" not in client.types()
    world.lab.behaviour = Behaviour(think_ms=0, vad_half_dbfs=-20.0)  # type: ignore[union-attr]
    client = await world.session()
    await client.speak(tone(400))
    await client.until("input_audio_buffer.speech_started")


@pytest.mark.parametrize("kind", ["server_vad", "semantic_vad"])
async def test_with_both_switches_off_the_speech_events_still_come_and_nothing_else(
    world: World, kind: str
) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=4.0)
    world.brain = ScriptedBrain([Say(LONG)])
    vad = {"type": kind, "create_response": False, "interrupt_response": False}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    await client.send("response.create")
    await client.until("response.output_audio.delta")
    await client.speak(UTTERANCE + silence(4000))
    for name in ("speech_started", "speech_stopped", "committed"):
        await client.until(f"input_audio_buffer.{name}")
    done = await client.until("response.done")
    assert done["response"]["status"] == "completed", "the caller interrupts nothing"
    assert client.types().count("response.created") == 1, "the turn is not answered"
    assert "error" not in client.types()


async def test_a_caller_silent_for_long_is_answered_although_turns_are_not(world: World) -> None:
    """`create_response` is about turns that end; the idle timeout makes a response of its own."""
    vad = {"type": "server_vad", "idle_timeout_ms": 50, "create_response": False}
    client = await world.session(audio={"input": {"turn_detection": vad}})
    world.brain.script = [[Say("Hello?", audio=bytes(8))]]
    await client.send("response.create")
    await client.until("response.done")
    await client.until("input_audio_buffer.timeout_triggered")
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
