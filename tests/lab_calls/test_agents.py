"""Whole calls over real sockets: what is known of a caller reaches the model as data and nothing
else; the dialled number chooses the agent; a running call keeps the version it began with."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.agents.outside import GUARD
from app.bridge.call_record import call_folder
from app.demo.stage import CALLED, CALLER, Stage
from app.lab.phone.script import HangUp, Script, WaitForBot
from tests.agents.injections import INJECTIONS
from tests.lab_calls.cast import FAST, Recorded, line, settled, stage_for, until

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio]

PROMPT = """\
# Who you are
The desk. Version one.

# Caller
- Name: {{caller_name}}
- Number: {{caller_number}}
- Order: {{sip_x_order}}

# Limits
None."""
AGENT = f"""\
instructions = '''
{PROMPT}
'''
greeting = "Hello {{{{caller_name}}}}, this is the desk."
filler = ""
[variables]
caller_name = "dear caller"
"""
HEARD = Script((WaitForBot.finished(), HangUp()))
GREETING_MS = 400


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    agents = tmp_path / "agents"
    agents.mkdir()
    (agents / "desk.toml").write_text(AGENT, encoding="utf-8")
    (agents / "other.toml").write_text(AGENT.replace("The desk", "The other"), encoding="utf-8")
    return agents


def stage(tmp_path: Path) -> Stage:
    return stage_for(tmp_path / "data", [line(1, GREETING_MS)], agent="desk")


async def held(
    on: Stage,
    said: Mapping[str, str] | None = None,
    *,
    script: Script = HEARD,
    to: str = CALLED,
) -> Recorded:
    """`said`: what the carrier says besides."""
    number = len(on.model.sessions)
    over = await on.line(pace=FAST).call(script, from_=CALLER, to=to, parameters=said)
    await settled(on, over)
    folder = call_folder(on.worker.settings.data_dir, over.identity.call_sid)
    return Recorded(over, folder, on.model.sessions[number])


def batched(texts: list[str], most: int = 6) -> list[list[str]]:
    """So many calls are held at once."""
    return [texts[at : at + most] for at in range(0, len(texts), most)]


async def test_what_is_known_of_the_caller_reaches_the_model(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        call = await held(on, {"CallerName": "Ada", "SipHeader_X-Order": "4711"})
    told = call.model.instructions
    assert f"- Name: ⟦Ada⟧\n- Number: {CALLER}\n- Order: ⟦4711⟧\n" in told
    assert told.endswith(GUARD)
    assert '"Hello Ada, this is the desk."' in str(call.model.received)
    assert call.end_reason == "caller_hung_up"


async def test_a_caller_of_whom_nothing_is_known_is_greeted_all_the_same(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        call = await held(on)
    assert "- Name: dear caller\n" in call.model.instructions
    assert "- Order: (unknown)\n" in call.model.instructions
    assert GUARD not in call.model.instructions
    assert '"Hello dear caller, this is the desk."' in str(call.model.received)


async def test_nothing_that_came_along_changes_the_prompts_structure(tmp_path: Path) -> None:
    injections = [text for text in INJECTIONS if text.isprintable() or "\n" in text][:12]
    sayable = [text.encode("utf-8", "ignore").decode() for text in injections]
    async with stage(tmp_path) as on:
        for some in batched(sayable):
            said = [{"CallerName": text, "SipHeader_X-Order": text[:200]} for text in some]
            # Which session is whose does not matter: each is judged by the same.
            await asyncio.gather(*(held(on, one) for one in said))
        assert len(on.model.sessions) == len(sayable)
        for session in on.model.sessions:
            told = session.instructions.removesuffix(f"\n\n{GUARD}")
            assert [row.split("⟦")[0].split(":")[0] for row in told.splitlines()] == [
                row.split(":")[0] for row in PROMPT.splitlines()
            ]
            assert '"Hello dear caller, this is the desk."' in str(session.received)


async def test_the_caller_is_in_no_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "app")
    async with stage(tmp_path) as on:
        await held(on, {"CallerName": "Ada Byron", "SipHeader_X-Order": "47-11-08"})
    logged = " ".join(f"{r.message} {r.__dict__}" for r in caplog.records if r.name[:3] == "app")
    assert "call ended" in logged
    assert not any(secret in logged for secret in ("Ada Byron", "47-11-08", CALLER))


async def test_the_dialled_number_chooses_the_agent(tmp_path: Path, folder: Path) -> None:
    rules = '[[route]]\nto = "+4420*"\nagent = "other"\n'
    (folder / "routes.toml").write_text(rules, encoding="utf-8")
    async with stage(tmp_path) as on:
        london = await held(on, to="+442079460012")
        elsewhere = await held(on)
    assert "The other." in london.model.instructions
    assert "The desk." in elsewhere.model.instructions
    assert (london.timeline["agent"], elsewhere.timeline["agent"]) == ("other", "desk")


async def test_a_file_changed_under_a_running_call_counts_for_the_next(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app")
    async with stage(tmp_path) as on:
        running = asyncio.create_task(held(on, script=Script((WaitForBot.finished(),))))
        await until(lambda: len(on.worker.switchboard.calls) == 1)
        [bridge] = on.worker.switchboard.calls
        await until(lambda: any(leg.taken_ms is not None for leg in bridge.call.timeline.legs))
        changed = AGENT.replace("Version one", "Version two")
        (folder / "desk.toml").write_text(changed, encoding="utf-8")
        assert await on.worker.reloader.look()
        bridge.roll_over()
        await until(lambda: len(on.model.sessions) == 2)
        bridge.hang_up("operator")
        old, new = await running, await held(on)
    assert all("Version one." in log.instructions for log in on.model.sessions[:2])
    assert "Version two." in new.model.instructions
    versions = [call.timeline["agent_version"] for call in (old, new)]
    assert versions[0] != versions[1] and all(len(version) == 10 for version in versions)
    connected = [r.fields for r in caplog.records if r.message == "call connected"]  # type: ignore[attr-defined]
    assert [fields["version"] for fields in connected] == versions
