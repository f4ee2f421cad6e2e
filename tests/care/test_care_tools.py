"""Consent is what the caller said, kept with a hash of the words; abuse is warned of before it ends
a call, and then blocks the number as long as the agent's file says."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.agents import Abuse
from app.bridge.once import Outcome
from app.bridge.ports import ToolOutcome
from app.call.transcript import Transcript
from app.care.tools import Books, CareTools
from app.live.blocks import Block
from app.policy.decisions import Decision
from app.tools import BUILT_INS
from app.tools.tool import Manner

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


LISTED = ("recording_consent", "report_abuse")


class Inner:
    async def run(self, name: str, arguments_json: str, *, key: str) -> ToolOutcome:
        return Outcome(True, f"{name} {key}")

    def manner(self, name: str) -> Manner:
        return Manner()

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        return [dict(BUILT_INS[name]) for name in LISTED]


@dataclass
class Line:
    transcript: Transcript = field(default_factory=Transcript)
    consents: list[bool] = field(default_factory=list)
    hung_up: int = 0

    def consent(self, granted: bool) -> None:
        self.consents.append(granted)

    def hang_up(self) -> None:
        self.hung_up += 1


@dataclass
class Kept:
    decisions: list[Decision] = field(default_factory=list)
    blocked: dict[str, Block] = field(default_factory=dict)
    consents: list[tuple[str, bool]] = field(default_factory=list)
    knows_caller: bool = True

    def record(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def add(self, digest: str, block: Block) -> None:
        self.blocked[digest] = block

    async def caller(self, call_id: str) -> tuple[str, str] | None:
        return ("digest", "…01") if self.knows_caller else None

    def given(self, call_id: str, granted: bool) -> None:
        self.consents.append((call_id, granted))


def made(abuse: Abuse | None = None) -> tuple[CareTools, Line, Kept]:
    line, kept = Line(), Kept()
    books = Books(record=kept, blocks=kept, consents=kept)
    wanted = abuse or Abuse()
    tools = CareTools(Inner(), "CA1", lambda: wanted, lambda: line, books, lambda: NOW)
    return tools, line, kept


async def ran(tools: CareTools, name: str, **arguments: object) -> tuple[bool, dict[str, Any]]:
    outcome = await tools.run(name, json.dumps(arguments), key="k")
    return outcome.ok, json.loads(outcome.output)


def said(line: Line, text: str) -> None:
    line.transcript.caller_began("item", 0, 0)
    line.transcript.caller_said("item", text, 10)


async def test_consent_reaches_the_recording_and_is_kept_with_its_words() -> None:
    tools, line, kept = made()
    said(line, "Yes, go ahead.")
    ok, told = await ran(tools, "recording_consent", granted=True)
    assert ok and told["recording"] is True
    assert line.consents == [True]
    assert kept.consents == [("CA1", True)]
    (decision,) = kept.decisions
    assert (decision.action, decision.allowed, decision.at) == ("recording", True, NOW)
    assert decision.reason == f"words: sha256 {hashlib.sha256(b'Yes, go ahead.').hexdigest()}"


async def test_a_refusal_is_kept_too() -> None:
    tools, line, kept = made()
    await ran(tools, "recording_consent", granted=False)
    assert line.consents == [False]
    assert (kept.decisions[0].allowed, kept.decisions[0].rule) == (False, "no_consent")


async def test_what_is_no_answer_is_no_consent() -> None:
    tools, line, kept = made()
    for arguments in ({}, {"granted": "yes"}, {"granted": 1}):
        ok, told = await ran(tools, "recording_consent", **arguments)
        assert not ok and "expected" in told["error"]
    assert not (await tools.run("recording_consent", "[[", key="k")).ok
    assert (line.consents, kept.decisions) == ([], [])


async def test_abuse_is_warned_of_once_then_ends_the_call_and_blocks() -> None:
    tools, line, kept = made(Abuse(block_hours=2.0))
    ok, told = await ran(tools, "report_abuse", reason="insults")
    assert ok and told["ended"] is False and "Warn" in told["note"]
    assert (line.hung_up, kept.blocked) == (0, {})
    ok, told = await ran(tools, "report_abuse", reason="again")
    assert ok and told["ended"] is True and told["blocked"] is True
    assert line.hung_up == 1
    assert kept.blocked["digest"] == Block("…01", NOW.timestamp() + 7_200, "abuse", "model")
    assert [decision.rule for decision in kept.decisions] == ["", "abuse"]


async def test_without_a_warning_the_first_report_ends_the_call() -> None:
    tools, line, kept = made(Abuse(warn_first=False, block_hours=0))
    _, told = await ran(tools, "report_abuse", reason="threats")
    assert (told["ended"], told["blocked"], line.hung_up) == (True, False, 1)
    assert kept.blocked == {}


async def test_a_caller_who_is_not_known_cannot_be_blocked_and_the_call_ends_all_the_same() -> None:
    tools, line, kept = made(Abuse(warn_first=False))
    kept.knows_caller = False
    _, told = await ran(tools, "report_abuse", reason="threats")
    assert (told["blocked"], line.hung_up) == (False, 1)


async def test_all_other_tools_are_the_agents_own() -> None:
    tools, _, _ = made()
    assert (await tools.run("book", "{}", key="k9")).output == "book k9"
    assert not (await tools.run("report_abuse", '{"reason": " "}', key="k")).ok


def test_the_model_is_told_of_both() -> None:
    assert {"recording_consent", "report_abuse"} <= set(BUILT_INS)
