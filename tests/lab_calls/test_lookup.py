"""A look-up helps where it can and never keeps the caller waiting: whole calls whose database is
quick, slow, dead or talks nonsense."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from app.beyond import Beyond
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import call_folder
from app.demo.stage import CALLED, CALLER, Stage
from app.lab.phone.script import HangUp, Script, WaitForBot
from app.lab.speech.coded import coded_audio
from app.speech.phrase_book import PhraseBook, PhraseKey
from tests.crm import Crm, open_crm
from tests.lab_calls.cast import FAST, Recorded, line, settled, stage_for, until

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio]

GREETING, GREETING_STREAM, GREETING_MS = "The desk, hello.", 701, 600
AGENT = """\
instructions = "Caller: {{{{caller_name}}}}."
greeting = "{greeting}"
filler = ""
[variables]
caller_name = "not known"
[lookup]
url = "{url}/find?number={{{{caller_number}}}}"
fields = {{ caller_name = "/customer/name" }}
timeout_ms = {timeout_ms}
"""


async def render(key: PhraseKey) -> bytes:
    return coded_audio(GREETING_STREAM, 0, GREETING_MS, quiet=False)


@asynccontextmanager
async def playing(crm: Crm, folder: Path, timeout_ms: int) -> AsyncIterator[Stage]:
    path = folder / "desk.toml"
    text = AGENT.format(greeting=GREETING, url=crm.url, timeout_ms=timeout_ms)
    path.write_text(text, encoding="utf-8")
    book = PhraseBook(folder / "phrases", render)
    beyond = Beyond(phrases=book)
    stage = stage_for(folder / "data", [line(1, 300)], agent=str(path), beyond=beyond)
    async with stage:
        stage.worker.answering.want_phrases()
        await book.ready(PhraseKey(GREETING, "marin", "gpt-realtime-2.1"), 20)
        yield stage
    await book.close()


async def held(stage: Stage, script: Script) -> Recorded:
    report = await stage.line(pace=FAST).call(script, from_=CALLER, to=CALLED)
    await settled(stage, report)
    folder = call_folder(stage.worker.settings.data_dir, report.identity.call_sid)
    return Recorded(report, folder, stage.model.sessions[0])


HEARD = Script((WaitForBot.finished(said_ms=GREETING_MS - 100), HangUp()))


async def test_what_is_found_is_in_the_first_prompt(tmp_path: Path) -> None:
    async with open_crm() as crm, playing(crm, tmp_path, 3_000) as stage:
        call = await held(stage, HEARD)
    assert "Caller: ⟦Ada⟧." in call.model.instructions
    assert [str(request.query["number"]) for request in crm.requests] == [CALLER], "asked once"


async def ready(bridge: CallBridge, legs: int) -> None:
    await until(lambda: sum(leg.taken_ms is not None for leg in bridge.call.timeline.legs) == legs)


async def test_a_slow_one_is_not_waited_for_and_counts_from_the_next_session_on(
    tmp_path: Path,
) -> None:
    released = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.json_response({"customer": {"name": "Ada"}})

    async with open_crm() as crm, playing(crm, tmp_path, 3_000) as stage:
        crm.answer = slow
        running = asyncio.create_task(held(stage, Script((WaitForBot.finished(),))))
        await until(lambda: len(stage.worker.switchboard.calls) == 1)
        [bridge] = stage.worker.switchboard.calls
        await ready(bridge, 1)
        assert not released.is_set()
        released.set()
        bridge.roll_over()
        await ready(bridge, 2)
        bridge.hang_up("operator")
        call = await running
    first, second = stage.model.sessions
    assert "Caller: not known." in first.instructions
    assert "Caller: ⟦Ada⟧." in second.instructions
    assert call.heard_ms(GREETING_STREAM) == GREETING_MS


async def test_the_greeting_is_heard_while_the_look_up_is_still_waited_for(tmp_path: Path) -> None:
    never = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    async with open_crm() as crm, playing(crm, tmp_path, 3_000) as stage:
        crm.answer = silent
        running = asyncio.create_task(held(stage, HEARD))
        await until(lambda: len(stage.worker.switchboard.calls) == 1)
        [bridge] = stage.worker.switchboard.calls
        await until(lambda: bridge.call.playout.unplayed)
        assert not stage.model.sessions, "the model is still waited for"
        call = await running
        never.set()
    assert call.heard_ms(GREETING_STREAM) == GREETING_MS


@pytest.mark.parametrize("how", ["dead", "nonsense", "an error"])
async def test_without_an_answer_the_call_goes_on_as_the_file_says(
    tmp_path: Path, how: str
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<h1>{{", status=503 if how == "an error" else 200)

    async with open_crm() as crm:
        crm.answer = answer
        target = Crm("http://127.0.0.1:9") if how == "dead" else crm
        async with playing(target, tmp_path, 3_000) as stage:
            call = await held(stage, HEARD)
    assert "Caller: not known." in call.model.instructions
    assert call.heard_ms(GREETING_STREAM) == GREETING_MS
    assert call.end_reason == "caller_hung_up"
