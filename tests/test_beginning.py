"""A stream goes on from where its call was left, also if nobody kept that; and keys that the caller
may have pressed in between are in doubt only where they may be private."""

from pathlib import Path

import pytest

from app.beginning import Beginning, beginning
from app.call.events import Snapshot
from app.call.facts import CallFacts
from app.carriers.twilio.media import Start
from app.carriers.twilio.stream_plans import AGAIN
from app.carriers.twilio.tokens import Grant
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
    start = Start("MZ1", "CA1", "AC1", {AGAIN: "1"} if again else {})
    grant = Grant("CA1", path, "inbound", news)
    return beginning(Cast(personas, path, CallFacts()), grant, start, left, "About.", first_model)


def first_model(persona: Persona, left: Snapshot | None) -> int:
    return 0 if left is None else left.model


def test_a_first_stream_goes_on_from_nothing(tmp_path: Path) -> None:
    made = begun(tmp_path)
    assert (made.started.call_id, made.started.stream_id) == ("CA1", "MZ1")
    assert (made.started.resumed, made.started.returned) == (None, None)
    assert (made.about, made.again, made.started.agent) == ("About.", False, "house")


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
