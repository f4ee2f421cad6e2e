"""A call that Telnyx streams is a conversation like any other, though its frames change places, and
is hung up by REST when it is over."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from app.bridge.call_record import TIMELINE_FILE, call_folder
from app.carriers.telnyx.door import call_id_of
from app.demo.stage import CALLED, CALLER, Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.phone.script import HangUp, Interrupt, Press, Say, Script, WaitForBot
from app.lab.realtime.ports import CallFunction, Output
from app.lab.telnyx import TelnyxLab
from tests.lab_calls.cast import Recorded, line, shout, stage_for, until
from tests.lab_calls.together import at_once

KEY, TOKEN = "KEY-of-no-account", "a-secret-in-the-path"
HELLO, NO = 1_901, 1_902
WORDS = {HELLO: "Hello?", NO: "No, stop."}


@asynccontextmanager
async def staged(
    folder: Path, *answers: Sequence[Output], **settings: Any
) -> AsyncIterator[tuple[Stage, TelnyxLab]]:
    async with (
        TelnyxLab(KEY, Impairments(delay_ms=40, jitter_ms=30)) as lab,
        stage_for(
            folder,
            *answers,
            words=WORDS,
            telnyx_token=TOKEN,
            telnyx_api_key=KEY,
            telnyx_api_url=lab.base_url,
            **settings,
        ) as stage,
    ):
        yield stage, lab


async def ring(stage: Stage, lab: TelnyxLab, script: Script, token: str = TOKEN) -> CallReport:
    url = f"{stage.url.replace('http', 'ws', 1)}/telnyx/media/{token}"
    return await lab.call(url, script, from_=CALLER, to=CALLED)


async def recorded(stage: Stage, report: CallReport) -> Recorded:
    folder = call_folder(stage.worker.settings.data_dir, call_id_of(report.identity.call_sid))
    await until((folder / TIMELINE_FILE).exists)
    return Recorded(report, folder, stage.model.sessions[0])


@at_once
async def test_a_whole_conversation_and_the_agents_hang_up(tmp_path: Path) -> None:
    answers: tuple[Sequence[Output], ...] = (
        [line(1, 600)],
        [line(2, 4_000, "A long story.")],
        [line(3, 500)],
        [line(4, 500), CallFunction("hang_up")],
    )
    script = Script(
        (
            WaitForBot.finished(200),
            Say(shout(HELLO), "hello"),
            Interrupt(shout(NO), 1_500, "no"),
            WaitForBot.finished(300, said_ms=300),
            Press("42", gap_ms=60),
        )
    )
    async with staged(tmp_path, *answers) as (stage, lab):
        report = await ring(stage, lab, script)
        call = await recorded(stage, report)
    assert report.as_scripted, (report.unfinished, report.errors, report.faults)
    assert (report.ended_by, lab.hang_ups) == ("rest", [report.identity.call_sid])
    assert call.end_reason == "agent_hung_up"
    assert [call.heard_ms(n) for n in (1, 3, 4)] == [600, 500, 500]
    cut = call.item(2)
    assert cut.truncated_ms is not None
    assert abs(cut.truncated_ms - call.heard_ms(2)) <= 60
    said = bytes(call.model.caller_audio)
    assert shout(HELLO) in said, "in their order"
    assert "pressed these keys: 4 2" in str([e.event for e in call.model.received])


@at_once
async def test_a_caller_who_hangs_up_needs_no_hanging_up(tmp_path: Path) -> None:
    script = Script((WaitForBot.finished(), HangUp()))
    async with staged(tmp_path, [line(1, 400)]) as (stage, lab):
        report = await ring(stage, lab, script)
        call = await recorded(stage, report)
        await asyncio.sleep(0.1)
    assert call.end_reason == "caller_hung_up"
    assert lab.hang_ups == []


@at_once
async def test_who_is_not_let_in_is_hung_up(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked.txt"
    blocked.write_text(f"{CALLER}\n", encoding="utf-8")
    async with staged(tmp_path, [line(1, 400)], blocked=str(blocked)) as (stage, lab):
        report = await ring(stage, lab, Script((WaitForBot.finished(), HangUp())))
        assert stage.model.sessions == []
    assert lab.hang_ups == [report.identity.call_sid]


@at_once
async def test_a_stranger_finds_no_door(tmp_path: Path) -> None:
    async with staged(tmp_path, [line(1, 400)]) as (stage, lab):
        report = await ring(stage, lab, Script((HangUp(),)), token="another-secret-in-path")
        assert stage.model.sessions == []
    assert report.streams == []
    assert "got 403" in report.errors[0].detail


async def knocked(stage: Stage, call_control_id: str) -> ClientConnection:
    """A stream of a call, by hand."""
    socket = await connect(f"{stage.url.replace('http', 'ws', 1)}/telnyx/media/{TOKEN}")
    body = {
        "call_control_id": call_control_id,
        "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        "from": CALLER,
        "to": CALLED,
    }
    await socket.send(json.dumps({"event": "start", "stream_id": token_hex(8), "start": body}))
    return socket


@pytest.mark.parametrize(
    "what", ["app.front_door.FrontDoor.closed", "app.answering.Answering.make"]
)
async def test_a_call_that_fails_before_it_begins_is_hung_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Telnyx has answered the caller, who would listen to nothing."""

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    async with staged(tmp_path, [line(1, 400)]) as (stage, lab):
        monkeypatch.setattr(what, fails)
        socket = await knocked(stage, "v3:one")
        await until(lambda: bool(lab.asked))
        await socket.close()
    assert lab.asked == ["v3:one"]


@at_once
async def test_a_stream_that_comes_again_does_not_hang_up_its_call(tmp_path: Path) -> None:
    """Though there is no place for a new one."""
    async with staged(tmp_path, [line(1, 400)]) as (stage, lab):
        board = stage.worker.switchboard
        first = await knocked(stage, "v3:one")
        await until(lambda: len(board) == 1)
        board.max_calls = 1
        again = await knocked(stage, "v3:one")
        await until(lambda: board.total == 2)
        await first.wait_closed()
        assert len(board) == 1
        other = await knocked(stage, "v3:other")
        await until(lambda: bool(lab.asked))
        assert lab.asked == ["v3:other"]
        await other.wait_closed()
        await again.send('{"event":"stop"}')
        await again.wait_closed()
    assert lab.asked == ["v3:other"]
