"""Invariant: whatever the text model does, a judgement is a yes, a no or none, in bounded time,
with what it cost, and no word of the call reaches a log."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.call.commands import JudgeTurn
from app.call.events import TurnJudged, Usage
from app.lab.text.server import LabTextModel, TextBehaviour
from app.models.openai_connect import Credentials
from app.models.openai_judge import INSTRUCTIONS, Judge, transcript_of
from app.models.openai_text import close_clients

SECRET = "4071 Ada King"


@pytest.fixture
async def lab() -> AsyncIterator[LabTextModel]:
    async with LabTextModel(api_key="sk-lab") as made:
        yield made
        await close_clients()


def judge(lab: LabTextModel, **settings: Any) -> Judge:
    settings = {"timeout_s": 5.0, **settings}
    return Judge("gpt-6-luna", Credentials("sk-lab", lab.base_url), **settings)


@pytest.mark.parametrize(
    ("text", "asked", "complete"),
    [
        ("I would like a table for", "", False),
        ("I would like a table for two", "", True),
        ("five five five", "And your phone number?", False),
        ("five five five oh one eight oh", "And your phone number?", True),
        ("yes", "Is that right?", True),
    ],
)
async def test_the_model_reads_both_sides_and_says_whether_all_was_said(
    lab: LabTextModel, text: str, asked: str, complete: bool
) -> None:
    judged = await judge(lab).judge(JudgeTurn("j1", text, asked))
    assert (judged.request_id, judged.complete) == ("j1", complete)
    assert judged.usage is not None
    assert judged.usage.input_text_tokens < 150, "a judgement is cheap"
    assert judged.usage.output_text_tokens == 1


async def test_the_request_is_small_and_leaves_nothing_to_chance(lab: LabTextModel) -> None:
    await judge(lab).judge(JudgeTurn("j1", "hello"))
    body = lab.requests[0].body
    assert body["max_output_tokens"] == 16
    assert body["temperature"] == 0
    assert body["reasoning"] == {"effort": "none"}
    assert body["store"] is False
    assert len(INSTRUCTIONS) < 500


@pytest.mark.parametrize(
    ("effort", "sent"), [(None, {"temperature": 0}), ("low", {"reasoning": {"effort": "low"}})]
)
async def test_a_model_is_sent_only_the_settings_that_it_takes(
    lab: LabTextModel, effort: str | None, sent: dict[str, Any]
) -> None:
    await judge(lab, effort=effort).judge(JudgeTurn("j1", "hello"))
    body = lab.requests[0].body
    assert {name: body[name] for name in ("temperature", "reasoning") if name in body} == sent


@pytest.mark.parametrize(
    ("said", "complete"),
    [
        ("yes", True),
        ("No", False),
        ("YES.", True),
        ('"no"', False),
        ("**Yes**", True),
        ("No, it breaks off", False),
        ("yesterday", None),
        ("Perhaps", None),
        ("...", None),
    ],
)
async def test_only_a_yes_or_a_no_is_a_verdict(
    lab: LabTextModel, said: str, complete: bool | None
) -> None:
    lab.answer = lambda prompt, text: said
    assert (await judge(lab).judge(JudgeTurn("j1", "hello"))).complete is complete


@pytest.mark.parametrize(
    "behaviour",
    [
        TextBehaviour(refuse_status=401),
        TextBehaviour(refuse_status=404),
        TextBehaviour(refuse_status=429),
        TextBehaviour(refuse_status=500),
        TextBehaviour(reset=True),
        TextBehaviour(body=b"{"),
        TextBehaviour(body=b""),
        TextBehaviour(hang=True),
        TextBehaviour(trickle_ms=50),
        TextBehaviour(judgement_delay_ms=2_000),
    ],
    ids=lambda behaviour: str(behaviour)[14:80],
)
async def test_without_an_answer_in_time_there_is_no_verdict(
    lab: LabTextModel, behaviour: TextBehaviour
) -> None:
    lab.behaviour = behaviour
    judged = await judge(lab, timeout_s=0.3).judge(JudgeTurn("j1", "hello"))
    assert judged == TurnJudged("j1", None)
    assert lab.asked == 1, "asked once, never again"


async def test_what_was_billed_is_told_also_without_a_verdict(lab: LabTextModel) -> None:
    usage = {"input_tokens": 90, "output_tokens": 16, "total_tokens": 106}
    body = {"status": "incomplete", "output": [], "usage": usage}
    lab.behaviour = TextBehaviour(body=json.dumps(body).encode())
    judged = await judge(lab).judge(JudgeTurn("j1", "hello"))
    spent = Usage(input_text_tokens=90, output_text_tokens=16, total_tokens=106)
    assert judged == TurnJudged("j1", None, spent)


async def test_silence_is_not_judged(lab: LabTextModel) -> None:
    assert await judge(lab).judge(JudgeTurn("j1", " ", "Hello?")) == TurnJudged("j1", None)
    assert lab.asked == 0


def test_long_words_are_cut_to_their_end_and_stay_on_one_line() -> None:
    request = JudgeTurn("j1", "so\n" + "word " * 1000 + "and", "Well?\nCaller: yes")
    agent, caller = transcript_of(request).split("\n")
    assert agent == "Agent: Well? Caller: yes"
    assert caller.startswith("Caller: word ") and caller.endswith(" and")
    assert len(caller) <= 8 + 600
    assert transcript_of(JudgeTurn("j1", "yes")) == "Caller: yes"


@pytest.mark.parametrize(("status", "level"), [(401, "WARNING"), (503, "INFO")])
async def test_a_log_says_why_there_is_no_verdict_and_not_what_was_said(
    lab: LabTextModel, caplog: pytest.LogCaptureFixture, status: int, level: str
) -> None:
    caplog.set_level(logging.DEBUG)
    lab.behaviour = TextBehaviour(refuse_status=status)
    await judge(lab).judge(JudgeTurn("j1", SECRET, SECRET))
    (record,) = (r for r in caplog.records if r.name == "app.models.openai_judge")
    assert record.levelname == level
    assert str(status) in record.fields["detail"]  # type: ignore[attr-defined]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("wrong", [{"model": ""}, {"timeout_s": 0}])
def test_a_judge_that_could_not_judge_is_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    settings: dict[str, Any] = {"model": "m", "credentials": Credentials("sk-lab"), **wrong}
    with pytest.raises(ValueError, match=name):
        Judge(**settings)
