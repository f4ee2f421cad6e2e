"""Who comes by a socket alone is asked the same as who comes by a webhook, in the same order, and
has a place or is refused with a reason."""

from typing import Any, cast

import pytest

from app.call.facts import CallFacts
from app.carriers.line import RefusedLineError
from app.carriers.twilio.door import OfferedCall, Screening
from app.onward.happenings import Happening, Say
from app.reception import Reception


class House:
    """Front door, answering and care in one; `no`: the questions that are answered so."""

    def __init__(self, *no: str) -> None:
        self._no = no
        self.asked: list[str] = []
        self.expected: list[tuple[str, str]] = []
        self.files = self.personas = self

    def knows(self, agent: str) -> bool:
        return self._yes("agent")

    async def screen(self, call: OfferedCall) -> Screening:
        return Screening() if self._yes("screen") else Screening("busy", "blocked")

    async def closed(self, call: OfferedCall) -> Happening | None:
        return None if self._yes("hours") else Say("")

    async def admit(self, call: OfferedCall) -> str:
        return "open" if self._yes("place") else "full"

    def expect(self, call_id: str, agent: str, facts: CallFacts) -> None:
        self.expected.append((call_id, agent))

    def _yes(self, question: str) -> bool:
        self.asked.append(question)
        return question not in self._no


CALL = OfferedCall("AS1", "sales", "inbound")


def reception(house: House) -> Reception:
    return Reception(*(cast("Any", house) for _ in range(3)))


async def test_a_caller_who_is_let_in_has_an_agent_that_expects_them() -> None:
    house = House()
    assert await reception(house).admit(CALL) == "sales"
    assert house.asked == ["agent", "screen", "hours", "place"]
    assert house.expected == [("AS1", "sales")]


@pytest.mark.parametrize(
    ("no", "reason"),
    [
        ("agent", "unknown_agent"),
        ("screen", "screened_blocked"),
        ("hours", "closed"),
        ("place", "full"),
    ],
)
async def test_the_first_no_is_the_reason_and_no_place_is_taken(no: str, reason: str) -> None:
    house = House(no)
    with pytest.raises(RefusedLineError) as refused:
        await reception(house).admit(CALL)
    assert refused.value.reason == reason
    assert house.asked[-1] == no, "nothing is asked after it"
    assert house.expected == []


async def test_who_was_let_in_before_is_asked_for_no_more_than_a_place() -> None:
    house = House("screen", "hours")
    assert await reception(house).admit(CALL, again=True) == "sales"
    assert house.asked == ["agent", "place"]
