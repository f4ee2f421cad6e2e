"""What a sideband missed is told once, as far as the server still knows, and no tool runs twice."""

import json
from typing import Any

from app.call.events import ItemAdded, ResponseCreated, ResponseFinished, ToolCall, Usage
from app.models.openai_missed import Missed

CALL = {
    "id": "item_2",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "book",
    "arguments": "{}",
}
BOOK = ToolCall("call_1", "item_2", "book", "{}")
SPOKEN = {"id": "item_1", "type": "message", "status": "completed", "role": "assistant"}


def retrieved(item: dict[str, Any]) -> bytes:
    return json.dumps({"type": "conversation.item.retrieved", "item": item}).encode()


def broken_off() -> Missed:
    """The sideband broke after two items of an answer."""
    missed = Missed()
    missed.passed(ResponseCreated("resp_1", ""))
    missed.passed(ItemAdded("resp_1", "item_1", "message"))
    missed.passed(ItemAdded("resp_1", "item_2", "function_call"))
    return missed


def test_only_what_was_being_made_is_asked_for() -> None:
    missed = broken_off()
    missed.passed(ResponseCreated("resp_0", ""))
    missed.passed(ItemAdded("resp_0", "item_0", "message"))
    missed.passed(ResponseFinished("resp_0", "completed"))
    asked = [json.loads(question) for question in missed.questions()]
    assert [question["item_id"] for question in asked] == ["item_1", "item_2"]
    assert {question["type"] for question in asked} == {"conversation.item.retrieve"}


def test_an_answer_is_complete_when_all_its_items_are() -> None:
    missed = broken_off()
    list(missed.questions())
    assert missed.answered(retrieved(SPOKEN)) == []
    assert missed.answered(retrieved(CALL)) == [
        ResponseFinished("resp_1", "completed", tool_calls=(BOOK,))
    ]


def test_its_own_end_that_comes_after_all_runs_nothing_again() -> None:
    missed = broken_off()
    list(missed.questions())
    missed.answered(retrieved(SPOKEN))
    missed.answered(retrieved(CALL))
    late = ResponseFinished("resp_1", "completed", tool_calls=(BOOK,))
    assert missed.passed(late) is None
    assert missed.passed(ResponseFinished("resp_2", "completed", tool_calls=(BOOK,))) == (
        ResponseFinished("resp_2", "completed")
    )


def test_its_own_end_still_tells_what_it_cost() -> None:
    missed = broken_off()
    list(missed.questions())
    missed.answered(retrieved(SPOKEN))
    missed.answered(retrieved(CALL))
    priced = ResponseFinished("resp_1", "completed", tool_calls=(BOOK,), usage=Usage(1, 2))
    assert missed.passed(priced) == ResponseFinished("resp_1", "completed", usage=Usage(1, 2))


def test_an_answer_that_is_still_being_made_is_left_to_the_server() -> None:
    missed = broken_off()
    list(missed.questions())
    missed.answered(retrieved(SPOKEN))
    assert missed.answered(retrieved({**CALL, "status": "in_progress"})) == []
    whole = ResponseFinished("resp_1", "completed", tool_calls=(BOOK,))
    assert missed.passed(whole) == whole


def test_a_cut_item_is_an_interrupted_answer_without_tools() -> None:
    missed = broken_off()
    list(missed.questions())
    missed.answered(retrieved({**SPOKEN, "status": "incomplete"}))
    assert missed.answered(retrieved(CALL)) == [
        ResponseFinished("resp_1", "cancelled", "turn_detected")
    ]


def test_what_nobody_asked_for_and_nonsense_tell_nothing() -> None:
    missed = broken_off()
    assert missed.answered(retrieved(SPOKEN)) == []
    list(missed.questions())
    assert missed.answered(b'{"type":"conversation.item.retrieved","item":1}') == []
    assert missed.answered(retrieved({**SPOKEN, "id": "item_9"})) == []
