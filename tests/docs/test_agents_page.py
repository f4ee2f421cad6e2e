"""Invariant: what the agents' page says of keys, errors, schemas and outputs is so."""

import asyncio
import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from app.agent_report import WARN_PERCENT, inspect_all
from app.agents import (
    Abuse,
    Agent,
    AgentError,
    BargeIn,
    Failover,
    Limits,
    SemanticVad,
    ServerVad,
    Silence,
    Sms,
    load_agent,
)
from app.agents.tokens import PRESSURE_TOKENS
from app.call.collect_tool import BOUNDS, DEFAULTS, SPOKE, TERMINATORS, called_off, result
from app.call.key_entry import KeyEntry
from app.call.relay_settings import RelaySettings
from app.cli.agents_shown import plain
from app.persona import make_persona
from app.settings import Settings
from app.tools import Toolbox
from app.tools.references import load_function
from tests.docs.pages import blocks, codes, example, following, page, table

TEXT = page("agents")
FAILOVER = example(TEXT, "failover")
NOTICES = example(TEXT, "notices")
CLINIC, BAD = (b for b in blocks(TEXT, "toml") if b not in (FAILOVER, NOTICES))
TOOL, DECORATED = blocks(TEXT, "python")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the page's files stand as it says."""
    agents = tmp_path / "agents"
    agents.mkdir()
    (agents / "clinic.toml").write_text(CLINIC.text, encoding="utf-8")
    (agents / "bad.toml").write_text(BAD.text, encoding="utf-8")
    (agents / "clinic.py").write_text(TOOL.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return agents


def _keys(kind: type, after: str) -> dict[str, str]:
    """Key -> default on the page, checked to be all the keys of `kind`."""
    told = {codes(row[0])[0]: row[1] for row in table(TEXT, after)}
    expected = {field.name for field in dataclasses.fields(cast(Any, kind))}
    assert set(told) == expected - {"name", "source", "version", "type"}
    return told


NO_DEFAULT = frozenset(
    {
        *("instructions", "tools", "turn_detection", "barge_in", "silence", "limits"),
        *("prompts", "goodbye", "policy", "hours", "variables", "after_call"),
        *("transfers", "ladder", "menu", "voicemail", "languages"),
        *("mcp", "topics"),
        *("prompts", "goodbye", "sms", "offer", "first_message", "help", "sorry"),
        *("lookup", "recording", "abuse"),
    }
)
"""Keys whose default is told in words."""


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (Agent, "<!-- keys:"),
        (ServerVad, '`type = "server_vad"`'),
        (SemanticVad, '`type = "semantic_vad"`'),
        (BargeIn, "`[barge_in]` says"),
        (Silence, "`[silence]`: when"),
        (Limits, "`[limits]` bounds"),
        (Sms, "`[sms]`: how"),
        (Failover, "Each `[[failover]]`"),
        (Abuse, "`[abuse]` says what it"),
    ],
    ids=[
        "agent",
        "server_vad",
        "semantic_vad",
        "barge_in",
        "silence",
        "limits",
        "sms",
        "failover",
        "abuse",
    ],
)
def test_every_key_stands_with_its_default(kind: type, after: str) -> None:
    told = _keys(kind, after)
    for field in dataclasses.fields(cast(Any, kind)):
        if field.name not in told or field.name in NO_DEFAULT:
            continue
        default = tomllib.loads(f"x = {codes(told[field.name])[0]}")["x"]
        assert (tuple(default) if isinstance(default, list) else default) == field.default


def test_the_check_shows_what_the_page_shows(folder: Path) -> None:
    for other in folder.glob("*.toml"):
        if other.stem != "clinic":
            other.unlink()
    shown = blocks(TEXT.partition("## Check it")[2], "text")[0].text
    assert plain(inspect_all(Settings(), ("clinic",))) == shown.rstrip("\n")


def test_the_page_tells_where_the_pressure_point_is() -> None:
    assert f"the {PRESSURE_TOKENS} tokens that a session takes" in TEXT
    assert f"From {WARN_PERCENT} % on" in TEXT


def test_the_failover_example_is_two_models_that_differ_as_it_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "clinic.toml"
    path.write_text(FAILOVER.text, encoding="utf-8")
    settings = Settings(openai_api_key=SecretStr("sk-own"))
    monkeypatch.setenv("EU_MODEL_KEY", "sk-eu")
    own, elsewhere, smaller = make_persona(load_agent("clinic"), settings).models
    assert elsewhere.config == own.config
    assert elsewhere.credentials.base_url == "https://eu.api.openai.com/v1"
    assert elsewhere.credentials.api_key == "sk-eu"
    assert smaller.credentials == own.credentials
    assert smaller.config.model == "gpt-realtime-2.1-mini"

    monkeypatch.delenv("EU_MODEL_KEY")
    with pytest.raises(AgentError) as error:
        make_persona(load_agent("clinic"), settings)
    assert str(error.value) == following(TEXT, FAILOVER).rstrip("\n")


def test_the_notices_example_is_an_agent_that_says_them_first(folder: Path) -> None:
    path = folder / "clinic.toml"
    path.write_text(NOTICES.text, encoding="utf-8")
    agent = load_agent("clinic")
    call = make_persona(agent, Settings(openai_api_key=SecretStr("sk-own"))).call
    assert call.notices == (agent.disclosure, *agent.notices)
    assert len(call.notices) == 2
    assert agent.greeting in call.late_greeting


def test_the_filler_comes_when_the_page_says() -> None:
    after_s = RelaySettings().filler_after_ms / 1000
    assert f"when no model is there for {after_s:g} s" in TEXT


def test_the_mistakes_are_told_as_the_page_says(folder: Path) -> None:
    with pytest.raises(AgentError) as error:
        load_agent("bad")
    assert str(error.value) == following(TEXT, BAD).rstrip("\n")


def test_the_models_schema_is_the_one_on_the_page(folder: Path) -> None:
    schema = Toolbox([load_function("clinic.py:opening_hours", folder)]).schemas()[0]
    assert schema == json.loads(blocks(TEXT, "json")[0].text)


async def test_the_outputs_are_the_ones_on_the_page(folder: Path) -> None:
    tools = Toolbox([load_function("clinic.py:opening_hours", folder)], built_ins=["hang_up"])
    fine = await tools.run("opening_hours", '{"day": "2026-11-20"}')
    assert json.loads(fine.output) == {"branch": "harbour", "hours": "eight to six"}
    sunday = await tools.run("opening_hours", '{"day": "2026-11-22"}')
    assert json.loads(sunday.output) == {
        "error": "The practice is closed on Sundays. Offer another day."
    }
    told = [codes(row[1])[0] for row in table(TEXT, "<!-- outputs:") if codes(row[1])]
    wrong = await tools.run("opening_hours", "{}")
    head, tail = next(words for words in told if "arguments are wrong" in words).split("...")
    assert wrong.output.startswith(head)
    assert wrong.output.endswith(tail)
    assert (await tools.run("nothing_like_it", "{}")).output in told


async def test_a_failing_and_a_slow_tool_are_told_as_the_page_says() -> None:
    async def opening_hours(slow: bool) -> str:
        """Waits for ever, or fails."""
        if slow:
            await asyncio.Event().wait()
        raise KeyError

    tools = Toolbox([opening_hours], timeout_s=0.01)
    told = [codes(row[1])[0] for row in table(TEXT, "<!-- outputs:") if codes(row[1])]
    assert (await tools.run("opening_hours", '{"slow": false}')).output in told
    late = await tools.run("opening_hours", '{"slow": true}')
    assert late.output.replace(" 0.01 ", " 10 ") in told


def test_the_arguments_of_collect_digits_are_the_ones_on_the_page() -> None:
    rows = table(TEXT, "<!-- collect:")
    assert [codes(row[0])[0] for row in rows] == list(DEFAULTS)
    assert {codes(row[0])[0]: json.loads(codes(row[1])[0]) for row in rows} == dict(DEFAULTS)
    ranges = {codes(row[0])[0]: [json.loads(code) for code in codes(row[2])] for row in rows}
    for key, bounds in BOUNDS.items():
        assert ranges[key] == [bounds.least, bounds.most]
    assert ranges["terminator"] == list(TERMINATORS)


def test_what_the_model_gets_of_digits_is_as_the_page_says() -> None:
    told = [codes(row[1]) for row in table(TEXT, "<!-- digits:")]
    fine, short, spoke, wrong = (row[0] for row in told)
    assert result(KeyEntry("471108", True, "length")) == fine
    assert result(KeyEntry("47", False, "too_short")) == short
    assert called_off(SPOKE).startswith(spoke.removesuffix('..."}'))
    hidden = KeyEntry("4711", True, "length", masked=True, to_model="masked")
    assert f"`{result(hidden)}`" in TEXT
    assert wrong.startswith('{"ok": false, "reason": "collect_digits was not run: ')
    said = {*told[0], *told[1]}
    assert {"terminator", "pause", "no_input", "not_allowed"} <= said


def test_the_decorated_tool_has_the_name_and_limit_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "customers.py"
    path.write_text(DECORATED.text, encoding="utf-8")
    tools = Toolbox.load(["customers.py:find_customer"], tmp_path)
    assert tools.names == ("look_up",)
