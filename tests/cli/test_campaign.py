"""The commands do what they say, tell in a line what cannot be done, and show the same facts at a
terminal of 80 columns as in a pipe."""

import asyncio
import csv
import io
import json
import os
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console, RenderableType

from app.campaigns.judging import Policy
from app.campaigns.plan import CallerIds, Plan
from app.campaigns.progress import Progress
from app.campaigns.states import CampaignState
from app.campaigns.store import Campaign, Entry
from app.cli import campaign_check, earshot
from app.cli.campaign_log_view import told_of
from app.cli.campaign_view import plain, spark, view, warnings
from app.policy.dialing.words import (
    Allowed,
    Answer,
    DialRule,
    DialRules,
    History,
    Never,
    NotNow,
    Person,
)
from app.records.database import Database, sql_url
from tests.campaigns.lists import HOUR_MS, NOW_MS, dialled, listed, number, spoken

PLAN = """
agent = "appointments"
[caller_ids]
numbers = ["+442079460101"]
[machines]
message = "Hello."
"""


def policy(person: Person, history: History, rules: DialRules, now_ms: int) -> Answer:
    """Numbers that end in 1 never, in 2 later."""
    match person.number[-1]:
        case "1":
            return Never(DialRule.DO_NOT_CALL, "Asked by SMS not to be called.")
        case "2":
            return NotNow(DialRule.LAW_HOURS, "It is 03:00 there.", NOW_MS + 5 * HOUR_MS)
        case _:
            return Allowed(now_ms + HOUR_MS, ("identify",))


@pytest.fixture(autouse=True)
def desk(bare_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the file of one campaign, and a policy of the tests' own."""
    Path("campaigns").mkdir()
    Path("campaigns/spring.toml").write_text(PLAN, encoding="utf-8")
    ruling = Policy(policy, {"identify": "Say at once who calls."})
    monkeypatch.setattr(campaign_check, "policy", lambda: ruling)


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(earshot, ["campaign", *arguments], input=given)


def fine(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def on_database(work: Callable[[Database], Coroutine[Any, Any, Any]]) -> None:
    async def opened() -> None:
        database = Database(sql_url("", Path("earshot-data")))
        await database.upgrade()
        await work(database)
        await database.close()

    asyncio.run(opened())


def drawn(what: RenderableType, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_help_names_every_part_with_what_it_does() -> None:
    output = fine("--help")
    for name in ("list", "create", "check", "start", "pause", "status", "why", "export"):
        assert re.search(rf"^  {name} +[A-Z].*\.$", output, re.MULTILINE), name
        assert run(name, "--help").exit_code == 0
    assert run("dance").exit_code == 2


def test_a_campaign_from_its_file_to_its_end() -> None:
    assert "spring    not made" in fine("list")
    assert fine("create", "spring").startswith("spring is draft")
    assert "spring is running" in fine("start", "spring")
    assert "spring is paused" in fine("pause", "spring", "--why", "lunch")
    assert "spring is running" in fine("resume", "spring")
    assert "spring is stopped" in fine("stop", "spring", "--yes")
    log = fine("log", "spring").splitlines()
    assert [line.split()[3] for line in log] == ["stop", "resume", "pause", "start", "create"]
    assert log[2].endswith("running → paused: lunch")
    entries = [json.loads(line) for line in fine("log", "spring", "--json").splitlines()]
    assert entries[0]["detail"] == {"from": "running", "to": "stopped", "why": ""}
    assert entries[0]["by"].startswith("cli")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "sprign"), "Did you mean spring?"),
        (("start", "autumn"), "There is no campaign 'autumn'; there are: spring."),
        (("create", "spring"), "There is a campaign 'spring' already."),
        (("resume", "spring"), "expected a move that a draft campaign can make, got resume"),
        (("why", "spring", "+4420"), "Nobody in spring has the number +4420."),
        (("export", "autumn"), "There is no campaign 'autumn'"),
        (("status", "autumn"), "There is no campaign 'autumn'"),
        (("check", "autumn"), "There is no campaign 'autumn'"),
        (("log", "autumn"), "There is no campaign 'autumn'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(arguments: tuple[str, ...], says: str) -> None:
    fine("create", "spring")
    result = run(*arguments)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_wrong_makes_no_campaign() -> None:
    Path("campaigns/spring.toml").write_text(PLAN.replace("agent", "agnet"))
    result = run("create", "spring")
    assert result.exit_code == 1
    assert "campaigns/spring.toml:2: agnet: there is no such key" in result.stderr
    assert "there are: none" in run("start", "spring").stderr


def test_stopping_asks_first() -> None:
    fine("create", "spring")
    assert run("stop", "spring", given="n\n").exit_code == 1
    assert "spring   draft" in fine("list").replace("spring    ", "spring   ")
    assert "is stopped" in run("stop", "spring", given="y\n").output


def test_a_changed_file_is_a_new_plan() -> None:
    fine("create", "spring")
    assert "already" in fine("change", "spring")
    Path("campaigns/spring.toml").write_text(f"{PLAN}[caps]\ntotal = 9\n")
    assert fine("change", "spring").startswith("spring is draft")
    assert "caps.total 6 → 9" in fine("log", "spring")


def test_a_database_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://me:secret@host/db")
    result = run("list")
    assert result.exit_code == 1
    assert "expected" in result.stderr
    assert "secret" not in result.output


def test_check_counts_everybody_and_says_why() -> None:
    fine("create", "spring")
    on_database(lambda database: listed(database, 5))
    output = fine("check", "spring", "--at", "2026-11-18T11:06:40Z")
    assert "at 2026-11-18 11:06 UTC" in output
    rows = [line.split(maxsplit=2) for line in output.splitlines()]
    for row in (["people", "5"], ["now", "3"], ["later", "1"], ["never", "1"]):
        assert row in rows
    assert "later  law_hours    1  from 16:06 UTC" in output
    assert f"{number(1)}  Asked by SMS not to be called." in output
    assert "must  3  identify  Say at once who calls." in output
    assert "No legal advice." in output
    data = json.loads(fine("check", "spring", "--json"))
    assert (data["now"], data["later"], data["never"]) == (3, 1, 1)
    assert [rule["rule"] for rule in data["rules"]] == ["do_not_call", "law_hours"]


def test_check_fails_where_something_must_be_mended() -> None:
    fine("create", "spring")
    Path("campaigns/spring.toml").write_text(PLAN.replace("+442079460101", "+199955501"))
    fine("change", "spring")
    result = run("check", "spring")
    assert result.exit_code == 1
    assert "fail  caller IDs  +199955501 is no number that there can be" in result.output
    assert "1 thing to mend" in result.output


def test_a_time_without_an_offset_is_refused() -> None:
    result = run("check", "spring", "--at", "2026-11-18 11:06")
    assert result.exit_code == 2
    assert "with its offset" in result.output


def test_why_tells_what_stands_in_the_way() -> None:
    fine("create", "spring")
    on_database(lambda database: listed(database, 3))
    on_database(lambda database: dialled(database, 1))
    output = fine("why", "spring", number(1), "--at", "2026-11-18T11:06:40Z")
    assert "do_not_call: Asked by SMS not to be called." in output
    assert "The campaign is draft: nothing is dialled." in output
    assert "no_answer" in output
    assert "It is 03:00 there. From 2026-11-18 16:06 UTC." in fine("why", "spring", number(2))
    assert "no rule stands against it" in fine("why", "spring", number(3))


def test_export_writes_a_file_for_its_owner_only() -> None:
    fine("create", "spring")

    async def fill(database: Database) -> None:
        await listed(database, 2)
        await spoken(database, await dialled(database, 1, outcome="answered"), summary="=1+1")

    on_database(fill)
    lines = list(csv.DictReader(io.StringIO(fine("export", "spring"))))
    assert [line["number"] for line in lines] == [number(1), number(2)]
    assert lines[0]["summary"] == "'=1+1"
    out = "results.jsonl"
    assert fine("export", "spring", "--format", "jsonl", "--out", out) == f"2 people in {out}\n"
    assert os.stat(out).st_mode & 0o777 == 0o600
    assert len(Path(out).read_text().splitlines()) == 2
    again = run("export", "spring", "--out", out)
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert len(Path(out).read_text().splitlines()) == 2
    assert run("export", "spring", "--out", "no/such/folder").exit_code == 1


def test_status_without_a_terminal_is_printed_once() -> None:
    fine("create", "spring")
    on_database(lambda database: listed(database, 2))
    output = fine("status", "spring")
    assert re.search(r"^waiting +2$", output, re.MULTILINE)
    assert re.search(r"^state +draft since", output, re.MULTILINE)
    assert "create" in output


def progress(**given: Any) -> Progress:
    plan = Plan(name="spring", agent="a", caller_ids=CallerIds(numbers=("+442079460101",)))
    campaign = Campaign(
        campaign_id="spring",
        state=given.pop("state", CampaignState.RUNNING),
        plan=given.pop("plan", plan),
        plan_version="4f3a2b1c9d",
        created_at_ms=NOW_MS - 9 * HOUR_MS,
        changed_at_ms=NOW_MS - HOUR_MS,
    )
    usual: dict[str, Any] = {
        "at_ms": NOW_MS,
        "campaign": campaign,
        "states": {"waiting": 7817, "done": 4210, "never": 310, "held": 8},
        "due": 1204,
        "next_due_at_ms": NOW_MS + HOUR_MS,
        "outcomes": {"no_answer": 2300, "answered": 1318, "machine": 700, "busy": 220, "fax": 1},
        "dispositions": {"booked": 610, "not_interested_at_the_moment_or_ever": 402},
        "in_progress": 8,
        "dials_a_minute": (0, 3, 24),
        "answered": 1000,
        "abandoned": 10,
        "cost_usd": 412.3,
        "texts": {"sent": 210, "opted_out": 3},
        "newest": [
            Entry(entry_id=1, at_ms=NOW_MS, by="cli:ann", what="pause",
                  detail={"from": "running", "to": "paused", "why": "[bold]lunch[/] " * 20}),
        ],
    }  # fmt: skip
    return Progress(**{**usual, **given})


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("height", [24, 50])
def test_the_board_fits_its_terminal(width: int, height: int) -> None:
    lines = drawn(view(progress(), width, height), width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    text = "\n".join(lines)
    for fact in (
        "12,345",
        "1,204 now, the next in 1 h",
        "24 dials a minute of 60",
        "$412.30",
        "210 sent",
    ):
        assert fact in text
    assert "1.0% of 1,000 live answers" in text
    assert "29.0% of the dials that rang" in text
    assert "[bold]lunch[/]" in text


def test_an_empty_board_is_a_board_too() -> None:
    empty = progress(
        states={}, due=0, next_due_at_ms=None, outcomes={}, dispositions={}, in_progress=0,
        dials_a_minute=(0, 0, 0), answered=0, abandoned=0, cost_usd=0.0, texts={}, newest=[],
    )  # fmt: skip
    assert "0 dials a minute" in drawn(view(empty, 80, 24), 80)
    assert any("cost" in line for line in plain(empty))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, []),
        ({"abandoned": 30}, ["Abandonment is 3.0%, the limit 3.0%"]),
        ({"abandoned": 25}, ["Abandonment is 2.5%, near its limit"]),
        ({"in_progress": 0, "dials_a_minute": (9, 0, 0, 0, 0, 0)}, ["1,204 are due and nobody"]),
        ({"in_progress": 0, "dials_a_minute": (9, 0, 0, 0, 0, 0), "due": 0}, []),
        ({"in_progress": 0, "dials_a_minute": (0,), "state": CampaignState.PAUSED}, []),
    ],
)
def test_what_an_operator_should_look_after_is_told(given: dict[str, Any], says: list[str]) -> None:
    told = list(warnings(progress(**given)))
    assert len(told) == len(says)
    for line, start in zip(told, says, strict=True):
        assert line.startswith(start)
        assert f"! {line[:40]}" in drawn(view(progress(**given), 80, 24), 80)


def test_a_bar_for_each_minute() -> None:
    assert spark((0, 1, 4, 8)) == " ▁▄█"
    assert spark((0, 0)) == "  "


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"from": "draft", "to": "running", "why": ""}, "draft → running"),
        ({"from": "a", "to": "b", "changed": {"caps.total": [6, 9]}, "judged_anew": 1200},
         "caps.total 6 → 9; 1,200 judged anew"),
        ({"rows": 12, "file": "x.csv", "note": ""}, "rows 12, file x.csv"),
        ({"text": "x" * 90}, f"text {'x' * 59}…"),
    ],
)  # fmt: skip
def test_the_log_is_told_in_words(detail: dict[str, Any], told: str) -> None:
    entry = Entry(entry_id=1, at_ms=0, by="ann", what="plan", detail=detail)
    assert told_of(entry) == told


def test_a_campaign_over_a_pbx_says_what_is_otherwise_or_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EARSHOT_CALLS_OUT", "pbx")
    fine("create", "spring")
    started = run("start", "spring")
    assert started.exit_code == 0
    assert "A machine is known by its beep only" in started.stderr
    trunk = PLAN.replace("[machines]", f'trunk = "BY{"0" * 32}"\n[machines]')
    Path("campaigns/autumn.toml").write_text(trunk, encoding="utf-8")
    fine("create", "autumn")
    refused = run("start", "autumn")
    assert refused.exit_code == 1
    assert "set BOT_TRUNK in extensions.conf" in refused.stderr
