"""A call keeps the MCP servers of the agent that it began with; when it is over, those that no file
names any more are closed."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from app.demo.stage import CALLED, CALLER, Stage, by_the_models_ears
from app.lab.phone import HangUp, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction
from tests.lab_calls.cast import (
    FAST,
    Answers,
    CodeEar,
    NoMouth,
    ScriptedBrain,
    line,
    settled,
    shout,
    until,
)

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio]

SERVER = Path(__file__).parents[1] / "tools" / "mcp" / "booking_server.py"
AGENT = 'instructions = "You answer."\ngreeting = "Hello."\n'
UP_S = 20.0


async def test_a_reload_closes_a_server_when_the_last_call_that_had_it_is_over(
    tmp_path: Path,
) -> None:
    notes, agent = tmp_path / "notes", tmp_path / "desk.toml"
    notes.touch()
    mcp = f'command = {json.dumps(sys.executable)}\nargs = [{json.dumps(str(SERVER))}, "stdio"]\n'
    agent.write_text(f'{AGENT}[mcp.crm]\n{mcp}env = {{ NOTES = "{notes}" }}\n', encoding="utf-8")
    answers: Answers = [[line(1, 300)], [CallFunction("say", {"words": "known"})], [line(2, 300)]]
    steps = (WaitForBot.finished(), Wait(1_500), Say(shout(), "Well?"), WaitForBot.finished(900))
    async with Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=tmp_path / "data",
        agent=str(agent),
    ) as on:
        worker = on.worker
        outside = worker.answering.outside
        outside.linger_s = 0.0
        await outside.ready(UP_S)
        [server] = outside.servers
        script = Script((*steps, HangUp()))
        call = asyncio.create_task(on.line(pace=FAST).call(script, from_=CALLER, to=CALLED))
        await until(lambda: bool(worker.switchboard.calls))

        agent.write_text(AGENT, encoding="utf-8")
        assert await worker.reloader.look()
        await worker.reloader.look()
        report = await call
        await settled(on, report)
        outputs = [t.text for t in on.model.sessions[0].turns() if t.role == "function_call_output"]
        assert [json.loads(text) for text in outputs] == ["known"]
        assert server.up

        await worker.reloader.look()
        await until(lambda: not server.up)
