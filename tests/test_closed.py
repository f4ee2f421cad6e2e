"""Outside its hours a call goes where the agent's file says, and an agent that answers knows that
it is closed and when it opens; what is said of it is in this caller's words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.agents import load_agent
from app.call.facts import CallFacts
from app.closed import CLOSED_WORDS, is_open, told, when_closed
from app.onward.happenings import Happening, Say, Wanted
from app.persona import Persona, make_persona
from app.settings import Settings

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FILE = """
instructions = "You answer."
[hours]
timezone = "Europe/London"
{more}
[hours.week]
monday = ["09:00-17:00"]
[voicemail]
[transfers.night]
to = "+14155550100"
"""


def persona(folder: Path, more: str = "", text: str = FILE) -> Persona:
    path = folder / "house.toml"
    path.write_text(text.format(more=more), encoding="utf-8")
    return make_persona(load_agent(path), Settings.model_validate({"openai_api_key": "sk-test"}))


def braced(text: str) -> str:
    """Braces that `format` leaves as they are."""
    return text.replace("{", "{{").replace("}", "}}")


def test_the_clock_of_its_own_zone_counts(tmp_path: Path) -> None:
    agent = persona(tmp_path).agent

    assert is_open(agent, MONDAY)
    assert not is_open(agent, SUNDAY)
    assert not is_open(agent, MONDAY.replace(hour=17, minute=30))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", None),
        ('when_closed = "talk"', None),
        ('when_closed = "voicemail"', Wanted("voicemail", words=CLOSED_WORDS)),
        ('when_closed = "message"\nmessage = "Shut."', Say("Shut.")),
        ('when_closed = "person"\nperson = "night"', Wanted("transfer", "night")),
        ('when_closed = "hang_up"', Say("")),
    ],
)
def test_each_way_of_being_closed(tmp_path: Path, more: str, expected: Happening | None) -> None:
    assert when_closed(persona(tmp_path, more), CallFacts(), lambda: SUNDAY) == expected


@pytest.mark.parametrize("way", ["message", "voicemail"])
@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (CallFacts(caller_name="Ada"), "Good Sunday, Ada. We are closed."),
        (CallFacts(), "Good Sunday. We are closed."),
    ],
    ids=["known", "unknown"],
)
def test_the_message_is_in_this_callers_words(
    tmp_path: Path, way: str, facts: CallFacts, words: str
) -> None:
    message = 'message = "Good {{weekday}}, {{caller_name}}. We are closed."'
    text = FILE.replace("{more}", f'when_closed = "{way}"\n{message}')
    house = persona(tmp_path, text=braced(f'{text}[variables]\ncaller_name = ""\n'))

    assert when_closed(house, facts, lambda: SUNDAY) == (
        Say(words) if way == "message" else Wanted("voicemail", words=words)
    )


def test_a_message_of_which_nothing_is_left_is_said_in_our_words(tmp_path: Path) -> None:
    text = FILE.replace("{more}", 'when_closed = "message"\nmessage = "{{note}}"')
    house = persona(tmp_path, text=braced(f'{text}[variables]\nnote = ""\n'))

    assert when_closed(house, CallFacts(), lambda: SUNDAY) == Say(CLOSED_WORDS)


def test_the_agent_is_told_when_it_opens(tmp_path: Path) -> None:
    closed = told(persona(tmp_path), lambda: SUNDAY)

    assert "closed now" in closed
    assert "tomorrow at nine (2026-11-23 09:00)" in closed
    assert "open now" in told(persona(tmp_path), lambda: MONDAY)


def test_an_agent_without_hours_is_always_open_and_told_nothing(tmp_path: Path) -> None:
    path = tmp_path / "free.toml"
    path.write_text('instructions = "You answer."', encoding="utf-8")
    free = make_persona(load_agent(path), Settings.model_validate({"openai_api_key": "sk-test"}))

    assert is_open(free.agent, SUNDAY)
    assert told(free, lambda: SUNDAY) == ""
