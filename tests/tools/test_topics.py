"""The model sees one small function until it asks for a topic; then it has the topic's tools, and
what it cannot mean is told in a sentence."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.call.events import Effect
from app.tools import Toolbox, ToolLoadError
from app.tools.tool import Manner, Tool, ToolResult, schema_of
from app.tools.topics import LOAD_TOOLS, Topic, check_topics


@dataclass
class Plain:
    name: str
    manner: Manner = field(default_factory=Manner)
    timeout_s: float | None = None
    max_output_chars: int | None = None

    @property
    def schema(self) -> dict[str, Any]:
        return schema_of(self.name, self.name, {"type": "object", "properties": {}})

    async def run(self, arguments_json: str, *, key: str, timeout_s: float) -> ToolResult:
        return ToolResult(True, "1")


@dataclass
class Server:
    """A source whose tools may not be known yet."""

    known: list[Tool] = field(default_factory=list)

    def tools(self, taken: object) -> list[Tool]:
        return self.known


TOPICS = {
    "billing": Topic("Invoices.", ("pay", "mcp.erp")),
    "people": Topic("Callers", ("find", "pay")),
}


def box(server: Server | None = None) -> Toolbox:
    tools = [Plain("pay"), Plain("find"), Plain("always")]
    return Toolbox(tools, built_ins=["hang_up"], sources=[server or Server()], topics=TOPICS)


def told(toolbox: Toolbox, *loaded: str) -> list[str]:
    return [schema["name"] for schema in toolbox.schemas(loaded)]


def test_before_it_asks_the_model_sees_what_is_in_no_topic_and_the_way_to_the_others() -> None:
    assert told(box()) == ["always", LOAD_TOOLS, "hang_up"]
    schema = next(s for s in box().schemas() if s["name"] == LOAD_TOOLS)
    assert schema["parameters"]["properties"]["topic"]["enum"] == ["billing", "people"]
    assert schema["description"].endswith("Topics: billing: Invoices; people: Callers.")


def test_then_it_has_them_and_when_all_are_loaded_nothing_is_left_to_ask_for() -> None:
    erp = Server([Plain("refund", Manner(server="erp"))])
    assert told(box(erp)) == ["always", LOAD_TOOLS, "hang_up"]
    assert told(box(erp), "billing") == ["pay", "always", "refund", LOAD_TOOLS, "hang_up"]
    assert told(box(erp), "people") == ["pay", "find", "always", LOAD_TOOLS, "hang_up"]
    assert told(box(erp), "billing", "people", "gone") == [
        *("pay", "find", "always", "refund", "hang_up")
    ]


async def test_asking_tells_the_names_and_has_the_call_offer_them() -> None:
    result = await box().run(LOAD_TOOLS, '{"topic": "people"}')
    assert json.loads(result.output)["loaded"] == ["find", "pay"]
    assert result.effect == Effect("topics", "people")


@pytest.mark.parametrize("arguments", ["", "[]", "{}", '{"topic": "nothing"}', '{"topic": 1}'])
async def test_what_cannot_be_meant_is_told(arguments: str) -> None:
    result = await box().run(LOAD_TOOLS, arguments)
    assert not result.ok
    assert result.effect is None
    assert "one of billing, people" in json.loads(result.output)["error"]


async def test_a_topic_whose_server_is_not_there_is_told_so() -> None:
    toolbox = Toolbox(sources=[Server()], topics={"erp": Topic("It.", ("mcp.erp",))})
    result = await toolbox.run(LOAD_TOOLS, '{"topic": "erp"}')
    assert not result.ok
    assert result.effect is None


def test_a_tool_that_cannot_be_is_told_when_the_agent_is_loaded() -> None:
    with pytest.raises(ToolLoadError, match='no tool "refund"; there are: pay'):
        check_topics({"a": Topic("A", ("refund",))}, ["pay"], [])
    with pytest.raises(ToolLoadError, match=r'got "mcp\.crm"; there are: erp'):
        check_topics({"a": Topic("A", ("mcp.crm",))}, ["pay"], ["erp"])
    check_topics({"a": Topic("A", ("refund", "mcp.erp"))}, ["pay"], ["erp"])


def test_the_name_is_taken() -> None:
    with pytest.raises(ToolLoadError, match="Two tools are called load_tools"):
        Toolbox([Plain(LOAD_TOOLS)])
