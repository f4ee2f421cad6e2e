"""Invariant: the page of tools holds every key with its default, its examples are agents whose
tools load, and its function is a tool."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from app.agents import load_agent
from app.agents.tools_tables import HttpParameter, HttpTool, McpOptions, McpServer, Topic
from app.call.tool_desk import CANCELLED
from app.persona import make_persona
from app.settings import Settings
from app.tools import CurrentCall, Effect, FunctionTool, Toolbox
from app.tools.current_call import in_call
from app.tools.http.client import CONNECT_S, MOST_BYTES
from app.tools.telephone import TELEPHONE_TOOLS
from bench.booking import RUNS
from bench.booking_worker import STEPS
from tests.docs.pages import blocks, codes, example, page, table

TEXT = page("tools")


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (HttpTool, "[[http_tools]]"),
        (HttpParameter, "[http_tools.parameters.NAME]"),
        (McpServer, "[mcp.NAME]"),
        (McpOptions, "[mcp.NAME.options.TOOL]"),
        (Topic, "[topics.NAME]"),
    ],
    ids=["http", "parameter", "mcp", "options", "topic"],
)
def test_every_key_stands_with_its_default(kind: type, heading: str) -> None:
    heading = f"| Key of `{heading}`"
    lines = TEXT[TEXT.index(heading) :].split("\n\n")[0].splitlines()[2:]
    told = {codes(line)[0]: [cell.strip() for cell in line.split("|")][2] for line in lines}
    fields = {field.name: field for field in dataclasses.fields(cast(Any, kind))}
    assert list(told) == list(fields)
    for name, default in told.items():
        field = fields[name]
        if default == "none":
            assert field.default in (dataclasses.MISSING, None)
            continue
        value = tomllib.loads(f"x = {codes(default)[0]}")["x"]
        own = field.default_factory() if callable(field.default_factory) else field.default
        assert (tuple(value) if isinstance(value, list) else value) == own, name


@pytest.mark.parametrize(
    ("name", "tools"),
    [("http", ["book_table"]), ("mcp", []), ("topics", ["load_tools", "hang_up"])],
)
def test_the_examples_are_agents_whose_tools_load(
    name: str, tools: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("BOOKING_KEY", "CRM_TOKEN", "STOCK_TOKEN"):
        monkeypatch.setenv(variable, "s3cret")
    path = tmp_path / "house.toml"
    path.write_text(example(TEXT, name).text, encoding="utf-8")
    persona = make_persona(load_agent(path), Settings(openai_api_key=SecretStr("sk-own")))
    assert [schema["name"] for schema in persona.tools.schemas()] == tools


def test_the_function_is_a_tool_that_hides_its_key() -> None:
    block, _ = blocks(TEXT, "python")
    names: dict[str, Any] = {}
    exec(block.text, names)
    tool = FunctionTool.of(names["book_table"])
    assert list(tool.parameters["properties"]) == ["people"]
    assert tool.manner.idempotent


def test_the_figures_are_the_programs() -> None:
    assert f"{CONNECT_S:g} s to connect, {MOST_BYTES // 1_000_000} MB of an answer" in TEXT
    assert "cancelled because the caller spoke" in CANCELLED
    assert len(STEPS) == 9
    assert f"nine steps of a booking, {RUNS} times" in TEXT


def test_the_telephones_tools_are_all_on_the_page() -> None:
    rows = table(TEXT, "is decided by the [policy]")
    assert {codes(row[0])[0] for row in rows} == {*TELEPHONE_TOOLS, "hang_up", "collect_digits"}


async def test_a_tool_knows_its_call_and_may_do_something_to_it() -> None:
    _, block = blocks(TEXT, "python")
    space: dict[str, Any] = {}
    exec(compile(block.text, "tools.md", "exec"), space)
    box = Toolbox([space["find_me"]])
    in_call(CurrentCall("CA1", "desk", caller="+14155550100"))
    found = await box.run("find_me", "{}")
    assert (found.ok, found.effect) == (True, Effect("agent", "support"))
    in_call(CurrentCall("CA1", "desk"))
    withheld = await box.run("find_me", "{}")
    assert not withheld.ok
    assert "customer number" in withheld.output
