"""The whole examination: never a stack trace, whatever the settings are; 0 only if calls work."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.doctor import Report, examine, plain
from app.settings import SettingsError, load_settings


def test_the_report_is_what_the_command_prints() -> None:
    assert plain(Report(())) == "Ready for calls."


async def test_settings_that_cannot_be_read_are_told_and_the_rest_is_looked_at() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(env={"PUBLIC_URL": "nonsense"}, env_file=None)
    report = await examine(caught.value)
    assert report.exit_code == 1
    assert {"Python", "Lab", "PUBLIC_URL"} == {check.name for check in report.checks}


async def test_nothing_set_and_no_agent_is_told_check_by_check(tmp_path: Path) -> None:
    report = await examine(load_settings(env={}, env_file=None), search=[tmp_path])
    failed = {check.name for check in report.checks if check.status == "fail"}
    assert failed == {
        "Agent",
        "OPENAI_API_KEY",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "PUBLIC_URL",
    }


async def test_all_is_well(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = {"status": "active", "type": "Full"}
        if request.path == "/v1/models":
            body = {"data": [{"id": "my-model", "shutdown_date": None}]}
        return web.json_response(body)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    (tmp_path / "host.toml").write_text('instructions = "a"\nmodel = "my-model"')
    env = {
        "OPENAI_API_KEY": "sk-abc",
        "OPENAI_BASE_URL": f"{address}/v1",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "primary",
        "EARSHOT_TWILIO_API_URL": address,
        "EARSHOT_AGENT": "host",
        "EARSHOT_DATA_DIR": str(tmp_path / "data"),
        "PUBLIC_URL": "https://bot.example.com",
    }
    try:
        report = await examine(load_settings(env=env, env_file=None), search=[tmp_path])
    finally:
        await runner.cleanup()
    assert report.exit_code == 0, plain(report)
    assert {c.name: c.seen for c in report.checks}["OpenAI"] == "key accepted, my-model is there"
