"""Our own voice detection decides who has the floor: whole calls over real sockets with callers who
interrupt, cough and listen aloud, and on a line that returns the bot's own voice; over Twilio, over
a PBX and over SIP.

The calls run side by side, each with a model server of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from app.bridge.call_record import EVENTS_FILE
from app.bridge.journal import replay
from app.demo.stage import Stage
from app.lab.phone.impairments import Echo, Impairments
from app.lab.phone.manners import backchannel, cough
from app.lab.phone.script import HangUp, Interrupt, Script, Wait, WaitForBot
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.speech.coded import decode_coded
from app.lab.speech.voices import voice_clip
from telecodecs import ULAW_SILENCE
from tests.lab_calls.cast import (
    BUSY_LAG_MS,
    BY_SOCKET,
    CARRIERS,
    Carrier,
    NoMouth,
    Recorded,
    call,
    calm,
    line,
)

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

ANSWER, NEXT = 1, 2
ANSWER_MS, NEXT_MS = 6_000, 500
REPEATED_MS = 60
"""What a resumed answer may say twice, and lose of its code to the fade: three frames."""
AGENT = """\
instructions = "Be kind."
greeting = "Hello."
[barge_in]
by = "voice"
"""
STOP = Interrupt(voice_clip("actually_question_slt").ulaw, 1_500, "actually i have a question")
SPOKEN = b"".join(voice_clip(name).ulaw for name in ("book_two_eight_rms", "open_friday_rms") * 3)


class Brain:
    """A long answer first, then a short one."""

    def __init__(self, first: Say) -> None:
        self._answers = iter([first, line(NEXT, NEXT_MS)])

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [next(self._answers)]


class KnowingEar:
    """Knows what this caller says."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return self._text


LONG = line(ANSWER, ANSWER_MS)
CASES: dict[str, tuple[Say, str, Script, Impairments]] = {
    "interruption": (
        LONG,
        STOP.text,
        Script((STOP, WaitForBot.finished(400, said_ms=300), HangUp()), limit_ms=20_000),
        Impairments(delay_ms=40),
    ),
    "cough": (
        LONG,
        "(coughs)",
        Script((cough(1_500, seed=1), Wait(8_000), HangUp()), limit_ms=20_000),
        Impairments(delay_ms=40),
    ),
    "backchannel": (
        LONG,
        "mm-hm",
        Script((backchannel(1_500, seed=3), Wait(8_000), HangUp()), limit_ms=20_000),
        Impairments(),
    ),
    "echo": (
        Say("spoken", SPOKEN),
        "",
        Script((WaitForBot.finished(1_000, said_ms=3_000), HangUp()), limit_ms=30_000),
        Impairments(echo=Echo(delay_ms=120, attenuation_db=12)),
    ),
}


CALLS = tuple(
    f"{name}, {carrier}"
    for name in CASES
    for carrier in CARRIERS
    # The line waits so long for what a busy machine delivers late that an echo is no echo any more,
    # and that a cough is over before it is heard.
    if carrier != "sip" or name == "interruption"
)


async def held(named: str, folder: Path) -> Recorded:
    name, _, over = named.partition(", ")
    carrier = next(carrier for carrier in CARRIERS if carrier == over)
    first, words, script, impairments = CASES[name]
    path = folder / "host.toml"
    path.write_text(AGENT, encoding="utf-8")
    async with Stage(
        brain=lambda: Brain(first),
        ear=KnowingEar(words),
        mouth=NoMouth(),
        data_dir=folder,
        agent=str(path),
    ) as stage:
        return await call(stage, script, impairments, carrier=carrier)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Recorded]]:
    async def all_of_them() -> dict[str, Recorded]:
        folders = [tmp_path_factory.mktemp("call") for _ in CALLS]
        done = await asyncio.gather(*map(held, CALLS, folders))
        return dict(zip(CALLS, done, strict=True))

    def worst_lag_ms(calls: dict[str, Recorded]) -> float:
        return max(each.report.max_lag_ms for each in calls.values())

    yield await calm(all_of_them, worst_lag_ms)


def decisions(recorded: Recorded) -> list[str]:
    return [claim["decision"] for claim in recorded.timeline["claims"]]


@pytest.mark.parametrize("name", CALLS)
async def test_the_call_goes_as_scripted_and_replays(calls: dict[str, Recorded], name: str) -> None:
    recorded = calls[name]
    assert recorded.report.as_scripted, recorded.report.unfinished
    assert recorded.report.errors == []
    assert recorded.model.errors == []
    assert replay(recorded.folder / EVENTS_FILE)[1] is None


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_an_interruption_cuts_the_answer_and_is_answered(
    calls: dict[str, Recorded], carrier: Carrier
) -> None:
    recorded = calls[f"interruption, {carrier}"]
    assert decisions(recorded) == ["yield"]
    assert recorded.heard_ms(NEXT) == NEXT_MS
    heard_ms = recorded.heard_ms(ANSWER)
    assert 1_500 <= heard_ms < ANSWER_MS
    (truncation,) = recorded.model.truncations
    assert abs(truncation.audio_end_ms - heard_ms) <= 40
    turn = recorded.timeline["turns"][0]
    assert turn["interruption"]["by"] == "fence"


@pytest.mark.parametrize("carrier", BY_SOCKET)
@pytest.mark.parametrize("name", ["cough", "backchannel"])
async def test_what_is_no_interruption_does_not_end_the_answer(
    calls: dict[str, Recorded], name: str, carrier: Carrier
) -> None:
    recorded = calls[f"{name}, {carrier}"]
    assert set(decisions(recorded)) <= {"resume"}
    assert recorded.model.truncations == []
    runs = decode_coded(recorded.stream.played.audio())
    assert {run.stream_id for run in runs} == {ANSWER}
    assert runs[0].start_ms == 0
    assert runs[-1].end_ms == ANSWER_MS
    for before, after in pairwise(runs):
        assert abs(after.start_ms - before.end_ms) <= REPEATED_MS, "nothing skipped, little twice"


def sounding(sound: bytes) -> int:
    """Bytes that are not silence."""
    return len(sound) - sound.count(ULAW_SILENCE)


@pytest.mark.parametrize("carrier", BY_SOCKET)
async def test_the_bots_own_voice_interrupts_nobody(
    calls: dict[str, Recorded], carrier: Carrier
) -> None:
    recorded = calls[f"echo, {carrier}"]
    # Where the machine held the line up the echo came late: a pause may be, an end may not.
    held_up = recorded.report.max_lag_ms > BUSY_LAG_MS
    assert decisions(recorded) == [] or (held_up and set(decisions(recorded)) == {"resume"})
    # Silence counts for nothing: RTP sends it whether the bot speaks or not.
    assert sounding(recorded.sound) >= sounding(SPOKEN)
    assert recorded.model.truncations == []
