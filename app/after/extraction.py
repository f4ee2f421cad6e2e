"""A call's summary, disposition and facts, from a text model: asked, mended once, bounded in time.

A service that is busy or away is asked again a few times, as long as the time lasts. What could not
be had is told as such; nothing raises.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Final, Literal, Protocol, TypeAlias

from app.after.checking import MENDABLE, Checked, Found, check
from app.after.conversation import Conversation
from app.after.prompt import instructions_of, mended
from app.after.schema import NAME, schema_of
from app.agents.after_table import AfterCall
from app.call.events import Usage
from app.call.prices import Prices, cost_usd
from app.models.openai_answer import TextFailed
from app.models.openai_text import AnswerSchema, TextResult

Status: TypeAlias = Literal["ok", "partial", "failed", "nothing_said"]
"""partial: something that was asked for is not there, `problems` says why. nothing_said: the caller
said nothing, so no model was asked."""

_PASSING: Final = frozenset({"limited", "unreachable", "late"})
_KEPT_ANSWER_CHARS: Final = 8_000


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    attempt_s: float = 30.0
    """Longest wait for one answer."""
    whole_s: float = 120.0
    """Longest time for all of them, waits included."""
    attempts: int = 4
    """Requests for one call at the most: what it can cost is bounded."""
    wait_s: float = 2.0
    """Before a service that was busy is asked again; doubled each time."""
    tokens: int = 600
    """An answer may be so long, and longer by `field_tokens` for each field."""
    field_tokens: int = 120
    most_tokens: int = 8_000


class Write(Protocol):
    """`app.models.openai_text.write_text` with its credentials."""

    async def __call__(
        self,
        model: str,
        instructions: str,
        text: str,
        *,
        timeout_s: float,
        max_output_tokens: int,
        schema: AnswerSchema,
    ) -> TextResult | TextFailed: ...


@dataclass(frozen=True, slots=True)
class Extracted:
    status: Status
    checked: Checked
    cause: str = ""
    """Why it failed: the text model's cause and detail, or "unusable"."""
    model: str = ""
    asked: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    """None: the model's prices are not known."""
    answer: str = field(default="", repr=False)
    """The last answer, where it could not be used as it was."""

    def as_json(self) -> dict[str, object]:
        """What webhooks and records hold. Keys that were not asked for are not there."""
        found = self.checked
        told: dict[str, object] = {"status": self.status}
        if found.summary is not None:
            told["summary"] = found.summary
        named = dict(found.fields)
        if found.disposition is not None:
            told["disposition"] = found.disposition.value
        told["fields"] = {name: each.value for name, each in named.items()}
        if found.disposition is not None:
            named["disposition"] = found.disposition
        told["evidence"] = {name: each.evidence for name, each in named.items() if each.evidence}
        told["problems"] = found.problems
        told["model"], told["cost_usd"] = self.model, self.cost_usd
        return told | ({"cause": self.cause} if self.cause else {})

    def as_record(self) -> dict[str, object]:
        """What `after.json` holds: also what it took, and the answer that could not be used."""
        told: dict[str, object] = self.as_json()
        told |= {"asked": self.asked, "usage": asdict(self.usage)}
        return told | ({"answer": self.answer} if self.answer else {})


class Extractor:
    """`now_s`: any monotonic clock."""

    def __init__(
        self,
        write: Write,
        prices_of: Callable[[str], Prices | None],
        limits: ExtractionLimits | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._prices_of = prices_of
        self._limits = limits or ExtractionLimits()
        self._now_s = now_s

    def given_up(self, table: AfterCall, cause: str) -> Extracted:
        """Nobody was asked."""
        return Extracted("failed", _nothing(table), cause)

    async def extract(self, table: AfterCall, model: str, conversation: Conversation) -> Extracted:
        """Raises nothing but cancellation."""
        if not conversation.caller_spoke:
            return Extracted("nothing_said", _nothing(table))
        run = _Run(self._write, table, model, conversation.as_text(), self._limits, self._now_s)
        extracted = await run.outcome()
        prices = self._prices_of(model)
        cost = None if prices is None else cost_usd(prices, extracted.usage)
        return replace(extracted, cost_usd=cost)


class _Run:
    """The requests for one call."""

    def __init__(
        self,
        write: Write,
        table: AfterCall,
        model: str,
        text: str,
        limits: ExtractionLimits,
        now_s: Callable[[], float],
    ) -> None:
        self._write, self._table, self._model, self._text = write, table, model, text
        self._limits, self._now_s = limits, now_s
        self._schema = AnswerSchema(NAME, schema_of(table))
        self._until_s = now_s() + limits.whole_s
        self._asked = 0
        self._usage = Usage()

    async def outcome(self) -> Extracted:
        instructions = instructions_of(self._table)
        first = await self._answer(instructions)
        if isinstance(first, TextFailed):
            return self._failed(first)
        checked = self._check(first)
        wrong = _mendable(checked)
        if not wrong:
            return self._done(checked, first.text)
        second = await self._answer(mended(instructions, wrong))
        if isinstance(second, TextFailed):
            return self._done(checked, first.text)
        return self._done(self._check(second), second.text)

    def _check(self, answer: TextResult) -> Checked:
        return check(self._table, answer.text, self._text)

    async def _answer(self, instructions: str) -> TextResult | TextFailed:
        wait_s = self._limits.wait_s
        while True:
            left_s = self._until_s - self._now_s()
            answer = await self._ask(instructions, min(left_s, self._limits.attempt_s))
            if isinstance(answer, TextResult) or answer.cause not in _PASSING:
                return answer
            spent = self._now_s() + wait_s >= self._until_s
            if spent or self._asked >= self._limits.attempts:
                return answer
            await asyncio.sleep(wait_s)
            wait_s *= 2

    async def _ask(self, instructions: str, timeout_s: float) -> TextResult | TextFailed:
        if timeout_s <= 0 or self._asked >= self._limits.attempts:
            return TextFailed("late", "no time or no request was left")
        self._asked += 1
        answer = await self._write(
            self._model,
            instructions,
            self._text,
            timeout_s=timeout_s,
            max_output_tokens=self._tokens,
            schema=self._schema,
        )
        self._usage = _sum(self._usage, answer.usage)
        return answer

    @property
    def _tokens(self) -> int:
        limits = self._limits
        return min(
            limits.most_tokens, limits.tokens + limits.field_tokens * len(self._table.fields)
        )

    def _done(self, checked: Checked, answer: str) -> Extracted:
        problems = checked.problems
        unusable = bool(problems) and len(problems) == _asked_for(self._table)
        status: Status = "failed" if unusable else "partial" if problems else "ok"
        return Extracted(
            status,
            checked,
            "unusable" if unusable else "",
            self._model,
            self._asked,
            self._usage,
            answer=answer[:_KEPT_ANSWER_CHARS] if problems else "",
        )

    def _failed(self, failed: TextFailed) -> Extracted:
        cause = f"{failed.cause}: {failed.detail}" if failed.detail else failed.cause
        checked = _nothing(self._table)
        return Extracted("failed", checked, cause, self._model, self._asked, self._usage)


def _nothing(table: AfterCall) -> Checked:
    """What there is when nobody was asked or nobody answered."""
    return Checked(
        disposition=Found() if table.dispositions else None,
        fields={
            name: Found(problem="missing" if field.required else "")
            for name, field in table.fields.items()
        },
    )


def _asked_for(table: AfterCall) -> int:
    return int(table.summary) + bool(table.dispositions) + len(table.fields)


def _mendable(checked: Checked) -> dict[str, str]:
    words = {
        "wrong_type": "not of the type that the schema says, or not there",
        "wrong_form": "not in the form that its description says",
        "not_a_choice": "none of the values that it may have",
    }
    return {n: words[p] for n, p in checked.problems.items() if p in MENDABLE}


def _sum(so_far: Usage, more: Usage | None) -> Usage:
    if more is None:
        return so_far
    return Usage(
        input_text_tokens=so_far.input_text_tokens + more.input_text_tokens,
        cached_text_tokens=so_far.cached_text_tokens + more.cached_text_tokens,
        output_text_tokens=so_far.output_text_tokens + more.output_text_tokens,
        total_tokens=so_far.total_tokens + more.total_tokens,
    )
