"""Where a call is while no model carries it. Small enough to travel in a URL that the carrier
signs, so that any worker can go on with it, also without a store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.call.events import Direction

MOST_CHARS: Final = 4_000
"""Of one value; a longer one is none of ours."""
MOST_STEPS: Final = 30
"""So often one call goes from place to place before it is ended: no journey goes round for ever."""


class Stop(StrEnum):
    START = "start"
    TRANSFER = "transfer"
    REFER = "refer"
    HELD = "held"
    """With music, while a person is told what it is about."""
    MENU = "menu"
    VOICEMAIL = "voicemail"
    OVER = "over"


class JourneyError(ValueError):
    """What came back is no journey of ours: an old URL, or somebody else's."""


@dataclass(frozen=True, slots=True)
class Journey:
    agent: str
    direction: Direction = "inbound"
    stop: Stop = Stop.START
    to: str = ""
    """The key of a transfer."""
    fell: bool = False
    """It left because no model could carry it."""
    rung: int = 0
    """How many rungs of the ladder are behind it."""
    tries: int = 0
    """At this stop."""
    steps: int = 0
    hold: str = ""
    """While they wait for a person: which time it is, as they can wait more than once."""
    plan: str = ""
    """The run of the plan by which it left, to tell a stale ending from a new one."""
    facts: str = ""
    """What is known of the call, sealed by whoever began it; opaque here."""

    def at(self, stop: Stop, **changes: str | int | bool) -> "Journey":
        """The next stop."""
        steps = self.steps + 1
        return replace(self, stop=stop, steps=steps, **{"tries": 0, **changes})  # type: ignore[arg-type]

    def as_query(self) -> dict[str, str]:
        fields = {
            "agent": self.agent,
            "direction": self.direction,
            "stop": self.stop.value,
            "to": self.to,
            "fell": "1" if self.fell else "",
            "rung": str(self.rung or ""),
            "tries": str(self.tries or ""),
            "steps": str(self.steps or ""),
            "hold": self.hold,
            "plan": self.plan,
            "facts": self.facts,
        }
        return {name: value for name, value in fields.items() if value}


def read_journey(query: Mapping[str, str]) -> Journey:
    """Raises `JourneyError`."""
    if any(len(value) > MOST_CHARS for value in query.values()):
        raise JourneyError(f"expected values of at most {MOST_CHARS} characters")
    if query.get("stop") not in set(Stop):
        raise JourneyError("expected a stop of a journey")
    if query.get("direction", "inbound") not in ("inbound", "outbound"):
        raise JourneyError("expected the direction inbound or outbound")
    return Journey(
        agent=query.get("agent", ""),
        direction="outbound" if query.get("direction") == "outbound" else "inbound",
        stop=Stop(query["stop"]),
        to=query.get("to", ""),
        fell=query.get("fell") == "1",
        rung=_whole(query.get("rung", "")),
        tries=_whole(query.get("tries", "")),
        steps=_whole(query.get("steps", "")),
        hold=query.get("hold", ""),
        plan=query.get("plan", ""),
        facts=query.get("facts", ""),
    )


def _whole(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise JourneyError("expected a small whole number")
    return int(text)
