"""Conversations for the tests of what comes after, and a text model that says what it is given."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from app.after.conversation import Conversation
from app.after.extraction import ExtractionLimits
from app.agents.after_table import AfterCall, AfterField
from app.call.call import Call
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import Entry, StreamStarted, ToolCall, Usage
from app.models.openai_answer import TextFailed
from app.models.openai_text import AnswerSchema, TextResult

TABLE = AfterCall(
    dispositions={
        "booked": "a table was booked",
        "paid": "the bill was paid by card in the call",
        "nothing": "nothing came of it",
    },
    fields={
        "guests": AfterField(type="integer", description="how many guests come"),
        "phone": AfterField(type="phone", description="the caller's phone number", required=True),
        "day": AfterField(type="date", description="the day"),
        "room": AfterField(description="where they sit", enum=("inside", "garden")),
    },
)
QUICK = ExtractionLimits(attempt_s=5.0, whole_s=10.0, wait_s=0.01)
USAGE = Usage(input_text_tokens=100, output_text_tokens=10, total_tokens=110)


def entry(said: str) -> Entry:
    """From a line such as "Caller: hello"."""
    who, _, words = said.partition(": ")
    if who == "Tool":
        name, arguments, output = words.split("|")
        return Entry("tool", name=name, arguments=arguments, output=output)
    return Entry("agent" if who == "Agent" else "caller", text=words)


def conversation(*said: str, call: str = "CA1", summary: str = "") -> Conversation:
    return Conversation(call, "inbound", summary, tuple(entry(line) for line in said))


BOOKING = conversation(
    "Agent: Harbour Table, how may I help you?",
    "Caller: A table for four on the twenty-seventh, in the garden please.",
    'Tool: book_table|{"guests": 4, "day": "2026-11-27"}|{"code": "77"}',
    "Agent: It is booked. Which number can we call you on?",
    "Caller: It's +1 555 010 0123.",
)


def held_call(
    *said: str, call_id: str = "CA1", reason: EndReason = EndReason.CALLER_HUNG_UP
) -> Call:
    """A heart that has had this conversation and ended."""
    call = Call()
    call.handle(StreamStarted(call_id, "MZ1"), 0)
    for number, line in enumerate(said):
        one = entry(line)
        if one.kind == "tool":
            call.history.called(ToolCall(f"t{number}", f"i{number}", one.name, one.arguments))
            call.history.returned(f"t{number}", one.output or "")
        else:
            call.history.log.append(one)
    call.timeline.close(reason, "", 1_000)
    return call


def ended(reason: EndReason = EndReason.CALLER_HUNG_UP) -> EndCall:
    return EndCall(reason)


class FakeModel:
    """Gives these answers in order, the last one for ever."""

    def __init__(self, *answers: str | TextFailed) -> None:
        self._answers = deque(answers)
        self.asked: list[dict[str, Any]] = []

    async def __call__(
        self,
        model: str,
        instructions: str,
        text: str,
        *,
        timeout_s: float,
        max_output_tokens: int,
        schema: AnswerSchema,
    ) -> TextResult | TextFailed:
        self.asked.append(
            {
                "model": model,
                "instructions": instructions,
                "text": text,
                "timeout_s": timeout_s,
                "tokens": max_output_tokens,
                "schema": schema,
            }
        )
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.popleft()
        return answer if isinstance(answer, TextFailed) else TextResult(answer, USAGE)

    @property
    def prompts(self) -> Sequence[str]:
        return [asked["instructions"] for asked in self.asked]
