"""Nothing is lost, doubled or swapped: every caller byte reaches the model once and in order, every
model byte that was not cut is played once and in order, whatever the network does meanwhile.

The caller's line carries coded audio from its first frame on, so both directions are compared byte
by byte. All calls run at once through one app.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from app.demo.stage import Stage, greeting_first
from app.lab.phone.impairments import Impairments, Window
from app.lab.phone.script import HangUp, Say, Script, WaitForBot
from app.lab.phone.sound import any_audio
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import Output
from app.lab.realtime.ports import Say as ModelSays
from app.lab.speech.coded import coded_audio, decode_coded
from tests.lab_calls.cast import (
    CodeEar,
    NoMouth,
    Recorded,
    ScriptedBrain,
    call,
    counted,
    shout,
    undisturbed,
)

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

FRAME_BYTES = 160
GAPS = (Window(900, 400), Window(2_100, 140))
NETWORKS = {
    "at once": Impairments(),
    "40 ms": Impairments(delay_ms=40, jitter_ms=30, seed=1),
    "150 ms": Impairments(delay_ms=150, jitter_ms=30, seed=2),
    "gaps": Impairments(delay_ms=40, jitter_ms=30, seed=3, gaps=GAPS),
    "a late clock": Impairments(first_timestamp_ms=1_240, jitter_ms=30, seed=4),
}
BEHAVIOUR = Behaviour(connect_delay_ms=500, delta_min_ms=51, delta_max_ms=97)
"""A model that is ready half a second after the caller began, and speaks in pieces that are no
whole frames. The first one is longer than the jitter, or there would be nothing to bridge it."""


def answers(number: Callable[[], int]) -> Sequence[Sequence[Output]]:
    """A greeting, then an answer of three items; odd lengths, down to a byte."""

    def item(ms: int, odd: bytes = b"") -> ModelSays:
        stream = number()
        return ModelSays(f"line {stream}", coded_audio(stream, 0, ms, quiet=False) + odd)

    return (
        [item(613, b"\x91")],
        [item(247, b"\x92\x93\x94"), item(411), item(1_009, b"\x95\x96\x97\x98\x99")],
    )


@dataclass(frozen=True, slots=True)
class Passed:
    """One call and what its two sides said."""

    recorded: Recorded
    stream_id: int
    """Of the caller's line."""
    gaps: tuple[Window, ...]

    def caller_said(self) -> bytes:
        """What must have reached the model, gaps as silence."""
        return b"".join(
            b"\xff" * FRAME_BYTES
            if any(gap.holds(20 * tick) for gap in self.gaps)
            else self._frame(tick)
            for tick in range(self.recorded.stream.ticks)
        )

    def _frame(self, tick: int) -> bytes:
        speech = self.speech_ticks
        return line_frame(self.stream_id, tick, loud=speech[0] <= tick < speech[1])

    @property
    def speech_ticks(self) -> tuple[int, int]:
        """The ticks in which the caller spoke up."""
        said = next(r for r in self.recorded.report.steps if isinstance(r.step, Say))
        assert said.ended_ms is not None
        began_ms = self.recorded.stream.began_ms
        return (said.began_ms - began_ms) // 20, (said.ended_ms - began_ms) // 20


def line_frame(stream_id: int, tick: int, *, loud: bool) -> bytes:
    return coded_audio(stream_id, 20 * tick, 20, quiet=not loud)


def script(stream_id: int) -> Script:
    def audio(tick: int, speech: bytes | None) -> bytes | None:
        return None if tick < 0 else line_frame(stream_id, tick, loud=speech is not None)

    steps = (
        WaitForBot.finished(300, said_ms=500),
        Say(shout(stream_id, 300), "yes"),
        WaitForBot.finished(400, said_ms=1_400),
        HangUp(),
    )
    return Script(steps, line_audio=audio, hears=any_audio)


def session_of(stage: Stage, stream_id: int) -> int:
    """The model's session that heard this caller."""
    for number, session in enumerate(stage.model.sessions):
        runs = decode_coded(bytes(session.caller_audio))
        if runs and runs[0].stream_id == stream_id:
            return number
    raise LookupError(f"no session heard the caller of stream {stream_id}")


async def pass_through(stage: Stage, stream_id: int, network: Impairments) -> Passed:
    recorded = await call(stage, script(stream_id), network, session=None)
    session = stage.model.sessions[session_of(stage, stream_id)]
    whole = Recorded(recorded.report, recorded.folder, session)
    return Passed(whole, stream_id, network.gaps)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Passed]]:
    def worst_lag_ms(passed: dict[str, Passed]) -> float:
        return max(each.recorded.report.max_lag_ms for each in passed.values())

    yield await undisturbed(lambda: all_at_once(tmp_path_factory.mktemp("calls")), worst_lag_ms)


async def all_at_once(folder: Path) -> dict[str, Passed]:
    number = counted()
    stage = Stage(
        brain=lambda: ScriptedBrain(answers(number)),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=greeting_first,
        data_dir=folder,
        behaviour=BEHAVIOUR,
    )
    async with stage:
        streams = [1_901 + at for at in range(len(NETWORKS))]
        passed = await asyncio.gather(
            *(
                pass_through(stage, stream, network)
                for stream, network in zip(streams, NETWORKS.values(), strict=True)
            )
        )
    return dict(zip(NETWORKS, passed, strict=True))


@pytest.fixture(params=NETWORKS)
def passed(request: pytest.FixtureRequest, calls: dict[str, Passed]) -> Passed:
    return calls[request.param]


async def test_every_caller_byte_reaches_the_model_once_and_in_order(passed: Passed) -> None:
    assert bytes(passed.recorded.model.caller_audio) == passed.caller_said()
    assert passed.recorded.report.as_scripted


async def test_what_was_said_before_the_model_was_ready_is_heard_too(passed: Passed) -> None:
    session = passed.recorded.model
    waited = session.appends[0].end_byte
    runs = decode_coded(bytes(session.caller_audio))
    assert (runs[0].start_ms, runs[0].offset_bytes) == (0, 0)
    burst = [a for a in session.appends if a.at_s - session.appends[0].at_s < 0.015]
    assert burst[-1].end_byte - waited >= 10 * FRAME_BYTES, "the model was ready too early to tell"


async def test_gaps_become_exactly_the_silence_that_is_missing(calls: dict[str, Passed]) -> None:
    gone = calls["gaps"]
    heard = bytes(gone.recorded.model.caller_audio)
    for gap in GAPS:
        start, end = gap.at_ms * 8, (gap.at_ms + gap.length_ms) * 8
        assert heard[start:end] == b"\xff" * (end - start)
        assert heard[start - FRAME_BYTES : start] != b"\xff" * FRAME_BYTES
        assert heard[end : end + FRAME_BYTES] != b"\xff" * FRAME_BYTES
    assert gone.recorded.stream.withheld_frames == sum(gap.length_ms for gap in GAPS) // 20


async def test_every_model_byte_is_played_once_and_in_order(passed: Passed) -> None:
    assert passed.recorded.sound == spoken(passed.recorded.model)


def spoken(session: SessionLog) -> bytes:
    """What the model said, each answer filled up to whole frames with silence."""
    whole = b""
    for response in dict.fromkeys(item.response_id for item in session.items.values()):
        items = [item for item in session.items.values() if item.response_id == response]
        answer = b"".join(bytes(item.audio) for item in items)
        whole += answer + b"\xff" * (-len(answer) % FRAME_BYTES)
    return whole


async def test_no_answer_breaks_off_in_the_middle(passed: Passed) -> None:
    assert passed.recorded.stream.played.underruns() == []
    assert passed.recorded.stream.unplayed_bytes == 0
    assert passed.recorded.model.truncations == []


async def test_calls_side_by_side_do_not_mix(calls: dict[str, Passed]) -> None:
    heard_by_caller = []
    for passed in calls.values():
        said = {run.stream_id for run in decode_coded(bytes(passed.recorded.model.caller_audio))}
        assert said == {passed.stream_id}
        heard_by_caller.append({run.stream_id for run in decode_coded(passed.recorded.sound)})
    assert all(len(heard) == 4 for heard in heard_by_caller)
    assert len(set.union(*heard_by_caller)) == 4 * len(calls)
