"""A stream goes on from where its call was left, also if nobody kept that; and keys that the caller
may have pressed in between are in doubt only where they may be private."""

from pathlib import Path

import pytest

from app.beginning import Beginning, WhoAnswers, beginning
from app.call.arrival import Arrival
from app.call.events import OnAnswer, Snapshot
from app.call.facts import CallFacts
from app.cast import Cast
from app.onward.news import News
from app.persona import Persona
from tests.onward.house import house

BUSY = News("busy", "desk").packed()
COLLECTS = 'instructions = "You answer."\ntools = ["collect_digits"]\n'
PLAIN = 'instructions = "You answer."\n'


def begun(
    folder: Path,
    text: str | None = None,
    *,
    news: str = "",
    left: Snapshot | None = None,
    again: bool = False,
) -> Beginning:
    path, personas = house(folder) if text is None else house(folder, text)
    arrival = Arrival(call_id="CA1", stream_id="MZ1", agent=path, again=again, news=news)
    return beginning(Cast(personas, path, CallFacts()), arrival, left, "About.", first_model)


def placed(path: str, attempt_id: str = "") -> Arrival:
    facts = CallFacts(direction="outbound", attempt_id=attempt_id)
    return Arrival(call_id="CA1", stream_id="MZ1", agent=path, direction="outbound", facts=facts)


def first_model(persona: Persona, left: Snapshot | None) -> int:
    return 0 if left is None else left.model


def test_a_first_stream_goes_on_from_nothing(tmp_path: Path) -> None:
    made = begun(tmp_path)
    assert (made.started.call_id, made.started.stream_id) == ("CA1", "MZ1")
    assert (made.started.resumed, made.started.returned) == (None, None)
    assert (made.about, made.again, made.started.agent) == ("About.", False, "house")


def test_a_call_knows_which_attempt_it_is(tmp_path: Path) -> None:
    path, personas = house(tmp_path)
    cast = Cast(personas, path, CallFacts())
    made = beginning(cast, placed(path, "a-7"), None, "", first_model)
    assert made.started.attempt_id == "a-7"
    assert begun(tmp_path).started.attempt_id == ""


def test_who_answers_is_known_to_the_call(tmp_path: Path) -> None:
    path, personas = house(tmp_path)
    cast = Cast(personas, path, CallFacts())
    who = WhoAnswers(OnAnswer("message", "Hello."), "human", 120)
    started = beginning(cast, placed(path), None, "", first_model, who).started
    assert (started.on_answer, started.answered_by, started.since_answer_ms) == (
        who.on_answer,
        "human",
        120,
    )
    assert begun(tmp_path).started.on_answer is None


def test_a_later_one_goes_on_from_where_the_call_was_left(tmp_path: Path) -> None:
    left = Snapshot("CA1", "inbound", model=1)
    made = begun(tmp_path, left=left, again=True)
    assert made.again
    assert (made.started.resumed, made.started.first_model) == (left, 1)


@pytest.mark.parametrize("left", [None, Snapshot("CA1", "inbound", summary="A table.")])
def test_who_comes_back_is_never_greeted_as_new(tmp_path: Path, left: Snapshot | None) -> None:
    started = begun(tmp_path, news=BUSY, left=left).started
    assert started.returned is not None
    assert "the line was busy" in started.returned.output
    assert started.resumed == (left or Snapshot("CA1", "inbound", moved=True))


@pytest.mark.parametrize(
    ("text", "again", "private", "in_doubt"),
    [
        (PLAIN, True, False, False),
        (COLLECTS, False, True, False),
        (COLLECTS, True, True, True),
    ],
)
def test_keys_are_in_doubt_where_a_private_entry_may_have_been_broken_off(
    tmp_path: Path, text: str, again: bool, private: bool, in_doubt: bool
) -> None:
    made = begun(tmp_path, text, again=again)
    assert (made.private_keys, made.started.keys_in_doubt) == (private, in_doubt)


def test_a_colleague_may_ask_for_keys_too(tmp_path: Path) -> None:
    (tmp_path / "bills.toml").write_text(PLAIN, encoding="utf-8")
    other = str(tmp_path / "bills.toml")
    assert begun(tmp_path, f'{PLAIN}colleagues = ["{other}"]\n', again=True).private_keys
