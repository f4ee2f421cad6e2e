"""Who answers a call of ours is found out beside it: a person is greeted at once, a machine gets
the message after its beep, whole and once; whole calls over real sockets, with the carrier's
verdicts as they come: in time, late, twice, wrong or never.

The calls run side by side on one stage. What was heard is read from the sound itself.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from app.beyond import Beyond
from app.bridge.call_record import EVENTS_FILE, call_folder
from app.bridge.journal import replay
from app.call.answer_side import AFTER_A_MESSAGE, NOT_READY
from app.call.events import OnAnswer
from app.campaigns.outcome_of import Went, outcome_of
from app.campaigns.outcomes import Outcome
from app.demo.stage import CALLED, Stage
from app.lab.phone.mixing import beep
from app.lab.phone.people import Callee, voicemail
from app.lab.phone.script import HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import Output, Turn
from app.lab.speech.coded import Run, coded_audio, decode_coded
from app.lab.speech.voices import voice_clip
from app.speech.phrase_book import PhraseBook, PhraseKey
from tests.lab_calls.cast import FAST, NoMouth, Recorded, line, settled

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

VOICE = "marin"
GREETING = "Harbour Table, do you have a moment?"
MESSAGE = "This is Harbour Table. Please call us back."
PERSONAL = "This is Harbour Table for {{name}}. Please call us back."
FOR_ANN = "This is Harbour Table for Ann. Please call us back."
UNREADY = "This message cannot be spoken."
STREAMS = {GREETING: 801, MESSAGE: 802, FOR_ANN: 803}
LENGTHS_MS = {GREETING: 1_500, MESSAGE: 3_005, FOR_ANN: 2_505}
ANSWER, ANSWER_MS = 1, 600
AGENT = f"""\
instructions = "Be kind."
greeting = "{GREETING}"
filler = ""
[variables]
name = ""
[barge_in]
by = "voice"
"""
CLIPS = [voice_clip(name) for name in ("when_open_slt", "bicycle_rms", "computer_slt")]
GREETS = b"".join(clip.ulaw for clip in CLIPS)
"""A machine, some seconds long."""
HELLO = voice_clip("when_open_slt")
LEAVE = OnAnswer("message", MESSAGE)


class Brain:
    """Always the same answer."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [line(ANSWER, ANSWER_MS)]


class KnowingEar:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return HELLO.text


async def render(key: PhraseKey) -> bytes:
    if key.text not in STREAMS:
        raise RuntimeError("nobody can say it")
    return coded_audio(STREAMS[key.text], 0, LENGTHS_MS[key.text], quiet=False)


def machine(*verdicts: tuple[int, str], takes_ms: int = 20_000) -> Callee:
    return voicemail(GREETS, "leave a message", verdicts=verdicts, takes_ms=takes_ms)


def person(*verdicts: tuple[int, str]) -> Callee:
    talks = (WaitForBot.finished(300, said_ms=1_000), Say(HELLO.ulaw, HELLO.text))
    return Callee(
        Script((*talks, WaitForBot.finished(400, said_ms=300), HangUp()), limit_ms=20_000),
        verdicts=verdicts,
    )


PICKS_UP = Callee(
    Script(
        (
            Wait(500),
            Say(GREETS, "leave a message"),
            Say(beep(), kind="noise"),
            WaitForBot(said_ms=1_200),
            Say(HELLO.ulaw, HELLO.text),
            WaitForBot.finished(400, said_ms=300),
            HangUp(),
        )
    ),
    verdicts=((1_200, "machine_start"),),
)
PRESSES = Callee(
    Script(
        (
            Wait(500),
            Say(GREETS, "leave a message"),
            Say(beep(), kind="noise"),
            WaitForBot(said_ms=1_200),
            Press("5"),
            WaitForBot.finished(400, said_ms=300),
            HangUp(),
        )
    ),
    verdicts=((1_200, "machine_start"),),
)
NO_BEEP = Callee(
    Script((Wait(500), Say(GREETS, "leave a message"), Wait(20_000), HangUp())),
    verdicts=((1_200, "machine_start"),),
)
FULL = Callee(
    Script(
        (
            Wait(500),
            Say(GREETS, "leave a message"),
            Say(beep(), kind="noise"),
            WaitForBot(said_ms=1_000),
            HangUp(),
        )
    ),
    verdicts=((1_200, "machine_start"),),
)


@dataclass(frozen=True, slots=True)
class Case:
    callee: Callee
    outcome: Outcome
    on: OnAnswer | None = LEAVE
    message: str = MESSAGE
    """The one that is left, if one is."""


CASES: dict[str, Case] = {
    "a person": Case(person((1_300, "human")), Outcome.ANSWERED),
    "a person of whom no verdict comes": Case(person(), Outcome.ANSWERED),
    "a person who is not known": Case(person((3_000, "unknown")), Outcome.ANSWERED),
    "nobody asks": Case(person(), Outcome.ANSWERED, None),
    "no verdict": Case(machine(), Outcome.MESSAGE_LEFT),
    "a verdict at the start": Case(machine((1_200, "machine_start")), Outcome.MESSAGE_LEFT),
    "a late verdict": Case(machine((8_000, "machine_end_beep")), Outcome.MESSAGE_LEFT),
    "an early verdict": Case(machine((2_000, "machine_end_silence")), Outcome.MESSAGE_LEFT),
    "a wrong verdict": Case(machine((4_000, "machine_end_beep")), Outcome.MESSAGE_LEFT),
    "a verdict twice": Case(
        machine((1_200, "machine_start"), (1_250, "machine_start"), (8_000, "machine_end_beep")),
        Outcome.MESSAGE_LEFT,
    ),
    "an unknown word": Case(machine((1_000, "robot")), Outcome.MESSAGE_LEFT),
    "no beep": Case(NO_BEEP, Outcome.MESSAGE_LEFT),
    "one person's message": Case(
        machine((1_200, "machine_start")),
        Outcome.MESSAGE_LEFT,
        OnAnswer("message", PERSONAL),
        FOR_ANN,
    ),
    "somebody picks up": Case(PICKS_UP, Outcome.ANSWERED),
    "somebody presses a key": Case(PRESSES, Outcome.ANSWERED),
    "it hangs up early": Case(FULL, Outcome.MACHINE),
    "the message is not ready": Case(
        machine((1_200, "machine_start")), Outcome.MACHINE, OnAnswer("message", UNREADY)
    ),
    "hang up": Case(machine((1_200, "machine_start")), Outcome.MACHINE, OnAnswer("hang_up")),
    "fax": Case(Callee(Script((Wait(20_000),)), verdicts=((1_500, "fax"),)), Outcome.FAX),
}
ALL = pytest.mark.parametrize("name", CASES)
LEFT = [name for name, case in CASES.items() if case.outcome is Outcome.MESSAGE_LEFT]
PERSONS = [name for name, case in CASES.items() if case.callee.answered_by == "human"][:4]


@dataclass(frozen=True, slots=True)
class Held:
    recorded: Recorded
    fate: Any

    @property
    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.recorded.timeline["answer"]
        return answer

    @property
    def runs(self) -> list[Run]:
        """What was heard, in order; pauses of a busy machine left out."""
        return decode_coded(self.recorded.sound)

    @property
    def places(self) -> list[Run]:
        """The same, where it lies in the stream."""
        return decode_coded(self.recorded.stream.played.audio())

    def begins(self, text: str) -> list[float]:
        """When each saying of a recording began, on the stream's clock."""
        first = self.recorded.stream.played.first_ms
        return [
            first + run.offset_bytes / 8
            for run in self.places
            if run.stream_id == STREAMS[text] and run.start_ms == 0
        ]

    def said(self, kind: str) -> list[tuple[float, float]]:
        """From when to when the other side sounded, on the stream's clock."""
        spoken = self.recorded.stream.spoken
        return [(one.onset_ms, one.end_ms) for one in spoken if one.kind == kind]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Held]]:
    folder = tmp_path_factory.mktemp("data")
    path, book = folder / "host.toml", PhraseBook(folder / "phrases", render)
    path.write_text(AGENT, encoding="utf-8")
    numbers = {name: f"+1555010{number}" for number, name in enumerate(CASES, 1_000)}
    async with Stage(
        brain=Brain,
        ear=KnowingEar(),
        mouth=NoMouth(),
        data_dir=folder,
        agent=str(path),
        beyond=Beyond(phrases=book),
        people={numbers[name]: case.callee for name, case in CASES.items()},
        pace=FAST,
    ) as stage:
        model = stage.worker.settings.model_for("")
        await book.ready(PhraseKey(GREETING, VOICE, model), 5)
        holding = (
            held(stage, numbers[name], case, at) for at, (name, case) in enumerate(CASES.items())
        )
        yield dict(zip(CASES, await asyncio.gather(*holding), strict=True))
    await book.close()


async def held(stage: Stage, number: str, case: Case, at: int) -> Held:
    await asyncio.sleep(0.15 * at)
    rest, agent = await stage.worker.rest(), stage.worker.settings.agent
    assert rest is not None
    assert stage.account is not None
    placed = await rest.place_call(
        number, CALLED, agent, variables={"name": "Ann"}, on_answer=case.on
    )
    report = await stage.account.report(placed.call_sid)
    await settled(stage, report)
    folder = call_folder(stage.worker.settings.data_dir, placed.call_sid)
    return Held(Recorded(report, folder), report.status)


@ALL
async def test_the_record_says_what_came_of_it_and_replays(
    calls: dict[str, Held], name: str
) -> None:
    found, case = calls[name], CASES[name]
    assert found.recorded.report.errors == []
    assert found.recorded.timeline["end_fault"] == "nobody"
    assert outcome_of(found.fate, Went.of(found.recorded.timeline)) is case.outcome
    assert replay(found.recorded.folder / EVENTS_FILE)[1] is None
    assert not found.answer["abandoned"]


@pytest.mark.parametrize("name", PERSONS)
async def test_a_person_is_greeted_before_any_verdict_and_talked_with(
    calls: dict[str, Held], name: str
) -> None:
    found = calls[name]
    assert found.recorded.report.as_scripted, found.recorded.report.unfinished
    order = [run.stream_id for run in found.runs]
    assert order == [STREAMS[GREETING], ANSWER]
    assert found.recorded.heard_ms(STREAMS[GREETING]) == LENGTHS_MS[GREETING]
    assert found.recorded.heard_ms(ANSWER) == ANSWER_MS
    greeted = found.recorded.timeline["turns"][0]["stamps_ms"]["first_frame_sent"]
    assert all(greeted < verdict["at_ms"] for verdict in found.answer["verdicts"])
    ((spoke_ms, _),) = found.said("speech")
    assert found.begins(GREETING)[0] < spoke_ms
    assert found.answer["first_audio_ms"] is not None
    assert found.answer["messages"] == []


@pytest.mark.parametrize("name", LEFT)
async def test_the_message_begins_after_the_beep_and_is_whole(
    calls: dict[str, Held], name: str
) -> None:
    found, text = calls[name], CASES[name].message
    # On the line's clock: a busy machine may let the greeting begin before the stream does.
    stream = found.recorded.stream
    over_ms = max(one.end_ms for one in found.recorded.report.spoken)
    after_ms = over_ms - stream.began_ms + stream.played.first_ms
    last = found.begins(text)[-1]
    assert last >= after_ms
    recorded = [run for run in found.runs if run.stream_id == STREAMS[text]]
    assert recorded[-1].start_ms == 0
    assert recorded[-1].end_ms == LENGTHS_MS[text], "whole, and in one piece"
    assert recorded[-1] == found.runs[-1], "nothing comes after it"
    assert found.recorded.end_reason == "message_left"
    message = found.answer["messages"][-1]
    assert message["whole"]
    assert message["heard_ms"] == message["length_ms"] == LENGTHS_MS[text]
    assert found.answer["message_left"]
    assert found.recorded.report.ended_by == "twiml"


@pytest.mark.parametrize("name", [name for name in LEFT if name != "a wrong verdict"])
async def test_it_is_said_once(calls: dict[str, Held], name: str) -> None:
    found = calls[name]
    assert len(found.begins(CASES[name].message)) == 1
    assert len(found.answer["messages"]) == 1


async def test_a_message_that_was_begun_too_early_begins_again_at_the_beep(
    calls: dict[str, Held],
) -> None:
    found = calls["a wrong verdict"]
    messages = found.answer["messages"]
    assert messages[-1]["witness"] == "beep"
    assert len(found.begins(MESSAGE)) >= 2
    assert not messages[0]["whole"]


@pytest.mark.parametrize(
    ("name", "witness"),
    [
        ("no verdict", "beep"),
        ("a verdict at the start", "beep"),
        ("a late verdict", "beep"),
        ("an early verdict", "beep"),
        ("no beep", "silence"),
    ],
)
async def test_the_record_says_who_told_that_the_greeting_was_over(
    calls: dict[str, Held], name: str, witness: str
) -> None:
    assert calls[name].answer["messages"][0]["witness"] == witness


async def test_from_the_verdict_on_a_machine_hears_nothing_but_the_message(
    calls: dict[str, Held],
) -> None:
    for name in ("a verdict at the start", "a verdict twice", "no beep"):
        found = calls[name]
        verdict_ms = found.answer["verdicts"][0]["at_ms"]
        other = [run for run in found.places if run.stream_id != STREAMS[MESSAGE]]
        first = found.recorded.stream.played.first_ms
        ends = [first + run.offset_bytes / 8 + run.end_ms - run.start_ms for run in other]
        assert max(ends, default=0) <= verdict_ms + 500


@pytest.mark.parametrize("name", ["somebody picks up", "somebody presses a key"])
async def test_whoever_turns_up_in_the_message_is_talked_with(
    calls: dict[str, Held], name: str
) -> None:
    found = calls[name]
    assert found.recorded.report.as_scripted, found.recorded.report.unfinished
    assert 0 < found.recorded.heard_ms(STREAMS[MESSAGE]) < LENGTHS_MS[MESSAGE]
    assert [run.stream_id for run in found.runs][-1] == ANSWER
    assert found.answer["picked_up_ms"] is not None
    assert found.recorded.end_reason == "caller_hung_up"
    told = [
        c[1]["text"] for e in found.recorded.journal for c in e["commands"] if c[0] == "AddUserText"
    ]
    assert AFTER_A_MESSAGE in told


async def test_a_machine_that_hangs_up_has_not_the_whole_message(calls: dict[str, Held]) -> None:
    (message,) = calls["it hangs up early"].answer["messages"]
    assert not message["whole"]
    assert 0 < message["heard_ms"] < message["length_ms"]


async def test_a_message_that_is_not_ready_leaves_no_silence(calls: dict[str, Held]) -> None:
    found = calls["the message is not ready"]
    assert found.recorded.timeline["end_detail"] == NOT_READY
    ((_, beep_ms),) = found.said("noise")
    assert found.recorded.stream.ended_ms <= found.recorded.stream.began_ms + beep_ms + 2_000


@pytest.mark.parametrize("name", ["hang up", "fax"])
async def test_others_are_hung_up_on(calls: dict[str, Held], name: str) -> None:
    found = calls[name]
    assert found.recorded.end_reason == "machine_answered"
    assert found.answer["messages"] == []
    assert found.recorded.report.ended_by == "twiml"


async def test_twilio_is_asked_beside_the_call_and_told_that_we_heard(
    calls: dict[str, Held],
) -> None:
    for name, found in calls.items():
        told = [each for each in found.recorded.report.requests if each.purpose == "amd_status"]
        verdicts = CASES[name].callee.verdicts or ()
        assert len(told) <= len(verdicts)
        assert all(each.status == 204 for each in told)
        assert told or not verdicts or CASES[name].on is None or verdicts[0][0] > 5_000
