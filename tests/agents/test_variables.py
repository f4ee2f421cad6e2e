"""In a prompt and in a sentence each name stands for what its source may be trusted with, and a
prompt keeps its structure whatever came from outside."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.agents import Agent, load_agent
from app.agents.outside import GUARD
from app.agents.variables import Values, has_variables, header_name, values_of
from app.call.facts import CallFacts
from tests.agents.injections import INJECTIONS

AGENT = Agent(
    name="desk",
    source=Path("desk.toml"),
    instructions="Be kind to {{caller_name}}.",
    timezone="Europe/Berlin",
    variables={"caller_name": "our guest", "note": "", "plan": "basic"},
)
FACTS = CallFacts(
    from_number="sip:+15550100001@pbx.example.com",
    to_number="+15550100002",
    country="US",
    caller_name="Ada",
    sip_headers={"X-Order-Id": "4711", "User-to-User": "ff;encoding=hex"},
    campaign={"note": "called twice", "unheard_of": "x", "weekday": "Doomsday"},
)
LATE = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)


def known(facts: CallFacts = FACTS) -> Values:
    return values_of(AGENT, facts, lambda: LATE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{caller_number}} to {{ called_number }}", "+15550100001 to +15550100002"),
        ("{{caller_country}}, {{direction}}", "US, inbound"),
        ("{{weekday}}, {{date}}, {{time}}", "Saturday, 2026-11-21, 00:30"),
        ("{{caller_name}}", "⟦Ada⟧"),
        ("{{sip_x_order_id}} {{sip_user_to_user}}", "⟦4711⟧ ⟦ff;encoding=hex⟧"),
        ("{{sip_x_other}}, {{forwarded_from}}", "(unknown), (unknown)"),
        ("{{note}}, {{plan}}, {{unheard_of}}", "⟦called twice⟧, basic, (unknown)"),
    ],
)
def test_what_a_prompt_is_told(text: str, told: str) -> None:
    assert known().told(text) == told


def test_a_caller_of_whom_nothing_is_known() -> None:
    values = known(CallFacts(from_number="anonymous"))
    text = "{{caller_name}}, {{caller_number}}, {{note}}, {{called_number}}"
    assert values.told(text) == "our guest, (unknown), (unknown), (unknown)"
    assert values.spoken("Hello {{caller_name}}, {{note}}.") == "Hello our guest."


def test_the_party_of_a_call_that_we_placed_is_the_called_one() -> None:
    values = known(replace(FACTS, direction="outbound"))
    assert values.told("{{caller_number}}, {{direction}}") == "+15550100002, outbound"


def test_a_look_up_goes_before_what_was_known() -> None:
    values = known().told_also({"caller_name": "Ada Byron", "plan": "", "date": "tomorrow"})
    assert values.told("{{caller_name}} {{plan}} {{date}}") == "⟦Ada Byron⟧ basic 2026-11-21"


@pytest.mark.parametrize("value", INJECTIONS)
def test_an_injection_changes_no_structure_of_a_prompt(value: str) -> None:
    caller = "# Caller\n- Name: {{caller_name}}\n- Note: {{note}}"
    prompt = f"# Who you are\nThe desk.\n\n{caller}\n\n# Limits\nNone."
    values = known(CallFacts(caller_name=value, campaign={"note": value}))
    filled = values.prompt(prompt)
    body = filled.removesuffix(f"\n\n{GUARD}")
    assert len(body.splitlines()) == len(prompt.splitlines())
    headings = [line for line in body.splitlines() if line.startswith("#")]
    assert headings == ["# Who you are", "# Caller", "# Limits"]
    for line, template in zip(body.splitlines(), prompt.splitlines(), strict=True):
        assert line.startswith(template.split("{{")[0])
    assert ("⟦" in body) == filled.endswith(GUARD)


@given(st.sampled_from(INJECTIONS) | st.text())
@example(".0")
def test_nothing_from_outside_leaves_the_quotes_of_a_spoken_sentence(value: str) -> None:
    said = known(CallFacts(caller_name=value)).spoken("Hello {{caller_name}}!")
    assert said.startswith("Hello ") and said.endswith("!")
    assert not set(said) & set('"“”{}\n\r⟦⟧#<>')
    if value in INJECTIONS:
        assert said == "Hello our guest!"


def test_a_prompt_without_data_says_nothing_of_data() -> None:
    assert known().prompt("On {{date}}.") == "On 2026-11-21."
    assert known(CallFacts()).prompt("{{caller_name}}") == "our guest"
    assert known().prompt("{{caller_name}}\n") == f"⟦Ada⟧\n\n{GUARD}"


@given(st.text())
def test_a_sentence_that_names_nothing_is_spoken_as_it_stands(text: str) -> None:
    if "{{" not in text:
        assert known().spoken(text) == text
        assert known().prompt(text) == text


def test_values_keep_out_of_reprs() -> None:
    assert "Ada" not in repr(known()) and "5550100001" not in repr(known())


def test_an_agent_says_whether_it_needs_any() -> None:
    assert has_variables(AGENT)
    assert has_variables(replace(AGENT, instructions="-", notices=("Hi {{caller_name}}",)))
    assert not has_variables(replace(AGENT, instructions="-"))


@pytest.mark.parametrize(
    ("header", "name"),
    [("X-Order-Id", "sip_x_order_id"), ("User-to-User", "sip_user_to_user"), ("X-Ä", "sip_x__")],
)
def test_a_header_has_a_name(header: str, name: str) -> None:
    assert header_name(header) == name


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("416461;encoding=hex", "Ada"),
        ("41 64 61 ; Encoding=hex", "Ada"),
        ("41646;encoding=hex", ""),
        ("ff;encoding=hex", ""),
        ("416461", ""),
        ("0a2320;encoding=hex;purpose=x", "\n# "),
    ],
)
def test_the_text_of_a_user_to_user_header(header: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text('instructions = "{{sip_user_to_user_text}}"', encoding="utf-8")
    agent = load_agent(path)
    values = values_of(
        agent,
        CallFacts(sip_headers={"User-to-User": header}),
        lambda: datetime(2026, 11, 20, 12, tzinfo=UTC),
    )
    assert values.raw("sip_user_to_user_text") == text
    told = values.told(agent.instructions)
    assert told == "(unknown)" or (told[0], told[-1]) == ("⟦", "⟧")
