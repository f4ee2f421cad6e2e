"""A caller who may be in danger is told at once whom to call, before anything else."""

import logging
from collections.abc import Callable
from typing import Final

from app.agents import Policy
from app.bridge.call_bridge import CallBridge
from app.call.call import Call
from app.call.commands import Command
from app.call.events import CallerTranscribed, DeadlineReached, Event, Prompted
from app.observe import log
from app.policy.emergency import EmergencyKind, emergency_in, emergency_number

logger = logging.getLogger(__name__)

SAY: Final = (
    "The caller may be in an emergency. Before anything else tell them, calmly and in one or two "
    "short sentences, to hang up and call {number} now. Do not try to handle it yourself. If they "
    "say that it is no emergency, go on."
)
ANY_NUMBER: Final = "the emergency number (112, 911 or the local one)"

PolicyOf = Callable[[str], Policy]
"""The policy of an agent in the call, by name; "": of the one that it began with."""


class Emergencies:
    """An `Observer` of one call. `near`: the numbers of both parties, as far as they are known;
    where they are, others mean help than elsewhere."""

    def __init__(self, policy_of: PolicyOf, near: tuple[str, ...] = ()) -> None:
        self._policy_of = policy_of
        self._near = near
        self._bridge: CallBridge | None = None
        self._told = False

    def watch(self, bridge: CallBridge) -> None:
        self._bridge = bridge

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        if self._told:
            return
        kind: EmergencyKind | None = None
        if isinstance(event, CallerTranscribed):
            found = emergency_in(event.text)
            kind = None if found is None else found.kind
        elif isinstance(event, DeadlineReached):
            kind = self._typed(call, now_ms)
        if kind is not None:
            self._tell(call, kind)

    def _typed(self, call: Call, now_ms: int) -> EmergencyKind | None:
        """A whole entry that nobody asked for: the time for another key is over. None of those that
        are hidden, or typed for a collection, comes here."""
        taken = call.keypad.taken
        if taken is None or taken[0] != now_ms or not taken[1]:
            return None
        own = self._policy_of(call.handover.speaker).emergency_number
        helps = taken[1] == own or emergency_number(taken[1], self._near)
        return EmergencyKind.UNSPECIFIED if helps else None

    def _tell(self, call: Call, kind: EmergencyKind) -> None:
        policy = self._policy_of(call.handover.speaker)
        if self._bridge is None or not policy.emergencies:
            return
        self._told = True
        _warn(call.call_id, kind.value)
        number = policy.emergency_number or ANY_NUMBER
        self._bridge.prompt(Prompted("emergency", SAY.format(number=number)))


def _warn(call_id: str, kind: str) -> None:
    log.event(logger, logging.WARNING, "a caller may be in an emergency", call=call_id, kind=kind)
