"""Who is speaking, and what the bot does about it.

    nobody --caller starts--> caller --caller stops--> nobody
    agent  --caller starts--> caller (the decision is: yield)

The model's own voice activity detection is the witness here; each strategy answers one of
*hold*, *yield*, *resume*, *nothing*.
"""

from enum import StrEnum


class Decision(StrEnum):
    HOLD = "hold"
    YIELD = "yield"
    RESUME = "resume"
    NOTHING = "nothing"


class Floor:
    """Hard barge-in on the model's word: the agent yields whenever the caller starts to speak."""

    __slots__ = ("caller_speaking",)

    def __init__(self) -> None:
        self.caller_speaking = False

    def caller_started(self, *, agent_has_floor: bool) -> Decision:
        """`agent_has_floor`: the agent is heard, is about to be heard, or is thinking."""
        self.caller_speaking = True
        return Decision.YIELD if agent_has_floor else Decision.NOTHING

    def caller_stopped(self) -> None:
        self.caller_speaking = False
