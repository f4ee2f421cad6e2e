"""When a message gets no answer: two machines must never write to each other for ever, and nobody
may make us spend without end. Pure: time comes as an argument.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.text.talk import Pace

Silence: TypeAlias = Literal[
    "", "resting", "auto_reply", "repeats", "machine", "messages", "minute", "spend"
]
"""Why nothing is answered: a rest after a failure or a machine; an automatic reply; the same text
again and again; faster than people write; the day's messages, the minute's, the day's money."""

DAY_S: Final = 24 * 3600.0
MINUTE_S: Final = 60.0
MOST_A_MINUTE: Final = 10
MOST_REPEATS: Final = 2
"""Copies of one text in a row that are still answered."""
QUICK_S: Final = 2.5
"""Nobody reads a message and answers it faster, the network's delay included."""
MOST_QUICK: Final = 4
MACHINE_REST_S: Final = 3600.0
FAILURE_REST_S: Final = 300.0

_AUTOMATIC: Final = re.compile(
    r"\bauto(matic|mated|matische)?[ -]?(reply|response|antwort)\b|\bout of (the )?office\b"
    r"|\bdo not reply\b|\b(un)?monitored (inbox|number|mailbox)\b|\bi('| a)?m driving\b"
    r"|\babwesenheitsnotiz\b|\breponse automatique\b|\brespuesta automatica\b"
    r"|\brisposta automatica\b|\bthis (number|inbox) is not monitored\b"
    r"|\bsent from my (car|vehicle)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DayLimits:
    """For one person in 24 hours. `usd` 0: no limit."""

    messages: int
    usd: float


def note_received(pace: Pace, texts: Sequence[str], now_s: float) -> None:
    """Messages came in that one turn takes."""
    text = _plain(" ".join(texts))
    pace.repeats = pace.repeats + 1 if text and text == pace.last_text else 0
    pace.last_text = text
    last_s = pace.sent_s[-1] if pace.sent_s else None
    pace.quick = pace.quick + 1 if last_s is not None and now_s - last_s < QUICK_S else 0


def note_sent(pace: Pace, now_s: float) -> None:
    pace.sent_s = [at_s for at_s in pace.sent_s if now_s - at_s < DAY_S] + [now_s]


def note_spent(pace: Pace, usd: float, now_s: float) -> None:
    if usd > 0:
        kept = [(at_s, cost) for at_s, cost in pace.spent if now_s - at_s < DAY_S]
        pace.spent = [*kept, (now_s, usd)]


def silence(pace: Pace, texts: Sequence[str], now_s: float, limits: DayLimits) -> Silence:
    """Why these messages get no answer; "": they get one. To be asked after `note_received`."""
    today = sum(now_s - at_s < DAY_S for at_s in pace.sent_s)
    minute = sum(now_s - at_s < MINUTE_S for at_s in pace.sent_s)
    spent = sum(usd for at_s, usd in pace.spent if now_s - at_s < DAY_S)
    reasons: tuple[tuple[bool, Silence], ...] = (
        (now_s < pace.resting_until_s, "resting"),
        (bool(texts) and all(is_automatic(text) for text in texts), "auto_reply"),
        (pace.repeats > MOST_REPEATS, "repeats"),
        (pace.quick > MOST_QUICK, "machine"),
        (today >= limits.messages, "messages"),
        (minute >= MOST_A_MINUTE, "minute"),
        (bool(limits.usd) and spent >= limits.usd, "spend"),
    )
    return next((why for holds, why in reasons if holds), "")


def is_automatic(text: str) -> bool:
    """Whether a machine wrote it in its owner's place."""
    return _AUTOMATIC.search(_unaccented(text)) is not None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())[:500]


def _unaccented(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("’", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c))
