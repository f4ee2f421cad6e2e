"""The support line tells the state of a line that there is, and opens one ticket a customer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from app.agents import load_agent
from app.tools import ToolError
from app.tools.references import load_function

AGENTS = Path(__file__).parents[2] / "agents"
check_line, open_ticket = (
    load_function(f"subscribers.py:{name}", AGENTS) for name in ("check_line", "open_ticket")
)
tickets = cast(dict[str, Any], open_ticket.__globals__["tickets"])
lines = cast(dict[str, Any], open_ticket.__globals__["lines"])


@pytest.fixture(autouse=True)
def no_tickets() -> Iterator[None]:
    tickets.clear()
    yield
    tickets.clear()


@pytest.mark.parametrize("number", ["471108", "4 7 1 1 0 8", "47-11-08"])
def test_a_line_is_found_by_its_number_however_it_is_written(number: str) -> None:
    found = check_line(number)
    assert (found["street"], found["state"]) == ("Mill Lane", "down")
    assert "ticket" in found["what_to_do"]


def test_every_state_comes_with_what_to_do() -> None:
    assert {check_line(number)["state"] for number in lines} == {"up", "down", "slow", "area_fault"}
    assert check_line("471111")["should_be_over_by"] == "six this evening"


@pytest.mark.parametrize(
    ("number", "told"),
    [("47110", "has 6 digits, this one has 5"), ("", "this one has 0"), ("٤٧١١٠٨", "has 0"),
     ("999999", "no line with this customer number")],
)  # fmt: skip
def test_a_number_that_there_is_not_is_told(number: str, told: str) -> None:
    for run, more in ((check_line, ()), (open_ticket, ("no light",))):
        with pytest.raises(ToolError, match=told):
            run(number, *more)
    assert not tickets


def test_a_customer_has_one_open_ticket() -> None:
    number = open_ticket("471108", " The line is down. ", "+15550100001")["ticket_number"]
    assert tickets[number].problem == "The line is down."
    assert check_line("471108")["open_ticket"] == number
    with pytest.raises(ToolError, match=f"already: {number}"):
        open_ticket("4711 08", "again")
    assert open_ticket("471110", "slow")["ticket_number"] != number


def test_the_agents_technicians_are_an_example_that_calls_nobodys_number() -> None:
    agent = load_agent("support", [AGENTS])
    assert agent.transfers["technicians"].to == "client:technicians"
