"""The phases of a call, and its settings.

    opening --ready--> talking --goodbye--> goodbye --called_off--> talking
    every phase --end--> ended

A hang-up may be asked for before the model is ready; then the goodbye begins at once.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from app.call.answer_settings import AnswerSettings
from app.call.crew import Colleague
from app.call.floor_settings import FloorSettings
from app.call.offers_settings import OfferSettings
from app.call.patience import PatienceSettings
from app.call.playout_settings import PlayoutSettings
from app.call.prices import Prices
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from app.call.spending_settings import SpendSettings
from app.call.turn_end import TurnEndSettings


class Phase(StrEnum):
    OPENING = "opening"
    TALKING = "talking"
    GOODBYE = "goodbye"
    ENDED = "ended"


TRANSITIONS: dict[tuple[Phase, str], Phase] = {
    (Phase.OPENING, "ready"): Phase.TALKING,
    (Phase.OPENING, "goodbye"): Phase.GOODBYE,
    (Phase.TALKING, "goodbye"): Phase.GOODBYE,
    (Phase.GOODBYE, "goodbye"): Phase.GOODBYE,
    (Phase.GOODBYE, "called_off"): Phase.TALKING,
    (Phase.OPENING, "end"): Phase.ENDED,
    (Phase.TALKING, "end"): Phase.ENDED,
    (Phase.GOODBYE, "end"): Phase.ENDED,
}
"""Phase and happening -> the next phase. What is not here does not happen."""


@dataclass(frozen=True, slots=True)
class CallSettings:
    agent: str = ""
    """The name of the agent that the call begins with."""
    colleagues: tuple[Colleague, ...] = ()
    """Other agents that it may hand the call to."""
    language: str = ""
    """What the caller mostly speaks, ISO 639-1; "": not known."""
    greeting: str = ""
    """Instructions of the first response; empty: the agent waits for the caller."""
    greeting_words: str = ""
    """The greeting as a phrase that may be at hand in the agent's voice; it is said while the model
    is still being reached. "": the model greets."""
    late_greeting: str = ""
    """Instructions of the first answer to a caller who spoke during the notices, in the greeting's
    place."""
    notices: tuple[str, ...] = ()
    """What is said before the greeting, word for word and to its end, in this order."""
    playout: PlayoutSettings = field(default_factory=PlayoutSettings)
    responses: ResponseSettings = field(default_factory=ResponseSettings)
    patience: PatienceSettings = field(default_factory=lambda: PatienceSettings(after_ms=0))
    floor: FloorSettings = field(default_factory=FloorSettings)
    turn_end: TurnEndSettings | None = None
    """How we end the caller's turns; None: the model does."""
    judge_prices: Prices | None = None
    """Of the text model that is asked whether a turn is complete; None: not known."""
    relay: RelaySettings = field(default_factory=RelaySettings)
    spend: SpendSettings = field(default_factory=SpendSettings)
    offers: OfferSettings = field(default_factory=OfferSettings)
    prices: tuple[Prices | None, ...] = ()
    """Of each model of the agent's list; None where they are not known."""
    tool_sound_after_ms: int = 0
    """So long a caller waits for a tool in silence; then a sound tells them that it runs. 0: there
    is none."""
    wait_words_after_ms: int = 1_500
    """So long a caller waits for a tool in silence; then its words are said (`ToolBegan`)."""
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    key_pause_ms: int = 1_500
    """Keys pressed closer together than this reach the model as one entry."""
    goodbye_timeout_ms: int = 3_000
    move_wait_ms: int = 8_000
    """Longest wait for a quiet moment in which a call moves to another worker."""
    max_failures: int = 2
    """After this many failed responses in a row the model is given up."""
