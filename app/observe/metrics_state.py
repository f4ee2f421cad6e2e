"""What is remembered of a call in progress so that each of its happenings is counted once."""

from dataclasses import dataclass, field

from app.call.call import Call
from app.call.timeline import Interruption, Turn


@dataclass(slots=True)
class TurnsOfCall:
    seen: int = 0
    """Turns of the timeline that were taken up."""
    unsent: list[Turn] = field(default_factory=list)
    """Turns without a frame sent."""
    unplayed: list[Turn] = field(default_factory=list)
    """Turns whose first frame was sent and is not known to have been played."""
    interrupted: dict[int, Interruption | None] = field(default_factory=dict)
    """By number the newest turns whose interruption was counted. None: nothing had sounded."""
    unsettled: int = 0
    """Cuts whose verdict is awaited."""
    ended_at: str = ""
    """Generation and position of the newest end mark."""


@dataclass(slots=True)
class LegsOfCall:
    models: dict[int, str] = field(default_factory=dict)
    """By leg the model's label: of the one that carries the call and of later ones."""
    leg: int = 0
    """The one that carries the call, or did so last; 0: none has."""
    lost_ms: int | None = None
    """When the leg that carried the call was lost, while no other has taken over."""
    text_summary: bool = False
    """The summary asked for last is written by the text model."""

    @property
    def label(self) -> str | None:
        """The model that carries the call."""
        return self.models.get(self.leg or 1)


@dataclass(slots=True)
class OpenCall:
    call: Call
    turns: TurnsOfCall = field(default_factory=TurnsOfCall)
    legs: LegsOfCall = field(default_factory=LegsOfCall)
