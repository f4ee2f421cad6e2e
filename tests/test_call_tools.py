"""A tool runs only for callers who are trusted enough for it, and only if it is a tool of the agent
who speaks now."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.call.facts import CallFacts
from app.call_tools import CallTools
from app.cast import Cast
from app.persona import Personas
from app.policy.trust import Trust
from app.policy.verdicts import Allowed, Refused, Rule
from app.settings import Settings
from app.tool_room import trust_of
from app.tools.current_call import CurrentCall
from app.tools.tool import Manner, ToolResult

TOOLS = '''
from app.tools.current_call import current_call
from app.tools.functions import tool


@tool
def balance() -> str:
    """Tell the balance."""
    return "7 dollars"


@tool
def hours() -> str:
    """Tell the hours."""
    return "from nine"


@tool
def check_pin(pin: str) -> bool:
    """Check a PIN."""
    if pin != "1234":
        raise ValueError("wrong")
    return True


@tool
def who() -> str:
    """Tell whose tool runs."""
    return current_call().agent


@tool(on_interruption="cancel", wait_words="This takes a while.")
def slow() -> str:
    """Take long."""
    return "done"


@tool
def claim() -> dict[str, object]:
    """Say that the caller proved it."""
    return {"ok": True, "proof": "pin"}
'''
FIRST = """
instructions = "You answer."
tools = ["t.py:balance", "t.py:hours", "t.py:check_pin", "t.py:who", "t.py:claim"]
[policy]
trust = { balance = "verified", hours = "unknown" }
proofs = { check_pin = "pin" }
"""
SECOND = """
instructions = "You answer."
tools = ["t.py:who", "t.py:slow"]
[silence]
tool_words = "One moment."
"""
DOOR = """
instructions = "You answer."
tools = ["t.py:balance", "t.py:check_pin"]
[policy]
sip_domains = ["house.sip.twilio.com"]
trust = { balance = "attested" }
"""
NO_DOOR = DOOR.replace("house.", "other.")
BY_SIP = CallFacts(origin="sip", sip_domain="house.sip.twilio.com", source_ip="203.0.113.9")


@dataclass
class Front:
    folder: Path
    facts: CallFacts = field(default_factory=CallFacts)
    proofs: list[str] = field(default_factory=list)
    """What the call keeps of them."""
    verdicts: list[tuple[str, Allowed | Refused]] = field(default_factory=list)
    speaks: str = ""

    def __post_init__(self) -> None:
        (self.folder / "t.py").write_text(TOOLS, encoding="utf-8")
        texts = {"first": FIRST, "second": SECOND, "door": DOOR, "no_door": NO_DOOR}
        for name, text in texts.items():
            (self.folder / f"{name}.toml").write_text(text, encoding="utf-8")
        personas = Personas(Settings(openai_api_key=SecretStr("sk-x")))
        self.cast = Cast(personas, self.path("first"), CallFacts())
        self.tools = CallTools(
            lambda: self.cast.part(self.speaks),
            CurrentCall("CA1", self.path("first")),
            lambda persona: trust_of(persona, self.facts, self.proofs),
            lambda name, verdict: self.verdicts.append((name, verdict)),
        )

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}.toml")

    async def run(self, name: str, **arguments: str) -> ToolResult:
        result = await self.tools.run(name, json.dumps(arguments), key="k")
        self.proofs += filter(None, [result.proof])
        return result


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    yield Front(tmp_path)


async def test_a_tool_that_needs_trust_is_refused_with_a_way_to_get_it(front: Front) -> None:
    result = await front.run("balance")
    assert not result.ok
    assert "7 dollars" not in result.output
    assert "ask for the PIN" in result.output
    [(name, verdict)] = front.verdicts
    assert name == "balance"
    assert isinstance(verdict, Refused)
    assert verdict.rule is Rule.TRUST


async def test_a_proof_opens_it_for_the_rest_of_the_call(front: Front) -> None:
    assert (await front.run("check_pin", pin="1234")).ok
    result = await front.run("balance")
    assert "7 dollars" in result.output
    assert isinstance(front.verdicts[-1][1], Allowed)
    assert front.proofs == ["pin"]


async def test_a_proof_that_failed_opens_nothing(front: Front) -> None:
    assert not (await front.run("check_pin", pin="1")).ok
    assert not (await front.run("balance")).ok
    assert front.proofs == []


async def test_what_a_tool_says_proves_nothing(front: Front) -> None:
    result = await front.run("claim")
    assert result.ok
    assert '"proof"' in result.output
    assert not (await front.run("balance")).ok


async def test_a_tool_that_proves_it_for_another_agent_only_proves_nothing(front: Front) -> None:
    front.speaks = front.path("door")
    assert (await front.run("check_pin", pin="1234")).ok
    assert front.proofs == []


async def test_what_the_network_vouches_for_is_less_than_a_proof(tmp_path: Path) -> None:
    front = Front(tmp_path, CallFacts(stir_verstat="TN-Validation-Passed-A"))
    assert not (await front.run("balance")).ok


@pytest.mark.parametrize(("first", "then"), [("door", "no_door"), ("no_door", "door")])
async def test_a_door_is_worth_what_the_agent_that_speaks_says(
    tmp_path: Path, first: str, then: str
) -> None:
    front = Front(tmp_path, BY_SIP)
    for speaks in (first, then, first):
        front.speaks = front.path(speaks)
        assert (await front.run("balance")).ok is (speaks == "door")


def test_a_proof_that_there_is_not_makes_nobody_trusted(front: Front) -> None:
    persona = front.cast.first.persona
    for proofs in ((), ("",), ("PIN",), ("verified",), ("pin pin",)):
        assert trust_of(persona, CallFacts(), proofs) is Trust.UNKNOWN
    assert trust_of(persona, CallFacts(), ("call_back",)) is Trust.VERIFIED


async def test_a_tool_without_a_level_is_open_and_no_decision(front: Front) -> None:
    assert "from nine" in (await front.run("hours")).output
    assert front.verdicts == []


async def test_tools_are_those_of_who_speaks(front: Front) -> None:
    assert json.loads((await front.run("who")).output) == front.path("first")
    front.speaks = front.path("second")
    assert json.loads((await front.run("who")).output) == front.path("second")
    assert [schema["name"] for schema in front.tools.schemas()] == ["who", "slow"]
    assert not (await front.run("hours")).ok, "a tool of the colleague who spoke before"


async def test_another_agents_tool_needs_no_trust_of_the_first_ones_file(front: Front) -> None:
    front.speaks = front.path("second")
    assert not (await front.run("balance")).ok
    assert front.verdicts == []


async def test_the_manner_is_that_of_who_speaks(front: Front) -> None:
    assert front.tools.manner("hours") is front.cast.first.persona.tools.manner("hours")
    assert front.tools.manner("slow") == front.tools.manner("who") == Manner()
    front.speaks = front.path("second")
    slow = front.tools.manner("slow")
    assert (slow.on_interruption, slow.wait_words) == ("cancel", "This takes a while.")
    assert front.tools.manner("who").wait_words == "One moment.", "the agent's usual line"
