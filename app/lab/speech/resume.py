"""A call that goes on in another session: what the instructions ask for, where an answer was cut.

They are read as plain English, as a model reads them: no client's wording is known here.
"""

import re

from app.lab.speech.summary import last_summary

INTERRUPTED = "[interrupted]"
_IN_PROGRESS = re.compile(
    r"\b(call|conversation) ((is|has been) (still )?(in progress|going on)|goes on|continues)\b"
    r"|\b(not|never|don't|without) (\w+ ){0,2}greet"
    r"|\bsummary of (the|this) (phone )?(call|conversation)\b",
    re.IGNORECASE,
)
_GO_ON = re.compile(r"\b(go on|continue)\b", re.IGNORECASE)
_WAS_CUT = re.compile(r"\b(cut off|interrupted|broke off|broken off)\b", re.IGNORECASE)
_BEGIN_WITH = re.compile(r"\bsay so\b[^\".]*\"([^\"]+)\"", re.IGNORECASE)
"""Within one sentence: what is quoted after it is another matter."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def told_in_progress(told: str) -> bool:
    """Whether the caller has been spoken with already: then nobody greets them."""
    return _IN_PROGRESS.search(told) is not None or bool(last_summary(told))


def told_to_begin_with(instructions: str) -> str:
    """The phrase in which the model is to say that something happened, or ""."""
    found = _BEGIN_WITH.search(instructions)
    return found[1] if found else ""


def goes_on(instructions: str, *, cut: bool) -> bool:
    """Whether the last answer is to be finished. `cut`: it can be seen that it broke off."""
    told = instructions.replace(INTERRUPTED, "")  # the mark explained is no word that it was set
    return bool(_GO_ON.search(told) and (cut or _WAS_CUT.search(told)))


def last_sentence(text: str) -> str:
    return _SENTENCE_END.split(text.strip())[-1]


def without_first_sentence(text: str) -> str:
    return " ".join(_SENTENCE_END.split(text.strip())[1:])


def rest_of(whole: str, heard: str) -> str:
    """`whole` from the sentence on in which `heard` ends; all of it where the two do not fit."""
    end = _end_of(heard.removesuffix(INTERRUPTED).split(), whole)
    start = max(
        (gap.end() for gap in _SENTENCE_END.finditer(whole) if gap.start() <= end), default=0
    )
    return whole[start:]


def _end_of(heard: list[str], whole: str) -> int:
    """Where the longest tail of the words heard ends in the whole answer; 0: nowhere."""
    for first in range(len(heard)):
        tail = " ".join(heard[first:])
        if (at := whole.find(tail)) >= 0:
            return at + len(tail)
    return 0
