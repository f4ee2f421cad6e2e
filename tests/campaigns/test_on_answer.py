"""A dial leaves a message only if the operator wants one on this attempt; else it hangs up."""

from dataclasses import replace

from app.call.events import OnAnswer
from app.campaigns.on_answer import on_answer
from app.campaigns.plan import Machines

MESSAGE = "Hello {{name}}, please call us back."
MACHINES = Machines(message=MESSAGE, message_from_attempt=2)


def test_the_message_is_left_from_the_attempt_on_that_the_plan_names() -> None:
    assert [on_answer(MACHINES, ordinal) for ordinal in (1, 2, 3)] == [
        OnAnswer("hang_up"),
        OnAnswer("message", MESSAGE),
        OnAnswer("message", MESSAGE),
    ]


def test_other_ways_need_no_message() -> None:
    assert on_answer(replace(MACHINES, message=""), 3) == OnAnswer("hang_up")
    assert on_answer(replace(MACHINES, on_machine="talk"), 3) == OnAnswer("talk")
    assert on_answer(replace(MACHINES, on_machine="hang_up"), 3) == OnAnswer("hang_up")
    assert on_answer(replace(MACHINES, detect=False), 3) is None
