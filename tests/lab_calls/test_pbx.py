"""A PBX's caller is served like any other, or the dialplan learns what to do with them: whole calls
over real sockets with a chan_websocket made of software.

What a conversation is, both lines are asked in test_conversation, test_barge_in and
test_truncation.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bridge.call_record import call_folder
from app.carriers.asterisk.identity import call_id_of
from app.demo.stage import CALLED, CALLER, LAB_PBX, LAB_PBX_PASSWORD, Stage, by_the_models_ears
from app.lab.pbx import Dialplan, PbxPhone
from app.lab.pbx.dialplan import DialStatus
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.phone.script import HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import CallFunction, Output
from telecodecs.g711 import ULAW_SILENCE
from tests.lab_calls.cast import (
    CodeEar,
    NoMouth,
    ScriptedBrain,
    counted,
    line,
    settled,
    shout,
    stage_for,
    until,
)
from tests.lab_calls.together import at_once
from tests.lab_calls.two_workers import two_workers

LINE = "+14155550199"
DESK = "+14155550100"
AGENT = f"""
instructions = "You answer."
greeting = ""
tools = ["transfer_call", "leave_voicemail", "offer_menu", "hang_up"]

[transfers.desk]
to = "{DESK}"
when = "always"

[transfers.boss]
to = "{DESK}"
how = "warm"

[voicemail]
{{more}}
"""
CLOSED = """
[hours]
timezone = "UTC"
when_closed = "{way}"
person = "desk"
[hours.week]
"""
ASKS = Say(shout(), "Give me a person.")
HEARS = Script((ASKS, WaitForBot.finished(), HangUp()))
STAYS = Script((ASKS, WaitForBot.finished(), Wait(8_000), HangUp()))


def through(to: str) -> tuple[Output, ...]:
    return line(1, 400, "I'll put you through."), CallFunction("transfer_call", {"to": to})


def stage(folder: Path, *answers: Sequence[Output], more: str = "", **settings: Any) -> Stage:
    """The first session's model gives the first answer, the next one's the next; then a word."""
    path = folder / "house.toml"
    path.write_text(AGENT.format(more=more), encoding="utf-8")
    brains = iter([ScriptedBrain([answer, (line(9, 300),)]) for answer in answers])
    return Stage(
        brain=lambda: next(brains, ScriptedBrain(())),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=str(path),
        **settings,
    )


def asked(plan: Dialplan) -> list[tuple[str, str]]:
    """What the dialplan told of each `Dial`, and what it was told to do."""
    return [(one.form["status"], one.answer["do"]) for one in plan.asked]


def outputs(on: Stage, session: int = 0) -> str:
    """What the model was told that its tools gave."""
    items = [e.event.get("item", {}) for e in on.model.sessions[session].received]
    return " ".join(str(i["output"]) for i in items if i.get("type") == "function_call_output")


async def called(
    on: Stage,
    script: Script,
    people: Mapping[str, DialStatus] | None = None,
    impairments: Impairments | None = None,
    **more: Any,
) -> tuple[CallReport, Dialplan]:
    phone = on.pbx(impairments, people=people, **more)
    report = await phone.call(script, from_=CALLER, to=LINE)
    return report, phone.dialplan


# What becomes of a caller whom the agent sends on


@at_once
async def test_a_caller_is_put_through_by_the_dialplan(tmp_path: Path) -> None:
    async with stage(tmp_path, through("desk")) as on:
        report, plan = await called(on, STAYS, {DESK: "ANSWER"})
        folder = await settled(on, report, "pbx")
    assert report.as_scripted or report.ended_by == "far_end", report.errors
    assert asked(plan) == [("ANSWER", "transfer"), ("ANSWER", "hangup")]
    dialled = plan.asked[0].answer
    assert (dialled["to"], dialled["caller_id"], dialled["ring_s"]) == (DESK, LINE, "25")
    assert "handed_on" in (folder / "timeline.json").read_text("utf-8")


@at_once
async def test_a_caller_whom_nobody_takes_is_back_with_an_agent_that_knows(tmp_path: Path) -> None:
    script = Script((ASKS, WaitForBot.finished(said_ms=650), HangUp()))
    async with stage(tmp_path, through("desk"), (line(3, 300, "Nobody is there."),)) as on:
        report, plan = await called(on, script, {DESK: "BUSY"})
        await until(lambda: not on.worker.switchboard.calls)
        back = on.model.sessions[1]
    assert asked(plan) == [("ANSWER", "transfer"), ("BUSY", "agent")]
    assert len(report.streams) == 2
    told = [e.event for e in back.received if e.type == "response.create"]
    assert "the line was busy" in str([e.event for e in back.received]) + str(told)


@at_once
async def test_what_a_pbx_cannot_do_is_refused_in_a_sentence(tmp_path: Path) -> None:
    wants = (CallFunction("transfer_call", {"to": "boss"}), CallFunction("offer_menu", {}))
    async with stage(tmp_path, wants) as on:
        report, plan = await called(on, Script((ASKS, Wait(2_500), HangUp())))
        await settled(on, report, "pbx")
        told = outputs(on)
    assert "This line cannot tell anybody who calls before putting them through" in told
    assert "This line has no menu of keys" in told
    assert asked(plan) == [], "the caller hung up, and nobody was rung"


@at_once
async def test_a_caller_leaves_a_message_with_the_pbx(tmp_path: Path) -> None:
    asks = (line(1, 300, "Leave a message."), CallFunction("leave_voicemail", {}))
    async with stage(tmp_path, asks) as on:
        _, plan = await called(on, STAYS)
    assert asked(plan) == [("ANSWER", "voicemail")]


# Who is let in


@at_once
async def test_without_a_place_the_dialplan_keeps_a_caller_who_still_rings(tmp_path: Path) -> None:
    async with stage(tmp_path, (line(1, 300),)) as on:
        on.worker.switchboard.max_calls = 0
        report, plan = await called(on, HEARS)
    assert not report.duration_ms
    assert report.status == "no-answer"
    assert asked(plan) == [("CHANUNAVAIL", "fallback")]
    assert on.model.sessions == []


@at_once
async def test_a_blocked_caller_meets_the_busy_tone_unanswered(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked.txt"
    blocked.write_text(f"{CALLER}\n", encoding="utf-8")
    async with stage(tmp_path, (line(1, 300),), blocked=str(blocked)) as on:
        report, plan = await called(on, HEARS)
    assert (report.status, report.streams[0].ticks) == ("busy", 0)
    assert asked(plan) == [("NOANSWER", "busy")]
    assert on.model.sessions == []


@at_once
async def test_a_closed_line_sends_its_callers_where_the_agent_says(tmp_path: Path) -> None:
    for way, do in (("person", "transfer"), ("voicemail", "voicemail"), ("hang_up", "hangup")):
        folder = tmp_path / way
        folder.mkdir()
        async with stage(folder, (line(1, 300),), more=CLOSED.format(way=way)) as on:
            _, plan = await called(on, HEARS, {DESK: "ANSWER"})
        assert asked(plan)[0] == ("NOANSWER", do)
        assert on.model.sessions == []


@at_once
async def test_a_stranger_finds_no_door(tmp_path: Path) -> None:
    async with stage(tmp_path, (line(1, 300),)) as on:
        phone = on.pbx()
        phone.headers = {}
        report = await phone.call(HEARS, from_=CALLER, to=LINE)
        wrong = on.pbx()
        wrong.headers = {"Authorization": "Basic bGFiLXBieDp3cm9uZw=="}
        other = await wrong.call(HEARS, from_=CALLER, to=LINE)
        wrong.dialplan.password = "wrong"
        assert await wrong.dialplan.ask({"call": "x"}) == {"do": "fallback"}
    assert report.streams == other.streams == []
    assert on.model.sessions == []


@at_once
async def test_without_a_lock_there_is_no_door(tmp_path: Path) -> None:
    async with stage(tmp_path, (line(1, 300),), pbx_user="") as on:
        report, plan = await called(on, HEARS)
    assert report.streams == []
    assert asked(plan) == [("CHANUNAVAIL", "fallback")]


# How it goes


@at_once
async def test_the_plain_format_carries_a_caller_without_a_name(tmp_path: Path) -> None:
    keys = (Press("42", gap_ms=60), WaitForBot.finished(said_ms=600), HangUp())
    script = Script((ASKS, WaitForBot.finished(), *keys))
    async with stage(tmp_path, (line(1, 400),)) as on:
        report, _ = await called(on, script, format_="plain")
        assert on.model.sessions, report.steps
        assert report.as_scripted, (report.errors, report.faults)
        await until(lambda: not on.worker.switchboard.calls)
        pressed = [e.event for e in on.model.sessions[0].received]
    assert "pressed these keys: 4 2" in str(pressed)
    assert not (call_folder(tmp_path / "data", call_id_of(report.identity.call_sid))).exists()


@at_once
async def test_the_number_that_was_dialled_decides_who_answers(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('instructions = "You are somebody else."\ngreeting = ""\n', encoding="utf-8")
    routes = tmp_path / "routes.toml"
    routes.write_text(f'[[route]]\nto = "{CALLED}"\nagent = "{other}"\n', encoding="utf-8")
    async with stage(tmp_path, (line(1, 300),), (line(2, 300),), routes=str(routes)) as on:
        phone = on.pbx()
        await phone.call(HEARS, from_=CALLER, to=CALLED)
        await phone.call(HEARS, from_=CALLER, to="+15550100088")
        instructions = [session.instructions for session in on.model.sessions]
    assert "You are somebody else." in instructions[0]
    assert "You answer." in instructions[1]


@at_once
async def test_the_caller_always_hears_rtp_and_never_late_for_it(tmp_path: Path) -> None:
    """While nobody speaks, silence goes out; an answer does not wait for it."""
    script = Script((Wait(2_500), ASKS, WaitForBot.finished(), Wait(1_500), HangUp()))
    async with stage(tmp_path, (line(1, 700),)) as on:
        report, _ = await called(on, script, impairments=Impairments(delay_ms=40, jitter_ms=30))
        folder = await settled(on, report, "pbx")
    assert folder.exists()
    played = report.streams[0].played
    without = [n for n, frame in enumerate(played.frames) if frame is None]
    assert len(without) < len(played.frames) // 2
    assert report.faults == []
    (spoken,) = [frames for frames in played.heard_spans() if frames.to_ms > frames.from_ms]
    silent = [bool(frame) and not frame.strip(ULAW_SILENCE) for frame in played.frames if frame]
    assert any(silent)
    # A frame that the lab itself plays late keeps its place, which is then before the flush's time.
    flushes = [c.carrier_ms for c in played.clears if c.carrier_ms <= spoken.from_ms + 200]
    between = played.bytes_between(flushes[-1] + 20, spoken.from_ms)
    assert not between, "nothing stood between the flush and the answer"


@at_once
async def test_a_caller_who_sends_no_sound_is_greeted_and_kept(tmp_path: Path) -> None:
    mute = Script((WaitForBot.finished(), Wait(1_000), HangUp()), line_audio=lambda *_: None)
    async with stage_for(tmp_path, [line(1, 600)]) as on:
        report, _ = await called(on, mute)
    assert report.as_scripted, (report.unfinished, report.errors)
    assert report.streams[0].sent_frames == 0


@at_once
async def test_a_call_whose_stream_was_lost_is_dialled_again(tmp_path: Path) -> None:
    script = Script((ASKS, WaitForBot.finished(), Wait(4_000), HangUp()))
    async with stage(tmp_path, (line(1, 300),), (line(2, 300),)) as on:

        async def lose() -> None:
            await until(lambda: any(session.items for session in on.model.sessions))
            [call] = on.worker.switchboard.calls
            call.carrier_closed("lost", "a test")

        phone = on.pbx()
        running = asyncio.ensure_future(lose())
        report = await phone.call(script, from_=CALLER, to=LINE)
        await running
    assert asked(phone.dialplan) == [("ANSWER", "agent")]
    first, second = report.streams
    assert (first.parameters["__EARSHOT_AGAIN"], second.parameters["__EARSHOT_AGAIN"]) == ("0", "1")
    assert first.stream_sid == second.stream_sid, "it is the same call"


@at_once
async def test_another_worker_goes_on_where_one_that_leaves_has_left(tmp_path: Path) -> None:
    script = Script(
        (ASKS, WaitForBot.finished(), Wait(3_500), ASKS, WaitForBot.finished(), HangUp())
    )
    path = tmp_path / "house.toml"
    path.write_text(AGENT.format(more=""), encoding="utf-8")
    numbers = counted()

    def brain() -> ScriptedBrain:
        return ScriptedBrain([(line(numbers(), 400),) for _ in range(3)])

    async with two_workers(tmp_path, {}, str(path), brain) as (split, _, model, url):
        phone = PbxPhone(
            f"{url.replace('http', 'ws', 1)}/asterisk/media",
            user=LAB_PBX,
            password=LAB_PBX_PASSWORD,
            dialplan=Dialplan(f"{url}/asterisk/next", LAB_PBX, LAB_PBX_PASSWORD),
        )

        async def leave() -> None:
            await until(lambda: bool(model.sessions) and bool(model.sessions[0].items))
            await asyncio.sleep(1)
            split.first.switchboard.move_calls()

        leaving = asyncio.ensure_future(leave())
        report = await phone.call(script, from_=CALLER, to=LINE)
        await leaving
        await until(lambda: len(model.sessions) > 1)
        seeded = str([event.event for event in model.sessions[-1].received])
    assert report.as_scripted, (report.unfinished, report.errors)
    assert asked(phone.dialplan) == [("ANSWER", "agent")]
    assert len(report.streams) == 2
    assert "(something)" in seeded, "the other worker's model knows what was said"


@at_once
async def test_a_model_that_drops_is_replaced_unheard(tmp_path: Path) -> None:
    answers = [(line(n, 400),) for n in (1, 2, 3)]
    script = Script(
        (ASKS, WaitForBot.finished(), Wait(1_200), ASKS, WaitForBot.finished(), HangUp())
    )
    async with stage(tmp_path, *answers, behaviour=Behaviour(drop_after_s=2.5)) as on:
        report, _ = await called(on, script)
        folder = await settled(on, report, "pbx")
    assert report.as_scripted, (report.unfinished, report.errors)
    assert len(on.model.sessions) >= 2
    assert len(report.streams) == 1
    assert "caller_hung_up" in (folder / "timeline.json").read_text("utf-8")
