"""A model that fails ends a call in one defined way with one reason, and the caller is told; what a
call can survive it survives.

The bad models run side by side, each in a call of its own. Where a session is replaced by another
one that is as bad, the call has a model server of its own as well.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest
import pytest_asyncio

from app.call.endings import EndReason
from app.call.phases import CallSettings
from app.demo.stage import free_port
from app.lab.phone.script import HangUp, Interrupt, Script, Wait, WaitForBot
from app.lab.realtime.behaviour import Behaviour, Nonsense
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import CallFunction, Output
from app.lab.speech.coded import coded_audio, decode_coded
from app.models.openai_server_events import NONSENSE_LIMIT
from tests.lab_calls.cast import Recorded, Shifts, call, line, shout, stage_for
from tests.lab_calls.raw_model import RawModel, raw_model

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

APOLOGY = ["Connect", "Say", "Hangup"]
KINDS: Sequence[Nonsense] = get_args(Nonsense)
ANSWERS: Sequence[Sequence[Output]] = (
    [line(1, 1_200)],
    [line(2, 300), CallFunction("book_table", {"party_size": 2, "time": "19:00"})],
    [line(3, 400)],
)
LISTEN = Script((WaitForBot.finished(100, said_ms=1_000), HangUp()), limit_ms=12_000)
TALK = Script(
    (
        Interrupt(shout(), 300, timeout_ms=3_000),
        WaitForBot.finished(200, said_ms=600, timeout_ms=3_000),
        HangUp(),
    ),
    on_timeout="go_on",
    limit_ms=12_000,
)
STAY = Script((Wait(11_000),), limit_ms=12_000)
POSITIONS = range(1, 25)


def first_only(**fault: Any) -> Behaviour:
    """The fault in the first response only."""
    return Behaviour(faulty_responses=frozenset({1}), **fault)


def garbage_instead(position: int) -> Behaviour:
    """Nonsense replaces this server event and every multiple of it, the kinds taking turns."""
    turn = position % len(KINDS)
    kinds = (*KINDS[turn:], *KINDS[:turn])
    return Behaviour(nonsense=kinds, nonsense_every=position, nonsense_replaces=True, seed=position)


FAILING: Mapping[str, tuple[Behaviour, EndReason]] = {
    "mute": (Behaviour(mute=True), EndReason.MODEL_STALLED),
    "fails": (Behaviour(response_error="server_error"), EndReason.MODEL_FAILED),
    "rate limited": (Behaviour(rate_limited=True), EndReason.MODEL_FAILED),
    "drops": (Behaviour(drop_after_s=0.6), EndReason.MODEL_LOST),
    "wrong format": (Behaviour(wrong_format=True), EndReason.MODEL_WRONG_FORMAT),
    "never configured": (garbage_instead(1), EndReason.MODEL_UNREACHABLE),
}
RECOVERING: Mapping[str, tuple[Behaviour, Script]] = {
    "mute once": (first_only(mute=True), LISTEN),
    "fails once": (first_only(response_error="server_error"), LISTEN),
    "rate limited once": (first_only(rate_limited=True), LISTEN),
    "late deltas": (Behaviour(late_deltas=6, speed=1.5, delta_max_ms=150), TALK),
    "no transcripts": (Behaviour(transcription_fails=True), TALK),
    **{f"adds {kind}": (Behaviour(nonsense=(kind,), nonsense_every=1), TALK) for kind in KINDS},
}


def impatient(settings: CallSettings) -> CallSettings:
    """A silent model is given up after a second or two."""
    responses = replace(settings.responses, answer_timeout_ms=600, stall_timeout_ms=800)
    return replace(settings, responses=responses)


async def side_by_side(
    folder: Path, models: Mapping[str, tuple[Behaviour, Script]]
) -> dict[str, Recorded]:
    stage = stage_for(folder, *ANSWERS, adjust=impatient, model_connect_timeout_s=0.8)
    async with stage:
        shifts = Shifts(stage)
        for behaviour, script in models.values():
            await shifts.begin(behaviour, script)
        return dict(zip(models, await shifts.finish(), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Recorded]]:
    yield await side_by_side(tmp_path_factory.mktemp("calls"), RECOVERING)


@dataclass(frozen=True, slots=True)
class Alone:
    """A call whose model server served nobody else."""

    recorded: Recorded
    sessions: Sequence[SessionLog]

    def asked(self, kind: str = "response.create") -> list[int]:
        """How often in each session."""
        return [session.received_types().count(kind) for session in self.sessions]


async def alone(folder: Path, behaviour: Behaviour, script: Script) -> Alone:
    stage = stage_for(folder, *ANSWERS, behaviour=behaviour, adjust=impatient)
    async with stage:
        recorded = await call(stage, script)
        return Alone(recorded, stage.model.sessions)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def failing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Alone]]:
    behaviours = {name: behaviour for name, (behaviour, _) in FAILING.items()}
    behaviours["expires"] = Behaviour(session_cap_s=2.2)
    scripts = {"expires": Script((Wait(7_500), HangUp()), limit_ms=12_000)}
    done = await asyncio.gather(
        *(
            alone(tmp_path_factory.mktemp("alone"), behaviour, scripts.get(name, STAY))
            for name, behaviour in behaviours.items()
        )
    )
    yield dict(zip(behaviours, done, strict=True))


def asked(recorded: Recorded, kind: str = "response.create") -> int:
    return recorded.model.received_types().count(kind)


# Models that end the call


@pytest.mark.parametrize("name", FAILING)
async def test_a_model_that_cannot_go_on_ends_the_call_with_its_reason_and_an_apology(
    failing: dict[str, Alone], name: str
) -> None:
    recorded, reason = failing[name].recorded, FAILING[name][1]
    assert recorded.end_reason == reason
    assert recorded.timeline["end_fault"] == "model"
    assert recorded.verbs == APOLOGY
    assert "sorry" in recorded.report.verbs[1].text
    assert recorded.report.ended_by == "twiml"
    assert not recorded.report.errors


async def test_a_mute_model_is_asked_once_more_then_replaced_and_then_given_up(
    failing: dict[str, Alone],
) -> None:
    mute = failing["mute"]
    assert mute.asked() == [2, 1]
    assert mute.asked("response.cancel")[0] >= 1
    notes = [note["kind"] for note in mute.recorded.timeline["notes"]]
    assert notes.count("stall") == 3
    assert mute.recorded.sound == b""


@pytest.mark.parametrize("name", ["fails", "rate limited"])
async def test_a_model_whose_answers_fail_is_asked_once_more_and_then_given_up(
    failing: dict[str, Alone], name: str
) -> None:
    assert failing[name].asked() == [2]
    code = "rate_limit_exceeded" if name == "rate limited" else "server_error"
    assert failing[name].recorded.timeline["end_detail"] == code


async def test_no_audio_flows_in_a_format_that_was_not_agreed(failing: dict[str, Alone]) -> None:
    wrong = failing["wrong format"]
    assert wrong.asked() == [0], "trying again would end the same way"
    assert wrong.recorded.model.appends == []
    assert wrong.recorded.sound == b""
    assert "audio/pcmu" in wrong.recorded.timeline["end_detail"]


async def test_a_model_that_drops_every_session_is_given_up_though_it_answered_at_first(
    failing: dict[str, Alone],
) -> None:
    drops = failing["drops"]
    assert drops.recorded.heard_ms(1) == 1_200
    assert [leg["closed_by"] for leg in drops.recorded.timeline["legs"]] == ["lost"] * 4
    assert sum(drops.asked()) == 1, "it does not greet again"


async def test_sessions_that_are_short_lived_follow_one_another_and_the_caller_hears_nothing(
    failing: dict[str, Alone],
) -> None:
    short = failing["expires"]
    assert short.recorded.end_reason == "caller_hung_up"
    assert short.recorded.report.as_scripted
    carried = [leg for leg in short.recorded.timeline["legs"] if leg["taken_ms"] is not None]
    assert len(carried) >= 3
    assert {leg["cause"] for leg in carried[1:]} <= {"expiry", "drop"}
    assert short.recorded.heard_ms(1) == 1_200
    spoken = [name for name in short.recorded.commands if name == "CreateResponse"]
    assert len(spoken) == 1


# Models that a call survives


@pytest.mark.parametrize("name", RECOVERING)
async def test_a_call_survives(calls: dict[str, Recorded], name: str) -> None:
    recorded = calls[name]
    assert recorded.end_reason == "caller_hung_up"
    assert recorded.report.as_scripted
    assert recorded.heard_ms(1) > 0


@pytest.mark.parametrize("name", ["mute once", "fails once", "rate limited once"])
async def test_an_answer_that_failed_once_is_given_after_all(
    calls: dict[str, Recorded], name: str
) -> None:
    assert asked(calls[name]) == 2
    assert calls[name].heard_ms(1) == 1_200
    assert calls[name].timeline["notes"]


async def test_rate_limits_are_on_the_record(
    calls: dict[str, Recorded], failing: dict[str, Alone]
) -> None:
    limited = failing["rate limited"].recorded.timeline["rate_limits_remaining"]
    assert limited["tokens"] == 0
    assert calls["rate limited once"].timeline["rate_limits_remaining"]["tokens"] > 0


async def test_what_comes_late_of_a_cancelled_answer_is_never_played(
    calls: dict[str, Recorded],
) -> None:
    late = calls["late deltas"]
    cut = late.item(1)
    assert cut.truncated_ms is not None
    assert late.heard_ms(1) < len(cut.audio) // 8 - 100, "nothing came late"
    heard = [run.stream_id for run in decode_coded(late.sound)]
    assert heard == [1, 2, 3]


async def test_nonsense_between_events_changes_nothing(calls: dict[str, Recorded]) -> None:
    for kind in KINDS:
        recorded = calls[f"adds {kind}"]
        assert recorded.heard_ms(2) == 300
        assert recorded.heard_ms(3) == 400
        assert len(recorded.timeline["turns"]) == 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replaced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[int, Recorded]]:
    models = {str(position): (garbage_instead(position), TALK) for position in POSITIONS}
    done = await side_by_side(tmp_path_factory.mktemp("replaced"), models)
    yield {int(position): recorded for position, recorded in done.items()}


@pytest.mark.parametrize("position", POSITIONS)
async def test_nonsense_in_the_place_of_any_event_never_breaks_the_app(
    replaced: dict[int, Recorded], position: int
) -> None:
    recorded = replaced[position]
    reason = EndReason(recorded.end_reason)
    survived = reason is EndReason.CALLER_HUNG_UP
    assert survived or reason.fault == "model", reason
    assert recorded.verbs == (["Connect"] if survived else APOLOGY)
    assert recorded.commands.count("EndCall") == 1


async def test_a_call_survives_the_loss_of_most_single_events(
    replaced: dict[int, Recorded],
) -> None:
    survived = [p for p, recorded in replaced.items() if recorded.end_reason == "caller_hung_up"]
    assert len(survived) >= len(replaced) // 2


# Models that never come to speak


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strangers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Recorded]]:
    async def babble(model: RawModel) -> None:
        await model.configure()
        for _ in range(NONSENSE_LIMIT):
            await model.socket.send('{"type":')

    async def meet(name: str, behaviour: Behaviour, **settings: Any) -> Recorded:
        folder = tmp_path_factory.mktemp(name)
        stage = stage_for(folder, *ANSWERS, behaviour=behaviour, **settings)
        async with stage:
            return await call(stage, STAY, session=None)

    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    async with raw_model(babble) as babbling:
        refused, unreachable, slow, nonsense = await asyncio.gather(
            meet("refused", Behaviour(refuse_key=True)),
            meet("unreachable", Behaviour(), openai_base_url=nowhere),
            meet("slow", Behaviour(connect_delay_ms=1_500), model_connect_timeout_s=0.5),
            meet("nonsense", Behaviour(), openai_base_url=babbling),
        )
    yield {
        EndReason.MODEL_REFUSED: refused,
        EndReason.MODEL_UNREACHABLE: unreachable,
        "slow": slow,
        EndReason.MODEL_NONSENSE: nonsense,
    }


@pytest.mark.parametrize(
    "reason", [EndReason.MODEL_REFUSED, EndReason.MODEL_UNREACHABLE, EndReason.MODEL_NONSENSE]
)
async def test_a_model_that_cannot_be_talked_to_ends_the_call_with_an_apology(
    strangers: dict[str, Recorded], reason: EndReason
) -> None:
    recorded = strangers[reason]
    assert recorded.end_reason == reason
    assert recorded.verbs == APOLOGY
    assert recorded.sound == b""


async def test_a_refused_key_is_named_but_not_shown(strangers: dict[str, Recorded]) -> None:
    detail = strangers[EndReason.MODEL_REFUSED].timeline["end_detail"]
    assert detail == "HTTP 401, invalid_api_key"


async def test_a_model_that_opens_no_session_in_time_is_unreachable(
    strangers: dict[str, Recorded],
) -> None:
    assert strangers["slow"].end_reason == EndReason.MODEL_UNREACHABLE
    assert strangers["slow"].verbs == APOLOGY


# One answer at a time


async def test_a_request_that_crossed_with_the_models_own_answer_is_harmless(
    tmp_path: Path,
) -> None:
    models: list[RawModel] = []

    async def cross(model: RawModel) -> None:
        models.append(model)
        await model.configure()
        refused = await model.next("response.create")
        error = {
            "type": "invalid_request_error",
            "code": "conversation_already_has_active_response",
            "message": "Conversation already has an active response in progress: resp_1.",
            "event_id": refused["event_id"],
        }
        await model.send("error", error=error)
        await model.answer(1, coded_audio(1, 0, 300, quiet=False))
        wanted = await model.next("response.create")
        metadata = wanted["response"].get("metadata")
        await model.answer(2, coded_audio(2, 0, 400, quiet=False), metadata)

    script = Script((WaitForBot.finished(300, said_ms=700), HangUp()), limit_ms=12_000)
    async with (
        raw_model(cross) as base_url,
        stage_for(tmp_path, openai_base_url=base_url) as stage,
    ):
        recorded = await call(stage, script, session=None)
    assert recorded.report.as_scripted
    assert recorded.end_reason == "caller_hung_up"
    assert [recorded.heard_ms(stream) for stream in (1, 2)] == [300, 400]
    kinds = [event["type"] for event in models[0].received]
    assert kinds.count("response.create") == 2
    assert "response.cancel" not in kinds
