"""Whether the caller has said all, for whoever asks a text model for a yes or a no."""

import re
from typing import Final

from app.lab.realtime.completeness import sounds_finished
from app.lab.text.transcript import turns_of

_TURN_IS_OVER: Final = re.compile(
    r"\b(in)?complete\b|\b(un)?finished\b|\bdone (speaking|talking)\b", re.IGNORECASE
)
_YES_OR_NO: Final = re.compile(r"\byes\b.*\bno\b|\bno\b.*\byes\b", re.IGNORECASE | re.DOTALL)


def asks_for_judgement(instructions: str) -> bool:
    """Whether the prompt asks if a turn is over, and wants a yes or a no."""
    wanted = _TURN_IS_OVER.search(instructions) and _YES_OR_NO.search(instructions)
    return wanted is not None


def judgement_of(instructions: str, text: str) -> str:
    """ "yes" or "no". `text`: the turn, or a transcript that ends with it."""
    turns = turns_of(text)
    said = " ".join(turn.text for turn in turns if turn.role == "user") if turns else text
    asked = [turn.text for turn in turns if turn.role == "assistant"]
    return "yes" if sounds_finished(said, asked[-1] if asked else "") else "no"
