"""The model can name only what the agent's file has; a refusal is a sentence for it and leaves no
effect behind; what is not on the line is not offered."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from app.call.events import Effect
from app.onward.plan import MOST_BRIEF_CHARS, Plan, read_plan
from app.onward.ways import Way
from app.tools.current_call import CurrentCall, in_call
from app.tools.errors import ArgumentError, ToolError, ToolLoadError
from app.tools.telephone import TELEPHONE_TOOLS, Crew, telephone_tool
from app.tools.telephone.sending import MOST_KEYS
from app.tools.tool import ToolResult

CREW = Crew(
    transfers={
        "desk": Way("desk", name="the desk", when="they ask for a person"),
        "chef": Way("chef", name="the chef"),
    },
    colleagues={"appointments": "dates", "bills": ""},
    languages=("en", "de"),
    voicemail=True,
    menu=True,
)


@dataclass
class OneLine:
    """See `app.tools.current_call.Line`."""

    refusal: str = ""
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def may_leave_for(self, place: str) -> str:
        return ""

    async def may_transfer(self, key: str) -> str:
        return self._told(key)

    async def send_text(self, text: str, key: str) -> str:
        return self._told(text, key)

    async def go_on_by_text(self, key: str) -> str:
        return self._told(key)

    async def keep_message(self, fields: dict[str, str], key: str) -> str:
        return self._told(fields, key)

    async def never_call(self, key: str) -> str:
        return self._told(key)

    def _told(self, *what: Any) -> str:
        self.asked.append(what)
        return self.refusal


async def run(
    name: str,
    arguments: dict[str, Any] | str = "{}",
    line: OneLine | None = None,
    crew: Crew = CREW,
) -> ToolResult:
    in_call(CurrentCall("CA1", "house", line=line))
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return await telephone_tool(name, crew).run(text, key="k1", timeout_s=5)


def plan_of(result: ToolResult) -> Plan:
    assert result.effect is not None
    assert result.effect.kind == "leave"
    assert result.effect.say
    plan = read_plan(result.effect.value)
    assert plan is not None
    assert plan.run, "a plan must be told from the next one like it"
    return replace(plan, run="")


def parameters(name: str) -> dict[str, Any]:
    found: dict[str, Any] = telephone_tool(name, CREW).schema["parameters"]
    return found


# What the model is told


@pytest.mark.parametrize("name", TELEPHONE_TOOLS)
def test_every_tool_has_a_description_and_takes_nothing_unknown(name: str) -> None:
    schema = telephone_tool(name, CREW).schema
    assert schema["name"] == name
    assert len(schema["description"]) > 40
    assert schema["parameters"]["additionalProperties"] is False


def test_only_names_of_the_file_can_be_named() -> None:
    to = parameters("transfer_call")["properties"]["to"]
    assert to["enum"] == ["desk", "chef"]
    assert to["description"] == "desk: they ask for a person; chef"
    colleagues = parameters("hand_over")["properties"]["to"]
    assert colleagues["enum"] == ["appointments", "bills"]
    assert colleagues["description"] == "appointments: dates; bills"
    assert parameters("switch_language")["properties"]["language"]["enum"] == ["en", "de"]
    assert "+1" not in json.dumps(telephone_tool("transfer_call", CREW).schema)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("transfer_call", r"\[transfers.NAME\]"),
        ("hand_over", "colleagues"),
        ("switch_language", r"\[languages.CODE\]"),
        ("leave_voicemail", r"\[voicemail\]"),
        ("offer_menu", r"\[menu\]"),
    ],
)
def test_a_tool_without_what_it_needs_is_refused_when_it_is_loaded(name: str, what: str) -> None:
    with pytest.raises(ToolLoadError, match=f"{name}: expected .*{what}"):
        telephone_tool(name, Crew())


@pytest.mark.parametrize("name", ["send_keys", "send_sms", "take_message", "request_callback"])
def test_other_tools_need_nothing(name: str) -> None:
    assert telephone_tool(name, Crew()).name == name


# Leaving


async def test_a_transfer_leaves_the_call_with_a_plan() -> None:
    line = OneLine()
    result = await run("transfer_call", {"to": "desk", "brief": "  They are locked in. "}, line)
    assert plan_of(result) == Plan("transfer", "desk", "house", "They are locked in.")
    assert json.loads(result.output) == {"ok": True, "status": "connecting", "to": "the desk"}
    assert line.asked == [("desk",)]


async def test_a_long_brief_is_cut() -> None:
    result = await run("transfer_call", {"to": "desk", "brief": "x" * 5_000}, OneLine())
    assert len(plan_of(result).brief) == MOST_BRIEF_CHARS


async def test_a_transfer_that_is_refused_leaves_the_call_where_it_is() -> None:
    with pytest.raises(ToolError, match="Not there"):
        await run("transfer_call", {"to": "desk"}, OneLine("Not there."))


async def test_without_a_telephone_nobody_is_put_through() -> None:
    with pytest.raises(ToolError, match="cannot do that on this call"):
        await run("transfer_call", {"to": "desk"})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("transfer_call", {"to": "+14155550100"}),
        ("transfer_call", {"to": "Desk"}),
        ("transfer_call", {"to": ["desk"]}),
        ("transfer_call", {"to": "desk", "number": "+14155550100"}),
        ("transfer_call", {}),
        ("transfer_call", "no json"),
        ("transfer_call", "[]"),
        ("hand_over", {"to": "desk"}),
        ("switch_language", {"language": "fr"}),
        ("send_keys", {}),
        ("send_sms", {"text": ""}),
        ("send_sms", {"text": "x" * 601}),
        ("send_sms", {"text": "x", "to": "+14155550100"}),
        ("leave_voicemail", {"to": "desk"}),
        ("take_message", {"message": ""}),
        ("request_callback", {"when": "x" * 201}),
        ("request_callback", {"when": "at nine", "time": "9"}),
        ("request_callback", {"when": "soon", "day": "someday"}),
    ],
)
async def test_wrong_arguments_do_nothing(name: str, arguments: Any) -> None:
    line = OneLine()
    with pytest.raises(ArgumentError):
        await run(name, arguments, line)
    assert line.asked == []


@pytest.mark.parametrize(
    ("name", "what"), [("leave_voicemail", "voicemail"), ("offer_menu", "menu")]
)
async def test_the_menu_and_the_voicemail_leave_the_call(name: str, what: str) -> None:
    assert plan_of(await run(name)) == Plan(what, agent="house")  # type: ignore[arg-type]


# Who speaks, and keys


@pytest.mark.parametrize(
    ("name", "arguments", "effect"),
    [
        ("hand_over", {"to": "bills"}, Effect("agent", "bills")),
        ("switch_language", {"language": "de"}, Effect("language", "de")),
        ("send_keys", {"keys": "12w*#AD"}, Effect("keys", "12w*#AD")),
        ("send_keys", {"keys": "1" * MOST_KEYS}, Effect("keys", "1" * MOST_KEYS)),
    ],
)
async def test_who_speaks_and_what_is_pressed_are_effects(
    name: str, arguments: dict[str, Any], effect: Effect
) -> None:
    result = await run(name, arguments)
    assert result.ok
    assert result.effect == effect


@pytest.mark.parametrize("keys", ["", "1" * (MOST_KEYS + 1), "a", "1 2", "+1", "1\n", "٣"])
async def test_other_keys_are_none(keys: str) -> None:
    with pytest.raises(ToolError, match="Expected up to 40"):
        await run("send_keys", {"keys": keys})


# What is sent and kept


@pytest.mark.parametrize(
    ("name", "arguments", "asked"),
    [
        ("send_sms", {"text": "Our address."}, ("Our address.", "k1")),
        ("continue_by_text", {}, ("k1",)),
        (
            "take_message",
            {"message": "Call me.", "name": "Ann"},
            ({"kind": "message", "message": "Call me.", "name": "Ann", "number": ""}, "k1"),
        ),
        ("do_not_call", {}, ("k1",)),
        (
            "request_callback",
            {"when": "tomorrow at nine", "day": "tomorrow", "time": "09:00"},
            (
                {
                    **{"kind": "callback", "when": "tomorrow at nine", "about": "", "number": ""},
                    **{"in_minutes": "0", "day": "tomorrow", "time": "09:00"},
                },
                "k1",
            ),
        ),
    ],
)
async def test_the_line_carries_it_out_once_for_each_run(
    name: str, arguments: dict[str, Any], asked: tuple[Any, ...]
) -> None:
    line = OneLine()
    result = await run(name, arguments, line)
    assert (result.ok, result.effect) == (True, None)
    assert line.asked == [asked]
    assert telephone_tool(name, CREW).manner.idempotent
    with pytest.raises(ToolError, match="No"):
        await run(name, arguments, OneLine("No."))
