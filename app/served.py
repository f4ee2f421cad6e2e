"""A call whose telephone the model's side holds: what is different for whoever answers it."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Final, Protocol

from app.beginning import Beginning
from app.call.collect_tool import COLLECT_TOOL
from app.call.commands import OpenLeg
from app.call.events import Snapshot
from app.call.floor_settings import FloorSettings
from app.call.offers_settings import OfferSettings
from app.call.phases import CallSettings
from app.call.playout_settings import PlayoutSettings
from app.call.responses import ResponseSettings
from app.manner import greeting_instructions
from app.models.ports import ModelSession, SemanticVad, ServerVad, SessionConfig
from app.persona import Persona

WITHOUT: Final = frozenset(
    {COLLECT_TOOL, "send_keys", "leave_voicemail", "offer_menu", "hand_over", "switch_language"}
)
"""Tools that need sound of ours, a second session, or a carrier that asks us what comes next."""
LONGEST_MS: Final = 58 * 60_000
"""Such a call lives on one session, which the vendor ends after an hour: the agent says goodbye
before (OpenAI guide: realtime conversations)."""
WARN_MS: Final = 60_000
LEAST_MS: Final = 15_000
"""What is left to a call that another worker takes over at its end: enough for a goodbye."""
OPEN_MS: Final = 30_000
"""Longest time in which the call may be taken and joined."""


class Served(Protocol):
    """Who opens the call's only session."""

    left: Snapshot | None
    """Where the call stood when it was left, here or by another worker; None: it was not."""

    def settings(self, persona: Persona) -> CallSettings: ...

    def open(self, begun: Beginning, leg: OpenLeg) -> Awaitable[ModelSession]: ...


def served_settings(persona: Persona, *, age_ms: int = 0) -> CallSettings:
    """An agent's settings where the model hears, plays and ends turns, and nothing is said by
    anybody else. Its session cannot be changed for another one. `age_ms`: of the call, whose
    session does not begin anew with its next stream."""
    call, agent = persona.call, persona.agent
    longest_ms = min(call.patience.max_call_ms or LONGEST_MS, LONGEST_MS)
    longest_ms = max(LEAST_MS, longest_ms - age_ms)
    warn_ms = call.patience.warn_before_ms if call.patience.max_call_ms else WARN_MS
    words = " ".join((*agent.first_words, agent.greeting)).strip()
    return replace(
        call,
        greeting=greeting_instructions(words) if words else "",
        greeting_words="",
        late_greeting="",
        notices=(),
        playout=PlayoutSettings(by="model"),
        responses=ResponseSettings(),
        floor=FloorSettings(by="model", keys=call.floor.keys),
        turn_end=None,
        relay=replace(
            call.relay,
            models=1,
            session_ms=2 * LONGEST_MS,
            context_tokens=0,
            spend_usd=0.0,
            prune_tokens=0,
            attempt_ms=OPEN_MS,
            give_up_ms=OPEN_MS,
            filler="",
            fruitless=1,
        ),
        patience=replace(
            call.patience,
            max_call_ms=longest_ms,
            warn_before_ms=min(warn_ms, longest_ms // 2),
        ),
        offers=OfferSettings(),
        tool_sound_after_ms=0,
        colleagues=(),
    )


def served_config(config: SessionConfig) -> SessionConfig:
    """A session that ends turns, answers and stops by itself, without the tools that it cannot
    have."""
    turns = config.turn_detection or ServerVad()
    assert isinstance(turns, ServerVad | SemanticVad)
    tools = tuple(tool for tool in config.tools if tool.get("name") not in WITHOUT)
    return replace(
        config,
        tools=tools,
        turn_detection=replace(turns, create_response=True, interrupt_response=True),
    )
