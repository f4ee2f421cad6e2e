"""Turns that we end ourselves: over real sockets a caller who hesitates is heard whole and answered
once, after the last word; the quiet before a turn is no part of it; a short sound is not answered.

The calls run side by side, each with a model of its own; a text model judges.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from app.bridge.call_record import EVENTS_FILE
from app.bridge.journal import replay
from app.demo.stage import LAB_KEY, Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.manners import EDGE_MS
from app.lab.phone.script import HangUp, Piece, Say, SayPieces, Script, Wait, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.speech.voices import voice_clip
from app.lab.text.server import LabTextModel
from app.models.openai_text import close_clients
from tests.lab_calls.cast import NoMouth, Recorded, ScriptedBrain, call, line

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

GREETING, ANSWER = 1, 2
ANSWER_MS = 900
AGENT = """\
instructions = "Be kind."
greeting = "Hello."
[turn_detection]
type = "local"
"""
FIRST, LAST = voice_clip("part_would_like_to_slt"), voice_clip("part_book_a_table_slt")
SOUND = voice_clip("part_um_slt")
"""Short, and as good as a voice to anybody's ears, but without words."""
HESITATES = SayPieces(
    (Piece(FIRST.ulaw, FIRST.text, 1_200), Piece(LAST.ulaw, LAST.text, 0)), "hesitation"
)
ANSWERED = (WaitForBot.finished(500, said_ms=500, timeout_ms=9_000), HangUp())
CALLS: dict[str, tuple[Script, Sequence[str], Impairments]] = {
    "hesitation": (
        Script((WaitForBot.finished(2_000), HESITATES, *ANSWERED), limit_ms=30_000),
        (FIRST.text, LAST.text),
        Impairments(delay_ms=40),
    ),
    "sound": (
        Script(
            (
                WaitForBot.finished(500),
                Say(SOUND.ulaw, ""),
                Wait(2_500),
                Say(LAST.ulaw, LAST.text),
                *ANSWERED,
            ),
            limit_ms=30_000,
        ),
        ("", LAST.text),
        Impairments(),
    ),
}


class OrderlyEar:
    """Understands one utterance after the other as it was told to."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = itertools.chain(words, itertools.repeat(""))

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return next(self._words)


async def held(name: str, folder: Path, judge_url: str) -> Recorded:
    script, words, impairments = CALLS[name]
    path = folder / "host.toml"
    path.write_text(AGENT, encoding="utf-8")
    answers = [[line(GREETING, 600)], [line(ANSWER, ANSWER_MS)]]
    async with Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=OrderlyEar(words),
        mouth=NoMouth(),
        data_dir=folder,
        agent=str(path),
        behaviour=Behaviour(transcription_delay_ms=100),
        judge_model="lab-text",
        judge_base_url=judge_url,
    ) as stage:
        return await call(stage, script, impairments)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Recorded]]:
    async with LabTextModel(api_key=LAB_KEY) as judge:
        done = await asyncio.gather(
            *(held(name, tmp_path_factory.mktemp(name), judge.base_url) for name in CALLS)
        )
        await close_clients()
    yield dict(zip(CALLS, done, strict=True))


@pytest.mark.parametrize("name", CALLS)
async def test_the_call_goes_as_scripted_and_replays(calls: dict[str, Recorded], name: str) -> None:
    recorded = calls[name]
    assert recorded.report.as_scripted, recorded.report.unfinished
    assert recorded.model.errors == []
    assert replay(recorded.folder / EVENTS_FILE)[1] is None


async def test_a_caller_who_hesitates_is_heard_whole_and_answered_once(
    calls: dict[str, Recorded],
) -> None:
    recorded = calls["hesitation"]
    said = [turn.text for turn in recorded.model.turns() if turn.role == "user"]
    assert said == [FIRST.text, LAST.text]
    assert recorded.heard_ms(ANSWER) == ANSWER_MS
    answered = [turn for turn in recorded.timeline["turns"] if turn["cause"] == "caller"]
    assert len(answered) == 1
    ending = answered[0]["ending"]
    assert (ending["by"], ending["why"], ending["pieces"]) == ("voice", "complete", 2)
    assert ending["verdict"] is True
    assert recorded.model.received_types().count("input_audio_buffer.commit") == 2


async def test_the_quiet_before_a_turn_is_no_part_of_it(calls: dict[str, Recorded]) -> None:
    """Two seconds of quiet lie before this turn, and would be paid for."""
    first = next(i for i in calls["hesitation"].model.conversation.items if i.role == "user")
    voice_ms = int(FIRST.end_ms - FIRST.onset_ms) + EDGE_MS
    assert voice_ms <= first.parts[0].audio_ms <= voice_ms + 1_200


async def test_a_short_sound_without_words_is_not_answered(calls: dict[str, Recorded]) -> None:
    recorded = calls["sound"]
    assert [turn.text for turn in recorded.model.turns() if turn.role == "user"][-1] == LAST.text
    assert recorded.heard_ms(ANSWER) == ANSWER_MS
    endings = [t["ending"] for t in recorded.timeline["turns"] if t["cause"] == "caller"]
    assert [ending["why"] for ending in endings] == ["nothing_said", "complete"]
    assert recorded.model.received_types().count("response.create") == 2, "greeting and answer"
