"""Invariant: an answer waits for what was said before it, and an ear that breaks stops nothing."""

from collections.abc import Sequence

from app.lab.realtime.behaviour import Behaviour
from tests.lab.realtime.driver import UTTERANCE, ScriptedEar, World


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
