"""What became of a call reaches the agent in words, without any number."""

import json
from typing import get_args

import pytest

from app.onward.happenings import Status
from app.onward.news import News, told, unpacked
from app.onward.ways import Way

DESK = {"desk": Way("desk", name="the front desk")}


@pytest.mark.parametrize("status", get_args(Status))
def test_news_come_back_as_they_were_sent(status: Status) -> None:
    for to in ("", "desk", "a|b"):
        assert unpacked(News(status, to).packed()) == News(status, to)


@pytest.mark.parametrize("text", ["", "|", "nonsense", "busybody|desk", "BUSY|desk"])
def test_nonsense_is_no_news(text: str) -> None:
    assert unpacked(text) is None


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_has_a_reason_and_something_to_say(status: Status) -> None:
    returned = told(News(status, "desk"), DESK)
    result = json.loads(returned.output)
    assert result["ok"] is (status == "talked")
    assert (result["status"], result["to"]) == (status, "the front desk")
    assert result["reason"]
    assert "greet them" in returned.say


def test_who_it_was_and_why_is_said() -> None:
    say = told(News("busy", "desk"), DESK).say
    assert "the front desk" in say
    assert "the line was busy" in say
    assert "the line was busy" in told(News("busy", "gone"), {}).say
