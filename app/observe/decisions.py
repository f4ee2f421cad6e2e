"""What was decided in a call and why, kept beside its record: a line in `decisions.jsonl`.

The log says that a decision was made, and nothing of whom it concerned.
"""

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

from app.observe.call_lines import CallLines
from app.observe.log import event

logger = logging.getLogger(__name__)

FILE: Final = "decisions.jsonl"


class Decision(Protocol):
    """What a line is made of; see `app.policy.decisions.Decision`."""

    @property
    def call_id(self) -> str: ...

    @property
    def action(self) -> str: ...

    @property
    def allowed(self) -> bool: ...

    @property
    def rule(self) -> str: ...

    @property
    def by(self) -> str: ...

    @property
    def as_json(self) -> str:
        """One line, without its end; numbers masked."""
        ...


Follower: TypeAlias = Callable[[Any], None]
"""Is told of each decision about a call. It gets what was recorded, whatever its type."""


class Decisions:
    """`lines` None: they are logged, and kept nowhere."""

    def __init__(self, lines: CallLines | None) -> None:
        self._lines = lines
        self._followers: dict[str, Follower] = {}

    def record(self, decision: Decision) -> None:
        """Never waits."""
        event(
            logger,
            logging.INFO,
            "decided",
            call=decision.call_id,
            action=decision.action,
            allowed=decision.allowed,
            rule=decision.rule,
            by=decision.by,
        )
        self.keep(decision)

    def keep(self, decision: Decision) -> None:
        """The same, for who has logged it already."""
        follower = self._followers.get(decision.call_id)
        if follower is not None:
            follower(decision)
        if self._lines is not None:
            self._lines.put(decision.call_id, FILE, decision.as_json)

    def follow(self, call_id: str, follower: Follower) -> None:
        """From now on, until `unfollow`; one for each call."""
        self._followers[call_id] = follower

    def unfollow(self, call_id: str, follower: Follower) -> None:
        """Unless another one took its place."""
        if self._followers.get(call_id) == follower:
            del self._followers[call_id]
