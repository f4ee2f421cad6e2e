"""A campaign is made, filled, moved and watched over HTTP as by the command line; nobody without a
token sees or changes anything, and what is wrong is told in the same words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import insert
from starlette.applications import Starlette

from app.console.campaigns import campaign_routes
from app.records.database import Database, sql_url
from app.records.tables import do_not_call
from app.settings import Settings
from tests.campaigns.lists import NOW_MS

TOKEN = "t0ken-of-the-operator"
PLAN = """\
agent = "appointments"
[caller_ids]
numbers = ["+442079460101"]
[law]
purpose = "service"
consent = "not_required"
"""
LIST = "phone,first_name\n+442079460901,Ada\n+442079460902,Grace\nnone,Nobody\n"
WHO = "+442079460901"


@asynccontextmanager
async def an_api(
    folder: Path, token: str = TOKEN, calls_out: Literal["", "pbx"] = ""
) -> AsyncIterator[httpx.AsyncClient]:
    tokens = SecretStr(f"another-token-before,{TOKEN}")
    settings = Settings(data_dir=folder, api_token=tokens, calls_out=calls_out)
    database = Database(sql_url("", folder))
    try:
        await database.upgrade()
        app = Starlette(routes=[*campaign_routes(settings, database, lambda: NOW_MS)])
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://bot",
            headers={"Authorization": f"Bearer {token}", "X-Earshot-By": "crm"},
        ) as client:
            yield client
    finally:
        await database.close()


async def made(api: httpx.AsyncClient) -> None:
    answer = await api.put("/api/v1/campaigns/spring", content=PLAN)
    assert (answer.status_code, answer.json()["state"]) == (201, "draft")


async def test_from_a_plan_to_a_running_campaign(tmp_path: Path) -> None:
    async with an_api(tmp_path) as api:
        await made(api)
        loaded = await api.post("/api/v1/campaigns/spring/contacts", content=LIST)
        report = loaded.json()
        assert (loaded.status_code, report["loaded"], report["invalid"]) == (422, 2, 1)
        assert [(fault["row"], fault["column"]) for fault in report["faults"]] == [(4, "phone")]
        started = await api.post("/api/v1/campaigns/spring/start")
        assert started.json()["state"] == "running"
        seen = (await api.get("/api/v1/campaigns/spring")).json()
        assert (seen["contacts"], seen["states"], seen["plan"]["agent"]) == (
            2,
            {"waiting": 2},
            "appointments",
        )
        paused = await api.post("/api/v1/campaigns/spring/pause", params={"why": "lunch"})
        assert paused.json()["state"] == "paused"
        entry = (await api.get("/api/v1/campaigns/spring/log")).json()["log"][0]
        assert (entry["what"], entry["by"], entry["detail"]["why"]) == ("pause", "api:crm", "lunch")
        found = (await api.get("/api/v1/campaigns")).json()["campaigns"]
        assert [(each["name"], each["state"]) for each in found] == [("spring", "paused")]


async def test_a_campaign_over_a_pbx_says_what_is_otherwise_or_does_not_begin(
    tmp_path: Path,
) -> None:
    async with an_api(tmp_path, calls_out="pbx") as api:
        await made(api)
        started = await api.post("/api/v1/campaigns/spring/start")
        assert "by its beep only" in started.json()["notes"][0]
        trunk = PLAN.replace("[law]", 'trunk = "BY1"\n[law]')
        assert (await api.put("/api/v1/campaigns/autumn", content=trunk)).status_code == 201
        refused = await api.post("/api/v1/campaigns/autumn/start")
        assert refused.status_code == 422
        assert "BOT_TRUNK" in refused.json()["problems"][0]


async def test_the_people_of_a_list_come_in_pages(tmp_path: Path) -> None:
    async with an_api(tmp_path) as api:
        await made(api)
        await api.post("/api/v1/campaigns/spring/contacts", content=LIST)
        first = (await api.get("/api/v1/campaigns/spring/contacts?most=1")).json()
        then = (
            await api.get(f"/api/v1/campaigns/spring/contacts?most=5&after={first['after']}")
        ).json()
        people = [*first["contacts"], *then["contacts"]]
        assert [each["variables"]["first_name"] for each in people] == ["Ada", "Grace"]
        assert (people[0]["dials"], people[0]["texts"], then["after"]) == ([], [], None)


async def test_why_somebody_is_not_dialled(tmp_path: Path) -> None:
    async with an_api(tmp_path) as api:
        await made(api)
        await api.post("/api/v1/campaigns/spring/contacts", content=LIST)
        database = Database(sql_url("", tmp_path))
        async with database.writing() as connection:
            row = {"number": WHO, "source": "spoken", "at_ms": NOW_MS}
            await connection.execute(insert(do_not_call), [row])
        await database.close()
        told = (await api.get("/api/v1/campaigns/spring/why", params={"number": WHO})).json()
        assert (told["may_be_dialled"], told["rule"]) == (False, "do_not_call")
        assert "draft" in " ".join(told["besides"])


async def test_a_plan_is_changed_by_json_too(tmp_path: Path) -> None:
    async with an_api(tmp_path) as api:
        await made(api)
        plan = {"agent": "receptionist", "caller_ids": {"numbers": ["+442079460101"]}}
        answer = await api.put("/api/v1/campaigns/spring", json=plan)
        assert (answer.status_code, answer.json()["agent"]) == (200, "receptionist")


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        ('agent = "nobody"\n[caller_ids]\nnumbers = ["020"]\n', "spring.toml:3: caller_ids"),
        ({"agent": "receptionist", "caller_ids": {"numbers": ["020"]}}, "spring: caller_ids"),
        ({"agent": "receptionist", "caler_ids": {}}, "did you mean caller_ids?"),
    ],
)
async def test_every_mistake_is_told(tmp_path: Path, plan: Any, line: str) -> None:
    given: dict[str, Any] = {"content": plan} if isinstance(plan, str) else {"json": plan}
    async with an_api(tmp_path) as api:
        answer = await api.put("/api/v1/campaigns/spring", **given)
    assert answer.status_code == 422
    assert any(line in problem for problem in answer.json()["problems"])


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/campaigns/summer", 404, "There is no campaign 'summer'"),
        ("POST", "/campaigns/summer/contacts", 404, "There is no campaign"),
        ("POST", "/campaigns/spring/resume", 409, "expected a move that a draft"),
        ("POST", "/campaigns/spring/contacts", 400, "an empty body"),
        ("POST", "/campaigns/spring/contacts?regoin=GB", 400, "no parameter 'regoin'"),
        ("GET", "/campaigns/spring/why", 400, "number"),
        ("GET", "/campaigns/spring/why?number=%2B442079460999", 404, "Nobody in spring"),
        ("GET", "/campaigns/spring/contacts?most=many", 400, '"most"'),
        ("PUT", "/campaigns/a.b", 422, "the campaign is wrong"),
    ],
)
async def test_what_is_wrong_is_told(
    tmp_path: Path, method: str, path: str, status: int, told: str
) -> None:
    async with an_api(tmp_path) as api:
        await made(api)
        given = {"content": "phone\n"} if "regoin" in path else {}
        answer = await api.request(method, f"/api/v1{path}", **given)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert told in answer.json()["error"]


@pytest.mark.parametrize("token", ["", "t0ken-of-the-operato", "another token", TOKEN + "x"])
async def test_nobody_else_is_let_in(tmp_path: Path, token: str) -> None:
    async with an_api(tmp_path, token) as api:
        for method, path in (("GET", "/campaigns"), ("PUT", "/campaigns/spring")):
            answer = await api.request(method, f"/api/v1{path}")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_both_tokens_open_while_they_are_changed(tmp_path: Path) -> None:
    async with an_api(tmp_path, "another-token-before") as api:
        assert (await api.get("/api/v1/campaigns")).status_code == 200


async def test_without_a_token_there_is_no_api(tmp_path: Path) -> None:
    database = Database(sql_url("", tmp_path))
    assert campaign_routes(Settings(data_dir=tmp_path), database) == []
    await database.close()
