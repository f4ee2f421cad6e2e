"""A campaign's states, and who may move it from one to the next.

    draft --schedule--> scheduled --open--> running
    draft, scheduled --start--> running
    running --pause--> paused --resume--> running
    draft, scheduled, running, paused --stop--> stopped
    running --exhausted (no contact is left to dial)--> completed
    completed --extend (contacts were added, or their rules changed)--> running

Stopped is final. Nothing is dialled outside `running`; calls in progress go on to their end
whatever becomes of the campaign.
"""

from enum import StrEnum
from typing import Literal


class CampaignState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETED = "completed"


Move = Literal["schedule", "open", "start", "pause", "resume", "stop", "exhausted", "extend"]

_S = CampaignState
TRANSITIONS: dict[tuple[CampaignState, Move], CampaignState] = {
    (_S.DRAFT, "schedule"): _S.SCHEDULED,
    (_S.DRAFT, "start"): _S.RUNNING,
    (_S.DRAFT, "stop"): _S.STOPPED,
    (_S.SCHEDULED, "open"): _S.RUNNING,
    (_S.SCHEDULED, "start"): _S.RUNNING,
    (_S.SCHEDULED, "stop"): _S.STOPPED,
    (_S.RUNNING, "pause"): _S.PAUSED,
    (_S.RUNNING, "stop"): _S.STOPPED,
    (_S.RUNNING, "exhausted"): _S.COMPLETED,
    (_S.PAUSED, "resume"): _S.RUNNING,
    (_S.PAUSED, "stop"): _S.STOPPED,
    (_S.COMPLETED, "extend"): _S.RUNNING,
}


class WrongMoveError(Exception):
    """The caller's fault: a campaign in this state cannot be moved so."""

    def __init__(self, state: CampaignState, move: Move) -> None:
        may = sorted(can for before, can in TRANSITIONS if before is state)
        can = f"it can: {', '.join(may)}" if may else "nothing moves it any more"
        super().__init__(f"expected a move that a {state} campaign can make, got {move}; {can}")
        self.state, self.move = state, move


def moved(state: CampaignState, move: Move) -> CampaignState:
    """The state after `move`. Raises `WrongMoveError`."""
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        raise WrongMoveError(state, move) from None
