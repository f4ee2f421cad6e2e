"""A caller who waits for a slow tool hears that it runs, and nothing of the sound is mistaken for
words: whole calls over real sockets.

The calls run side by side, each with a model server of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from app.bridge.call_record import EVENTS_FILE
from app.bridge.journal import replay
from app.demo.stage import Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import HangUp, Interrupt, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.speech.coded import coded_audio, decode_coded
from app.lab.speech.voices import voice_clip
from app.speech.hold_tone import hold_tone
from tests.lab_calls.cast import NoMouth, Recorded, call, line

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

AFTER_MS, TOOL_MS = 600, 3_500
MOMENT, BOOKED, HERE = 1, 2, 3
BOOKED_MS, HERE_MS = 800, 500
TOOLS = f'''\
import asyncio


async def look_up() -> str:
    """Look something up."""
    await asyncio.sleep({TOOL_MS / 1000})
    return "found"
'''
AGENT = f"""\
instructions = "Be kind."
tools = ["slow.py:look_up"]
[silence]
tool_sound_after_s = {AFTER_MS / 1000}
[barge_in]
by = "voice"
"""
ASKS = voice_clip("when_open_slt")
INTERRUPTS = voice_clip("actually_question_slt")


class Brain:
    """Looks something up first; what the tool found is told, anything else is answered."""

    def __init__(self) -> None:
        self._looked_up = False

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if not self._looked_up:
            self._looked_up = True
            return [line(MOMENT, 500, "One moment."), CallFunction("look_up")]
        found = any(turn.role == "function_call_output" for turn in conversation)
        return [line(BOOKED, BOOKED_MS, "Found.") if found else line(HERE, HERE_MS, "I am here.")]


class KnowingEar:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return "when are you open"


ASK = (Wait(300), Say(ASKS.ulaw, ASKS.text), WaitForBot.started())
CALLS = {
    "waits": (Script((*ASK, Wait(TOOL_MS + 1_500), HangUp())), Impairments(delay_ms=40)),
    "talks": (
        Script((*ASK, Interrupt(INTERRUPTS.ulaw, 1_200), Wait(TOOL_MS + 2_000), HangUp())),
        Impairments(delay_ms=40),
    ),
}


async def held(name: str, folder: Path) -> Recorded:
    script, impairments = CALLS[name]
    path = folder / "host.toml"
    path.write_text(AGENT, encoding="utf-8")
    (folder / "slow.py").write_text(TOOLS, encoding="utf-8")
    async with Stage(
        brain=Brain, ear=KnowingEar(), mouth=NoMouth(), data_dir=folder, agent=str(path)
    ) as stage:
        return await call(stage, script, impairments)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Recorded]]:
    done = await asyncio.gather(*(held(name, tmp_path_factory.mktemp(name)) for name in CALLS))
    yield dict(zip(CALLS, done, strict=True))


def sounded_ms(recorded: Recorded) -> int:
    """How much of the sound was heard, from its beginning on."""
    played, loop = recorded.sound, hold_tone()
    spoken = coded_audio(MOMENT, 0, 500, quiet=False)
    after = played[played.index(spoken) + len(spoken) :]
    same = next((n for n, (a, b) in enumerate(zip(after, loop, strict=False)) if a != b), 0)
    return same // 8


@pytest.mark.parametrize("name", CALLS)
async def test_the_call_goes_as_scripted_and_replays(calls: dict[str, Recorded], name: str) -> None:
    recorded = calls[name]
    assert recorded.report.as_scripted, recorded.report.unfinished
    assert recorded.report.errors == []
    assert recorded.model.errors == []
    assert replay(recorded.folder / EVENTS_FILE)[1] is None


async def test_the_sound_is_heard_until_the_answer_comes(calls: dict[str, Recorded]) -> None:
    recorded = calls["waits"]
    (tool,) = (tool for turn in recorded.timeline["turns"] for tool in turn["tools"])
    tool_ms = tool["finished_ms"] - tool["started_ms"]
    assert tool_ms / 2 < sounded_ms(recorded) < tool_ms - AFTER_MS
    assert recorded.heard_ms(BOOKED) == BOOKED_MS
    assert recorded.timeline["claims"] == []


async def test_who_speaks_over_it_is_answered(calls: dict[str, Recorded]) -> None:
    recorded = calls["talks"]
    assert 0 < sounded_ms(recorded) < TOOL_MS / 2
    runs = [run.stream_id for run in decode_coded(recorded.stream.played.audio())]
    assert runs[-1] == BOOKED
    assert recorded.heard_ms(BOOKED) == BOOKED_MS
    assert recorded.model.truncations == []


@pytest.mark.parametrize("name", CALLS)
async def test_nothing_of_it_is_in_the_record_or_the_models_memory(
    calls: dict[str, Recorded], name: str
) -> None:
    recorded = calls[name]
    said = [one["text"] for one in recorded.timeline["transcript"] if one["speaker"] == "agent"]
    assert [text for text in said if text not in ("One moment.", "Found.", "I am here.")] == []
    assert all(turn["interruption"] is None for turn in recorded.timeline["turns"])
    assert {turn.role for turn in recorded.model.turns()} <= {
        "user",
        "assistant",
        "function_call",
        "function_call_output",
    }
