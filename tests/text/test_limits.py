"""Two machines never write to each other for ever, and nobody makes us spend without end."""

import pytest

from app.text.limits import (
    DAY_S,
    MINUTE_S,
    MOST_A_MINUTE,
    MOST_QUICK,
    MOST_REPEATS,
    DayLimits,
    is_automatic,
    note_received,
    note_sent,
    note_spent,
    silence,
)
from app.text.talk import Pace

LIMITS = DayLimits(messages=60, usd=1.0)
NOW_S = 1_800_000_000.0


def answer(pace: Pace, text: str, now_s: float, limits: DayLimits = LIMITS) -> str:
    """One turn: why it is silent, else it is answered at once."""
    note_received(pace, [text], now_s)
    why = silence(pace, [text], now_s, limits)
    if not why:
        note_sent(pace, now_s)
    return why


def test_a_person_who_writes_all_day_is_answered() -> None:
    pace = Pace()
    assert {answer(pace, f"question {n}", NOW_S + n * 60) for n in range(59)} == {""}


def test_the_same_text_again_and_again_is_answered_a_few_times_only() -> None:
    pace = Pace()
    said = [answer(pace, "PING " * (1 + n % 1), NOW_S + n * 60) for n in range(6)]
    assert said.count("") == MOST_REPEATS + 1
    assert set(said[MOST_REPEATS + 1 :]) == {"repeats"}
    assert answer(pace, "something else", NOW_S + 600) == ""


def test_a_machine_that_answers_in_no_time_is_told_nothing_more() -> None:
    pace = Pace()
    said = [answer(pace, f"reply {n}", NOW_S + n * 2) for n in range(MOST_QUICK + 3)]
    assert said[: MOST_QUICK + 1] == [""] * (MOST_QUICK + 1)
    assert said[MOST_QUICK + 1] == "machine"


def test_a_minute_and_a_day_have_an_end_and_then_it_goes_on() -> None:
    pace = Pace()
    for n in range(MOST_A_MINUTE):
        note_sent(pace, NOW_S + n)
    assert silence(pace, ["hi"], NOW_S + 30, LIMITS) == "minute"
    assert silence(pace, ["hi"], NOW_S + 30 + MINUTE_S, LIMITS) == ""
    assert silence(pace, ["hi"], NOW_S + 100, DayLimits(10, 0)) == "messages"
    assert silence(pace, ["hi"], NOW_S + 100 + DAY_S, DayLimits(10, 0)) == ""
    assert silence(Pace(), ["hi"], NOW_S, DayLimits(0, 0)) == "messages"


def test_the_days_money_has_an_end_unless_there_is_none() -> None:
    pace = Pace()
    note_spent(pace, 0.6, NOW_S)
    assert silence(pace, ["hi"], NOW_S, LIMITS) == ""
    note_spent(pace, 0.4, NOW_S)
    assert silence(pace, ["hi"], NOW_S, LIMITS) == "spend"
    assert silence(pace, ["hi"], NOW_S, DayLimits(60, 0)) == ""
    assert silence(pace, ["hi"], NOW_S + DAY_S, LIMITS) == ""


def test_a_rest_is_kept() -> None:
    assert silence(Pace(resting_until_s=NOW_S + 1), ["hi"], NOW_S, LIMITS) == "resting"
    assert silence(Pace(resting_until_s=NOW_S), ["hi"], NOW_S, LIMITS) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Auto-Reply: I am away",
        "AUTOMATIC REPLY",
        "I'm out of the office until Monday",
        "I’m driving with Do Not Disturb",
        "This inbox is not monitored.",
        "Please do not reply to this message",
        "Réponse automatique : absent",
    ],
)
def test_an_automatic_reply_is_known(text: str) -> None:
    assert is_automatic(text)
    assert silence(Pace(), [text], NOW_S, LIMITS) == "auto_reply"


@pytest.mark.parametrize("text", ["Can you reply?", "Are you a machine?", "My office is near", ""])
def test_a_person_is_no_machine(text: str) -> None:
    assert not is_automatic(text)
