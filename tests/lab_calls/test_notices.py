"""Notices are heard whole before anything else: whole calls over real sockets with callers who
listen, talk, press keys and hang up, from recordings and from a model that says them.

The calls run side by side, each with a model server of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from app.beyond import ALONE, Beyond
from app.bridge.call_record import EVENTS_FILE
from app.bridge.evidence import EVIDENCE_FILE
from app.bridge.journal import replay
from app.call.notice_side import NOT_WORD_FOR_WORD
from app.demo.stage import Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import HangUp, Interrupt, Press, Script, Wait, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import Output, Turn
from app.lab.speech.coded import coded_audio, decode_coded
from app.lab.speech.voices import voice_clip
from app.records.chain import verify
from app.speech.phrase_book import PhraseBook, PhraseKey
from tests.lab_calls.cast import NoMouth, Recorded, call, line

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

MACHINE = "You are talking to a machine."
TAPED = "This call is recorded."
GREETING = "Harbour Table, how can I help you?"
STREAMS = {MACHINE: 701, TAPED: 702, GREETING: 703}
LENGTHS_MS = {MACHINE: 1_500, TAPED: 2_005, GREETING: 1_200}
NOTICES_MS = LENGTHS_MS[MACHINE] + LENGTHS_MS[TAPED]
ANSWER, ANSWER_MS = 1, 600
VOICE = "marin"
AGENT = f"""\
instructions = "Be kind."
greeting = "{GREETING}"
notices = ["{MACHINE}", "{TAPED}"]
filler = ""
[barge_in]
by = """
CLIP = voice_clip("when_open_slt")
"""1.2 s: its turn is over long before the notices are."""


class Brain:
    """Says what it is told to say exactly, after a while with other words, and else answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        self.asked.append(instructions)
        for text, stream in STREAMS.items():
            if f'"{text}"' in instructions and "exactly" in instructions:
                said = "We may tape you." if text == TAPED else text
                return [line(stream, LENGTHS_MS[text], said)]
        return [line(ANSWER, ANSWER_MS)]


class KnowingEar:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return CLIP.text


@dataclass(frozen=True, slots=True)
class Case:
    script: Script
    by: str = "voice"
    recorded: bool = True


def talks(after_ms: int) -> Interrupt:
    return Interrupt(CLIP.ulaw, after_ms, CLIP.text)


ANSWERED = WaitForBot.finished(500, said_ms=ANSWER_MS - 100)
TALKS = Script((talks(300), Wait(NOTICES_MS), ANSWERED, HangUp()))
CASES: dict[str, Case] = {
    "listens": Case(Script((WaitForBot.finished(600), HangUp()))),
    "talks": Case(TALKS),
    "talks to the model": Case(TALKS, "model"),
    "presses": Case(Script((WaitForBot.started(), Press("42"), ANSWERED, HangUp()))),
    "hangs up": Case(Script((WaitForBot.started(), Wait(2_000), HangUp()))),
    "no recordings": Case(TALKS, "voice", False),
}
ALL = pytest.mark.parametrize("name", CASES)


@dataclass(frozen=True, slots=True)
class Held:
    recorded: Recorded
    asked: list[str]

    def heard_ms(self, text: str) -> int:
        return self.recorded.heard_ms(STREAMS[text])

    @property
    def order(self) -> list[int]:
        """The coded streams as they were heard; pauses of a busy machine left out."""
        return [run.stream_id for run in decode_coded(self.recorded.sound)]


async def render(key: PhraseKey) -> bytes:
    return coded_audio(STREAMS[key.text], 0, LENGTHS_MS[key.text], quiet=False)


async def held(case: Case, folder: Path) -> Held:
    path, brain = folder / "host.toml", Brain()
    path.write_text(f'{AGENT}"{case.by}"\n', encoding="utf-8")
    book = PhraseBook(folder / "phrases", render)
    async with Stage(
        brain=lambda: brain,
        ear=KnowingEar(),
        mouth=NoMouth(),
        data_dir=folder,
        agent=str(path),
        behaviour=Behaviour(connect_delay_ms=300),
        beyond=Beyond(phrases=book) if case.recorded else ALONE,
    ) as stage:
        for text in STREAMS:
            await book.ready(PhraseKey(text, VOICE, stage.worker.settings.model_for("")), 5)
        recorded = await call(stage, case.script, Impairments(delay_ms=40))
    await book.close()
    return Held(recorded, brain.asked)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Held]]:
    holding = (held(case, tmp_path_factory.mktemp("call")) for case in CASES.values())
    yield dict(zip(CASES, await asyncio.gather(*holding), strict=True))


@ALL
async def test_the_call_goes_as_scripted_and_replays(calls: dict[str, Held], name: str) -> None:
    recorded = calls[name].recorded
    assert recorded.report.as_scripted, recorded.report.unfinished
    assert recorded.report.errors == []
    assert recorded.model.errors == []
    assert replay(recorded.folder / EVENTS_FILE)[1] is None


@ALL
async def test_the_evidence_says_how_much_of_each_was_heard(
    calls: dict[str, Held], name: str
) -> None:
    held = calls[name]
    verdict = verify((held.recorded.folder / EVIDENCE_FILE).read_bytes())
    assert verdict.whole, verdict.faults
    told = [link.what for link in verdict.links if link.kind == "notice"]
    heard = {str(what["text"]): what for what in told if what["heard_ms"]}
    for text in (MACHINE, TAPED):
        if held.heard_ms(text):
            assert abs(heard[text]["heard_ms"] - held.heard_ms(text)) <= 100
    whole = {text for text, what in heard.items() if what["heard_whole"]}
    cut_or_with_other_words = name in ("hangs up", "no recordings")
    assert whole == ({MACHINE} if cut_or_with_other_words else {MACHINE, TAPED})


@pytest.mark.parametrize("name", [name for name in CASES if name != "hangs up"])
async def test_they_are_heard_whole_and_first(calls: dict[str, Held], name: str) -> None:
    found = calls[name]
    assert found.heard_ms(MACHINE) == LENGTHS_MS[MACHINE]
    assert found.heard_ms(TAPED) == LENGTHS_MS[TAPED]
    assert found.order[:2] == [STREAMS[MACHINE], STREAMS[TAPED]]
    for notice in found.recorded.timeline["notices"]:
        assert notice["heard_ms"] == notice["length_ms"] == LENGTHS_MS[notice["text"]]
        assert notice["to_ms"] - notice["from_ms"] >= notice["heard_ms"] - 100


async def test_the_greeting_follows_without_a_gap(calls: dict[str, Held]) -> None:
    found = calls["listens"]
    assert found.order == list(STREAMS.values())
    frames = found.recorded.stream.played.frames
    first = next(n for n, frame in enumerate(frames) if frame)
    last = max(n for n, frame in enumerate(frames) if frame)
    silent = sum(1 for frame in frames[first:last] if not frame)
    assert silent <= 2, "a machine that is held up may be late by a frame or two"
    assert found.asked == []


@pytest.mark.parametrize("name", ["talks", "talks to the model", "presses", "no recordings"])
async def test_what_the_caller_did_meanwhile_is_answered_in_the_greetings_place(
    calls: dict[str, Held], name: str
) -> None:
    found = calls[name]
    assert found.heard_ms(GREETING) == 0
    assert found.order[2:] == [ANSWER]
    assert found.recorded.heard_ms(ANSWER) == ANSWER_MS
    assert GREETING in found.asked[-1]
    assert "SendClear" not in found.recorded.commands


async def test_what_a_model_says_is_held_against_the_text(calls: dict[str, Held]) -> None:
    machine, taped = calls["no recordings"].recorded.timeline["notices"]
    assert (machine["by"], machine["fault"]) == ("model", "")
    assert (taped["by"], taped["fault"]) == ("model", NOT_WORD_FOR_WORD)


async def test_a_caller_who_hangs_up_leaves_a_record_of_what_was_heard(
    calls: dict[str, Held],
) -> None:
    recorded = calls["hangs up"].recorded
    machine, taped = recorded.timeline["notices"]
    assert recorded.end_reason == "caller_hung_up"
    assert machine["heard_ms"] == LENGTHS_MS[MACHINE]
    assert 0 < taped["heard_ms"] < taped["length_ms"] == LENGTHS_MS[TAPED]
    assert abs(taped["heard_ms"] - recorded.heard_ms(STREAMS[TAPED])) <= 200, "40 ms away"
