"""Invariant: what was asked for is spoken as telephone audio, once, by a process of its own."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator

import pytest

from app.lab.realtime.ports import Mouth
from app.lab.speech.engines import Engine
from app.lab.speech.faults import ChildCrashedError, TextError
from app.lab.speech.mouth import MAX_TEXT_CHARS, OfflineMouth
from app.lab.speech.script import load_dialog
from telecodecs import ulaw_dbfs


@pytest.fixture
async def mouth() -> AsyncIterator[OfflineMouth]:
    async with OfflineMouth(Engine("espeak-library")) as mouth:
        yield mouth


def program(name: str) -> Engine:
    path = shutil.which(name)
    if path is None and os.environ.get("CI") != "true":
        pytest.skip(f"needs the program {name} (Debian package: {name})")
    assert path is not None, f"CI must have the program {name}"
    return Engine("espeak-binary" if name == "espeak-ng" else "flite-binary", path)


async def test_speech_has_the_length_and_level_of_speech(mouth: OfflineMouth) -> None:
    as_port: Mouth = mouth
    audio = await as_port.say("What are your opening hours today?", "marin")
    assert 1_000 < len(audio) / 8 < 4_000
    assert -30 < ulaw_dbfs(audio) < -10


async def test_a_longer_text_takes_longer_and_voices_differ(mouth: OfflineMouth) -> None:
    short = await mouth.say("Hello.", "marin")
    assert len(await mouth.say("Hello, this is Harbour Table.", "marin")) > len(short)
    assert await mouth.say("Hello.", "cedar") != short


async def test_the_demos_long_answer_lasts_long_enough_to_interrupt(mouth: OfflineMouth) -> None:
    hours = next(rule for rule in load_dialog().rules if rule.name == "hours")
    audio = await mouth.say(hours.say[0], "marin")
    assert 10_000 <= len(audio) / 8 <= 15_000


async def test_the_same_words_are_spoken_once(mouth: OfflineMouth) -> None:
    first, again = await asyncio.gather(mouth.say("Hello.", "ash"), mouth.say("Hello.", "ash"))
    assert first is again
    assert await mouth.say("Hello.", "ash") is first


@pytest.mark.parametrize("text", ["", "  ", "...", "?!"])
async def test_a_text_without_words_is_silence_of_no_length(mouth: OfflineMouth, text: str) -> None:
    assert await mouth.say(text, "marin") == b""


@pytest.mark.parametrize(
    "text", ["-h", "<b>bold", "Über 5 €, naïve", "a\nb", "{x} $(y) 'z'", "x\0y"]
)
async def test_odd_texts_are_spoken(mouth: OfflineMouth, text: str) -> None:
    assert len(await mouth.say(text, "marin")) > 800


async def test_a_text_beyond_the_limit_is_refused(mouth: OfflineMouth) -> None:
    with pytest.raises(TextError, match="may have 5000 characters, got 5001"):
        await mouth.say("a" * (MAX_TEXT_CHARS + 1), "marin")


async def test_a_waiter_that_is_cancelled_does_not_spoil_it_for_the_others(
    mouth: OfflineMouth,
) -> None:
    impatient = asyncio.create_task(mouth.say("One moment please.", "marin"))
    patient = asyncio.create_task(mouth.say("One moment please.", "marin"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert len(await patient) > 4_000
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_closing_while_speaking_leaves_nobody_waiting() -> None:
    mouth = OfflineMouth(Engine("espeak-library"))
    speaking = asyncio.create_task(mouth.say("One moment please.", "marin"))
    await asyncio.sleep(0)
    await mouth.aclose()
    with pytest.raises(asyncio.CancelledError):
        await speaking


@pytest.mark.parametrize("name", ["espeak-ng", "flite"])
async def test_the_programs_speak_as_well(name: str) -> None:
    async with OfflineMouth(program(name)) as mouth:
        audio = await mouth.say("-t is not an option, it's text", "marin")
        assert 1_000 < len(audio) / 8 < 6_000
        assert -30 < ulaw_dbfs(audio) < -8


async def test_a_program_that_fails_is_named() -> None:
    broken = shutil.which("false")
    assert broken is not None
    async with OfflineMouth(Engine("flite-binary", broken)) as mouth:
        with pytest.raises(TextError, match="false ended with status 1"):
            await mouth.say("Hello.", "marin")


async def test_a_program_that_is_gone_is_a_crash_of_ours() -> None:
    async with OfflineMouth(Engine("flite-binary", "/nowhere/flite")) as mouth:
        with pytest.raises(ChildCrashedError, match="No such file"):
            await mouth.say("Hello.", "marin")
