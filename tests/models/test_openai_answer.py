"""One answer is read alike for every caller: what it holds stands in order, what it lacks has a
cause, and what was billed is known in both cases."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from openai import OpenAIError

from app.call.events import Usage
from app.models.openai_answer import Answered, FailureCause, TextFailed, answer_to

BILLED = {
    "input_tokens": 7,
    "output_tokens": 3,
    "total_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
}
USAGE = Usage(input_text_tokens=7, cached_text_tokens=4, output_text_tokens=3, total_tokens=10)


@dataclass
class Raw:
    content: bytes


async def read(content: bytes) -> Answered | TextFailed:
    async def request() -> Raw:
        return Raw(content)

    return await answer_to(request, timeout_s=5.0)


async def response(**fields: object) -> Answered | TextFailed:
    return await read(json.dumps({"usage": BILLED, **fields}).encode())


def message(*texts: str, kind: str = "output_text") -> dict[str, object]:
    return {"type": "message", "content": [{"type": kind, "text": text} for text in texts]}


async def test_all_messages_are_one_text_and_the_items_stay_in_order() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "book", "arguments": "{}"}
    reasoning = message("Hm.") | {"type": "reasoning"}
    output = [reasoning, message("One ", "moment"), call, message("."), message("No.", kind="x")]
    answer = await response(status="completed", output=output)
    assert isinstance(answer, Answered)
    assert (answer.text, answer.usage, answer.complete) == ("One moment.", USAGE, True)
    kinds = ["reasoning", "message", "function_call", "message", "message"]
    assert [item.type for item in answer.items] == kinds
    assert (answer.items[2].call_id, answer.items[2].name) == ("c1", "book")


async def test_an_answer_that_was_cut_is_not_complete_and_may_be_none() -> None:
    answer = await response(status="incomplete", output=[])
    assert isinstance(answer, Answered)
    assert not answer.complete
    assert answer.without_text() == TextFailed(
        "empty", "a response without text, incomplete", USAGE
    )


@pytest.mark.parametrize(
    ("code", "cause"),
    [("rate_limit_exceeded", "limited"), ("server_error", "unreachable"), (None, "unreachable")],
)
async def test_a_response_that_failed_was_billed_all_the_same(
    code: str | None, cause: FailureCause
) -> None:
    answer = await response(status="failed", error={"code": code})
    assert isinstance(answer, TextFailed)
    assert (answer.cause, answer.usage) == (cause, USAGE)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"output": []}', b"[" * 100_000])
async def test_what_is_no_response_is_nonsense(content: bytes) -> None:
    answer = await read(content)
    assert isinstance(answer, TextFailed)
    assert (answer.cause, answer.usage) == ("nonsense", None)


async def test_a_request_that_cannot_be_made_is_refused_and_one_without_end_is_late() -> None:
    async def fails() -> Raw:
        raise OpenAIError("secret words")

    async def hangs() -> Raw:
        await asyncio.Event().wait()
        raise AssertionError

    assert await answer_to(fails, 5.0) == TextFailed("refused", "OpenAIError")
    assert await answer_to(hangs, 0.01) == TextFailed("late", "no answer within 0.01 s")
