"""What happened outside the model is told once for each time it happened, with whose call it was;
where nobody wants to know, nothing fails."""

from dataclasses import replace
from typing import Any, cast

import pytest

from app.call.events import Direction
from app.gate import Who
from app.onward.ways import Way
from app.outgoing.events import CallTransferred, VoicemailLeft
from app.outgoing.outgoing import Outgoing
from app.telling import Telling

WHO = Who("CA1", "house", "+14155550133", "+14155550199")
CHEF = Way("chef", how="warm")


class Kept:
    """What `Telling` needs of `Outgoing`."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def emit(self, event: Any) -> None:
        self.events.append(event)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def telling(kept: Kept) -> Telling:
    return Telling(cast(Outgoing, kept))


def test_a_transfer_is_told_with_its_way_and_what_came_of_it(kept: Kept, telling: Telling) -> None:
    telling.put_through(WHO, CHEF, "busy", 2)
    [told] = kept.events
    assert isinstance(told, CallTransferred)
    assert (told.call_id, told.agent, told.caller, told.called) == (
        *("CA1", "house"),
        *("+14155550133", "+14155550199"),
    )
    assert (told.target, told.kind, told.outcome) == ("chef", "warm", "busy")


def test_each_step_of_a_journey_is_one_of_its_own(kept: Kept, telling: Telling) -> None:
    telling.put_through(WHO, CHEF, "busy", 2)
    telling.put_through(WHO, CHEF, "busy", 3)
    assert len({told.occurrence for told in kept.events}) == 2


@pytest.mark.parametrize(("seconds", "told"), [("12", 12), ("", None), ("soon", None), ("²", None)])
def test_a_voicemail_is_told_with_where_it_lies(
    kept: Kept, telling: Telling, seconds: str, told: int | None
) -> None:
    fields = {"RecordingSid": "RE1", "RecordingUrl": "https://api.example.com/RE1"}
    telling.message_left(WHO, {**fields, "RecordingDuration": seconds})
    [left] = kept.events
    assert isinstance(left, VoicemailLeft)
    assert (left.occurrence, left.recording_url) == ("RE1", "https://api.example.com/RE1")
    assert left.duration_s == told


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_what_we_placed_ourselves_is_not_told_as_a_call_that_came_in(
    kept: Kept, telling: Telling, direction: Direction
) -> None:
    who = replace(WHO, direction=direction)
    telling.put_through(who, CHEF, "busy", 1)
    telling.message_left(who, {})
    assert [told.direction for told in kept.events] == [direction, direction]


def test_where_nobody_wants_to_know_nothing_fails() -> None:
    Telling().put_through(WHO, CHEF, "busy", 1)
    Telling().message_left(WHO, {})
