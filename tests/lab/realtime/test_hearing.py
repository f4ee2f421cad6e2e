"""Invariant: an answer waits for what was said before it, and an ear that breaks stops nothing."""

from collections.abc import Sequence

from app.lab.realtime.behaviour import Behaviour
from tests.lab.realtime.driver import UTTERANCE, ScriptedEar, World, silence, tone


async def test_a_slow_ear_is_waited_for(world: World) -> None:
    world.ear = ScriptedEar("what was said", delay_s=0.3)
    world.behaviour = Behaviour(think_ms=0, speed=100.0)
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.done")
    assert [turn.text for turn in world.brain.shown[0]] == ["what was said"]


async def test_an_ear_that_breaks_is_speech_not_understood(world: World) -> None:
    class Broken(ScriptedEar):
        async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
            raise OSError("scripted")

    world.ear = Broken()
    client = await world.session(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    await client.speak(UTTERANCE)
    await client.until("response.done")
    assert world.brain.shown[0][0].understood is False
    assert world.log.notes == ["the ear raised an exception"]
    completed = next(e for e in client.events if e["type"].endswith("transcription.completed"))
    assert completed["transcript"] == ""


async def test_transcripts_are_shown_only_on_request(world: World) -> None:
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.done")
    assert not any("transcription" in name for name in client.types())
    item_id = next(e["item_id"] for e in client.events if e["type"].endswith("committed"))
    await client.send("conversation.item.retrieve", item_id=item_id)
    content = (await client.until("conversation.item.retrieved"))["item"]["content"][0]
    assert (content["type"], content["transcript"]) == ("input_audio", None)


async def test_transcripts_come_later_by_an_amount_of_their_own(world: World) -> None:
    """With jitter a transcript can overtake the one before it."""
    sessions = []
    for _ in range(2):
        world.behaviour = Behaviour(think_ms=0, seed=3, transcription_jitter_ms=400)
        no_turns = {"turn_detection": None, "transcription": {"model": "gpt-transcribe"}}
        client = await world.session(audio={"input": no_turns})
        for _ in range(6):
            await client.speak(tone(120))
            await client.send("input_audio_buffer.commit")
        ended = "conversation.item.input_audio_transcription.completed"
        for _ in range(6):
            await client.until(ended)
        committed = [e["item_id"] for e in client.events if e["type"].endswith("committed")]
        order = [committed.index(e["item_id"]) for e in client.events if e["type"] == ended]
        sessions.append(order)
        assert sorted(order) == list(range(6))
    assert sessions[0] != list(range(6))


async def test_words_that_break_off_are_heard_by_an_ear_that_may_fail(world: World) -> None:
    class Broken(ScriptedEar):
        async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
            raise OSError("scripted")

    world.ear = Broken()
    client = await world.session(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    await client.speak(UTTERANCE + silence(4000))
    await client.until("response.done")
    assert set(world.log.notes) == {"the ear raised an exception"}
