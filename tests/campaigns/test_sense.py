"""What speaks against starting a campaign is told before it is started, with what mends it."""

from pathlib import Path
from typing import Any

import pytest

from app.campaigns.dry_run import DryRun
from app.campaigns.plan import CallerIds, Limits, Machines, Pacing, Plan, Schedule, Step, Windows
from app.campaigns.sense import Finding, findings
from tests.campaigns.lists import NOW_MS

AGENT = """
disclosure = "I am a machine."
greeting = "Hello."
instructions = "Be kind."
variables = { first_name = "" }
[after_call.dispositions]
booked = "An appointment was made."
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    agents = tmp_path / "agents"
    agents.mkdir()
    (agents / "desk.toml").write_text(AGENT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return agents


def found(run: DryRun | None = None, **given: Any) -> list[Finding]:
    ids = given.pop("caller_ids", CallerIds(numbers=("+442079460101",)))
    plan = Plan(
        **{"name": "spring", "agent": "desk", "machines": Machines(message="Hello."), **given},
        caller_ids=ids,
    )
    return findings(plan, NOW_MS, run)


def bad(run: DryRun | None = None, **given: Any) -> list[tuple[str, str]]:
    return [
        (f"{each.status} {each.about}", each.text)
        for each in found(run, **given)
        if each.status != "ok"
    ]


def test_a_sound_plan_has_nothing_against_it() -> None:
    assert bad() == []
    assert [each.about for each in found()] == ["agent", "message", "caller IDs", "hours", "limits"]


@pytest.mark.parametrize(
    ("given", "about", "says"),
    [
        ({"agent": "dekc"}, "fail agent", "Did you mean desk?"),
        ({"machines": Machines()}, "warn message", "machines are hung up on"),
        ({"machines": Machines(message="Hi.", detect=False)}, "warn message", "never left"),
        (
            {"machines": Machines(message="Hi {{frist_name}}.")},
            "fail message",
            "{{frist_name}} is not in [variables] of the agent desk; did you mean {{first_name}}?",
        ),
        ({"machines": Machines(message="word " * 150)}, "warn message", "takes about 50 s to say"),
        ({"steps": (Step(on=("busy",), then="sms", text="Hi"),)}, "fail steps", "has no sender"),
        ({"steps": (Step(dispositions=("bokked",)),)}, "warn steps", 'never finds "bokked"'),
        (
            {"caller_ids": CallerIds(numbers=("+12125550100", "+1999555010"))},
            "fail caller IDs",
            "+1999555010 is no number that there can be",
        ),
        (
            {"caller_ids": CallerIds(numbers=("+449012345678",))},
            "fail caller IDs",
            "costs more to call back",
        ),
        ({"windows": Windows(hours=("07:30-09:00",))}, "warn hours", "before 08:00"),
        ({"windows": Windows(hours=("20:00-21:30",))}, "warn hours", "after 21:00"),
        ({"schedule": Schedule(ends="2026-01-01T00:00:00Z")}, "fail schedule", "it ended"),
        ({"limits": Limits(abandonment=0.05)}, "warn limits", "5.0%"),
    ],
)
def test_what_speaks_against_it_is_told(given: dict[str, Any], about: str, says: str) -> None:
    ((kind, text),) = bad(**given)
    assert kind == about
    assert says in text


def test_an_agent_that_hides_that_it_is_a_machine_is_told(folder: Path) -> None:
    (folder / "desk.toml").write_text(AGENT.partition("greeting")[2].join(("greeting", "")))
    ((about, text),) = bad()
    assert about == "warn agent"
    assert "disclosure" in text


def test_columns_that_the_agent_does_not_know_are_told() -> None:
    run = DryRun(
        NOW_MS, contacts=1, variables={"first_name", "order", *(f"x{n}" for n in range(9))}
    )
    ((about, text),) = bad(run)
    assert about == "warn variables"
    assert text.endswith("columns order, x0, x1, x2, x3 and 5 more")


@pytest.mark.parametrize(
    ("people", "per_day", "says"),
    [
        (3_600, 0, "198,000 dials a week: one dial for each of 3,600 takes 3.1 h or longer"),
        (700, 20, "100 dials a week: one dial for each of 700 takes 49 d or longer"),
    ],
)
def test_how_long_the_list_takes_is_told(people: int, per_day: int, says: str) -> None:
    run = DryRun(NOW_MS, contacts=people, now=people)
    ids = CallerIds(numbers=("+442079460101",), per_day=per_day)
    pace = found(run, caller_ids=ids, pacing=Pacing(calls_per_second=1))[-1]
    assert pace.about == "pace"
    assert pace.text.endswith(says)
    assert pace.status == ("warn" if per_day else "ok")


def test_a_start_that_is_still_to_come_is_told() -> None:
    later = Schedule(starts="2026-11-19T09:06:40Z")
    (schedule,) = [each for each in found(schedule=later) if each.about == "schedule"]
    assert schedule.status == "ok"
    assert "22 h after" in schedule.text
