"""STOP, START and HELP as Twilio honours them by itself on long codes.

Source: Twilio's help article about opt-out keywords; advanced opt-out documentation.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

OptOutType: TypeAlias = Literal["STOP", "START", "HELP"]

KEYWORDS: Mapping[OptOutType, frozenset[str]] = {
    "STOP": frozenset(
        {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
    ),
    "START": frozenset({"START", "YES", "UNSTOP"}),
    "HELP": frozenset({"HELP", "INFO"}),
}


def keyword(body: str) -> OptOutType | None:
    """The keyword that a message consists of, if it is nothing else."""
    word = body.strip().upper()
    return next((kind for kind, words in KEYWORDS.items() if word in words), None)


class OptOuts:
    """Who does not want messages from which of our numbers."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()

    def take(self, word: OptOutType | None, *, ours: str, theirs: str) -> None:
        if word == "STOP":
            self._pairs.add((ours, theirs))
        elif word == "START":
            self._pairs.discard((ours, theirs))

    def blocked(self, *, ours: str, theirs: str, service: bool) -> bool:
        """A messaging service is blocked by an opt-out from any of its numbers."""
        if service:
            return any(person == theirs for _, person in self._pairs)
        return (ours, theirs) in self._pairs
