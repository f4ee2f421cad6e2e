"""What a tool plans for a call that leaves the model, as the detail of its ending keeps it."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from app.onward.happenings import Wanted

MOST_BRIEF_CHARS = 600


@dataclass(frozen=True, slots=True)
class Plan:
    what: Literal["transfer", "menu", "voicemail"]
    to: str = ""
    """The key of a transfer."""
    agent: str = ""
    """Whose ways they are; "": the agent that the call began with."""
    brief: str = ""
    """What the person is told before they take the call."""
    run: str = ""
    """Tells this plan from another one like it."""

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.what, self.to)

    def packed(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def read_plan(text: str) -> Plan | None:
    """None for what is no plan of ours."""
    try:
        plan = Plan(**json.loads(text))
    except (ValueError, TypeError):
        return None
    right = plan.what in ("transfer", "menu", "voicemail")
    texts = all(isinstance(one, str) for one in (plan.to, plan.agent, plan.brief, plan.run))
    return plan if right and texts else None
