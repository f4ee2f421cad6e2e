"""A caller does not learn that a model's session ended: whole calls over real sockets through
rollovers, a drop in mid-answer, another vendor's model, and models of which none will talk.

The calls run side by side, each with a model server of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.bridge.call_record import EVENTS_FILE
from app.bridge.journal import replay
from app.call.phases import CallSettings
from app.call.summary import GO_ON
from app.demo.stage import LAB_KEY, Stage, greeting_first
from app.lab.phone.script import HangUp, Say, Script, Wait, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import Output, Turn
from app.lab.realtime.ports import Say as ModelSays
from app.lab.realtime.server import LabRealtime
from app.lab.speech.coded import coded_audio, decode_coded
from tests.lab_calls.cast import CodeEar, NoMouth, Recorded, call, counted, line, shout, until

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

NUMBER, DAY, THANKS = 1_901, 1_902, 1_903
WORDS = {NUMBER: "My number is 4711.", DAY: "On Monday, please.", THANKS: "Thank you."}
APOLOGY = ["Connect", "Say", "Hangup"]
LINE = 1_950
"""The coded stream of a caller's whole line, where it carries one."""


class Brain:
    """Says one coded line after another, and sums a call up as all that the caller said."""

    def __init__(self, number: Callable[[], int], ms: int) -> None:
        self._number, self._ms = number, ms

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        number = self._number()
        return [line(number, self._ms, f"answer {number}")]

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        facts = [turn.text for turn in conversation if turn.role == "user"]
        return [ModelSays(json.dumps({"facts": facts}), b"")]


def soon(settings: CallSettings) -> CallSettings:
    """A change of sessions does not wait long for its moment."""
    relay = replace(settings.relay, quiet_wait_ms=1_000, force_wait_ms=2_000)
    return replace(settings, relay=relay)


def stage_of(folder: Path, behaviour: Behaviour | None = None, ms: int = 700, **more: Any) -> Stage:
    number = counted()
    return Stage(
        brain=lambda: Brain(number, ms),
        ear=CodeEar(WORDS),
        mouth=NoMouth(),
        revise=greeting_first,
        data_dir=folder,
        behaviour=behaviour,
        adjust=soon,
        **more,
    )


@dataclass(frozen=True, slots=True)
class Passed:
    """One call and all sessions of its models, in order of their opening."""

    recorded: Recorded
    sessions: Sequence[SessionLog]

    @property
    def legs(self) -> list[dict[str, Any]]:
        """Those that carried the call."""
        found: list[dict[str, Any]] = self.recorded.timeline["legs"]
        return [leg for leg in found if leg["taken_ms"] is not None]

    @property
    def heard(self) -> list[int]:
        """The bot's coded streams as the caller heard them; pauses of a busy machine left out."""
        return [run.stream_id for run in decode_coded(self.recorded.sound)]

    @property
    def asked(self) -> list[str]:
        """The instructions of every response that the app asked for, summaries left out."""
        created = [e for s in self.sessions for e in s.received if e.type == "response.create"]
        created.sort(key=lambda event: event.at_s)
        responses = [event.event["response"] for event in created]
        return [r.get("instructions", "") for r in responses if "aside" not in r["metadata"]]


async def passed(
    stage: Stage, script: Script, meanwhile: Callable[[Stage], Awaitable[None]] | None = None
) -> Passed:
    """`meanwhile` runs beside the call and must come to its end before the call does."""
    beside = None if meanwhile is None else asyncio.ensure_future(meanwhile(stage))
    recorded = await call(stage, script, session=None)
    if beside is not None:
        await asyncio.wait_for(beside, 1)
    return Passed(recorded, list(stage.model.sessions))


def spoken(sessions: Sequence[SessionLog]) -> int:
    """How many answers all sessions together have begun."""
    return sum(len(session.items) for session in sessions)


def leg_of(stage: Stage) -> int:
    return stage.worker.switchboard.calls[0].call.handover.relay.leg


def answers_heard(stage: Stage) -> int:
    """How many answers the caller has heard whole."""
    lines = stage.worker.switchboard.calls[0].call.transcript.lines
    return sum(line.speaker == "agent" and line.final for line in lines)


# The calls


async def two_rollovers(folder: Path) -> Passed:
    """The first in a quiet moment, the second while the caller speaks."""

    async def roll(stage: Stage) -> None:
        await until(lambda: spoken(stage.model.sessions) == 2)
        stage.worker.switchboard.calls[0].roll_over()
        await until(lambda: leg_of(stage) == 2 and spoken(stage.model.sessions) == 3)
        await until(lambda: stage.worker.switchboard.calls[0].call.floor.caller_speaking)
        stage.worker.switchboard.calls[0].roll_over()
        await until(lambda: leg_of(stage) == 3)

    script = Script(
        (
            WaitForBot.finished(200),
            Say(shout(NUMBER, 500)),
            WaitForBot.finished(900),
            Say(shout(DAY, 500)),
            WaitForBot.finished(200),
            Say(shout(THANKS, 2_500)),
            WaitForBot.finished(300),
            HangUp(),
        ),
        limit_ms=25_000,
    )
    async with stage_of(folder) as stage:
        return await passed(stage, script, roll)


async def a_drop(folder: Path) -> Passed:
    """In mid-answer; the caller's line is coded throughout."""

    async def drop(stage: Stage) -> None:
        await until(lambda: spoken(stage.model.sessions) == 2)
        item = list(stage.model.sessions[0].items.values())[1]
        await until(lambda: item.audio_ms > 900)
        assert stage.model.drop() == 1

    def coded(tick: int, frame: bytes | None) -> bytes:
        return coded_audio(LINE, 20 * max(0, tick), 20, quiet=frame is None)

    script = Script(
        (
            WaitForBot.finished(200),
            Say(shout(NUMBER, 500)),
            WaitForBot.finished(700, said_ms=3_000),
            HangUp(),
        ),
        line_audio=coded,
        limit_ms=25_000,
    )
    async with stage_of(folder, Behaviour(speed=1.6, delta_max_ms=200), ms=2_400) as stage:
        return await passed(stage, script, drop)


def agent_with(folder: Path, *base_urls: str) -> str:
    """An agent that fails over to these places; the path of its file."""
    path = folder / "host.toml"
    tables = "".join(f'\n[[failover]]\nbase_url = "{base_url}"\n' for base_url in base_urls)
    path.write_text(f'instructions = "Be kind."\ngreeting = "Hello."\nfiller = ""\n{tables}')
    return str(path)


async def a_failover(folder: Path) -> Passed:
    """The first model's server goes away in the middle of the call."""

    async def go_away(stage: Stage) -> None:
        await until(lambda: spoken(stage.model.sessions) == 2 and answers_heard(stage) == 2)
        await until(lambda: stage.worker.switchboard.calls[0].call.responses.still)
        stage.model.stop_listening()
        assert stage.model.drop() == 1

    number = counted(101)
    second = LabRealtime(
        api_key=LAB_KEY,
        brain_factory=lambda: Brain(number, 700),
        ear=CodeEar(WORDS),
        mouth=NoMouth(),
    )
    script = Script(
        (
            WaitForBot.finished(200),
            Say(shout(NUMBER, 500)),
            WaitForBot.finished(900),
            Say(shout(DAY, 500)),
            WaitForBot.finished(300),
            HangUp(),
        ),
        limit_ms=25_000,
    )
    async with second, stage_of(folder, agent=agent_with(folder, second.base_url)) as stage:
        done = await passed(stage, script, go_away)
        return replace(done, sessions=[*done.sessions, *second.sessions])


async def refusals(folder: Path) -> Passed:
    """Two models, and neither lets anybody in."""
    second = LabRealtime(
        api_key="another",
        brain_factory=lambda: Brain(counted(), 700),
        ear=CodeEar(),
        mouth=NoMouth(),
    )
    async with second:
        agent = agent_with(folder, second.base_url)
        async with stage_of(folder, Behaviour(refuse_status=503), agent=agent) as stage:
            done = await passed(stage, Script((Wait(8_000),), limit_ms=9_000))
            return replace(done, sessions=[*done.sessions, *second.sessions])


CALLS = {
    "rollovers": two_rollovers,
    "drop": a_drop,
    "failover": a_failover,
    "refusals": refusals,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Passed]]:
    done = await asyncio.gather(
        *(hold(tmp_path_factory.mktemp(name)) for name, hold in CALLS.items())
    )
    yield dict(zip(CALLS, done, strict=True))


@pytest.mark.parametrize("name", ["rollovers", "drop", "failover"])
async def test_the_call_goes_as_scripted_whatever_becomes_of_its_sessions(
    calls: dict[str, Passed], name: str
) -> None:
    done = calls[name]
    assert done.recorded.report.as_scripted, done.recorded.report.unfinished
    assert done.recorded.report.errors == []
    assert done.recorded.end_reason == "caller_hung_up"
    assert done.recorded.verbs == ["Connect"]
    assert [session.errors for session in done.sessions if session.errors] == []


@pytest.mark.parametrize("name", ["rollovers", "drop", "failover"])
async def test_the_record_replays_to_the_same_decisions(
    calls: dict[str, Passed], name: str
) -> None:
    done = calls[name].recorded
    _, difference, count = replay(done.folder / EVENTS_FILE)
    assert difference is None
    assert count == len(done.journal)


async def test_two_rollovers_are_three_sessions_one_after_the_other(
    calls: dict[str, Passed],
) -> None:
    done = calls["rollovers"]
    assert [leg["cause"] for leg in done.legs] == ["start", "operator", "operator"]
    assert len(done.sessions) == 3
    for before, after in zip(done.legs, done.legs[1:], strict=False):
        assert before["closed_ms"] == after["taken_ms"], "there is always one"


async def test_through_rollovers_every_answer_is_heard_whole_and_once(
    calls: dict[str, Passed],
) -> None:
    done = calls["rollovers"]
    assert done.heard == [1, 2, 3, 4]
    assert [done.recorded.heard_ms(stream) for stream in done.heard] == [700] * 4


async def test_the_agent_greets_once(calls: dict[str, Passed]) -> None:
    for name in ("rollovers", "failover"):
        asked = calls[name].asked
        assert ["Greet the caller now" in instructions for instructions in asked] == [True]


async def test_what_was_said_before_a_rollover_is_known_after_it(
    calls: dict[str, Passed],
) -> None:
    _, second, third = calls["rollovers"].sessions
    assert "4711" in second.instructions, "the summary holds the fact"
    for session in (second, third):
        assert WORDS[NUMBER] in session.context()
    assert WORDS[DAY] in third.context()


async def test_speech_during_a_rollover_is_heard_whole_and_is_one_turn(
    calls: dict[str, Passed],
) -> None:
    done = calls["rollovers"]
    runs = [
        (run.start_ms, run.end_ms)
        for run in decode_coded(bytes(done.sessions[2].caller_audio))
        if run.stream_id == THANKS
    ]
    assert runs == [(0, 2_500)]
    caller = [row["text"] for row in done.recorded.timeline["transcript"] if row["text"]]
    assert [text for text in caller if text in WORDS.values()] == list(WORDS.values())


async def test_a_drop_loses_no_caller_audio_and_doubles_a_moment_at_most(
    calls: dict[str, Passed],
) -> None:
    done = calls["drop"]
    first, second = done.sessions
    heard: list[tuple[int, int]] = []
    for session in (first, second):
        runs = [r for r in decode_coded(bytes(session.caller_audio)) if r.stream_id == LINE]
        assert len(runs) == 1, "one unbroken stretch"
        heard.append((runs[0].start_ms, runs[0].end_ms))
    (began, left), (taken, ended) = heard
    assert began == 0
    assert taken <= left
    assert left - taken <= 1_000
    assert ended >= 20 * (done.recorded.stream.ticks - 10)


async def test_what_came_before_a_drop_is_played_out_and_the_next_session_goes_on(
    calls: dict[str, Passed],
) -> None:
    done = calls["drop"]
    assert [leg["cause"] for leg in done.legs] == ["start", "drop"]
    assert done.heard == [1, 2, 3]
    assert done.recorded.heard_ms(1) == done.recorded.heard_ms(3) == 2_400
    assert 500 < done.recorded.heard_ms(2) < 2_400
    assert [GO_ON in instructions for instructions in done.asked] == [False, True]
    spoken_before = [turn.text for turn in done.sessions[1].turns() if turn.role == "assistant"]
    assert any("answer" in text for text in spoken_before)


async def test_another_model_goes_on_where_the_first_one_left(calls: dict[str, Passed]) -> None:
    done = calls["failover"]
    assert [(leg["model_index"], leg["cause"]) for leg in done.legs] == [
        (0, "start"),
        (1, "failover"),
    ]
    assert done.heard == [1, 2, 101]
    assert WORDS[NUMBER] in done.sessions[-1].context()


async def test_when_no_model_lets_anybody_in_the_caller_hears_an_apology(
    calls: dict[str, Passed],
) -> None:
    done = calls["refusals"]
    assert done.recorded.end_reason in ("model_unreachable", "model_refused")
    assert done.recorded.timeline["end_fault"] == "model"
    assert done.recorded.verbs == APOLOGY
    assert done.recorded.sound == b""
    assert done.sessions == []
    tried = {leg["model_index"] for leg in done.recorded.timeline["legs"]}
    assert tried == {0, 1}
    refused = [leg for leg in done.recorded.timeline["legs"] if leg["closed_by"] == "refused"]
    assert [leg["model_index"] for leg in refused] == [1], "who refused is not asked again"
