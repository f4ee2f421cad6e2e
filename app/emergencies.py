"""A caller who may be in danger is told at once whom to call, before anything else."""

import logging
from typing import Final

from app.bridge.call_bridge import CallBridge
from app.call.call import Call
from app.call.commands import Command
from app.call.events import CallerTranscribed, Event, Prompted
from app.observe import log
from app.policy.emergency import emergency_in

logger = logging.getLogger(__name__)

SAY: Final = (
    "The caller may be in an emergency. Before anything else tell them, calmly and in one or two "
    "short sentences, to hang up and call {number} now. Do not try to handle it yourself. If they "
    "say that it is no emergency, go on."
)
ANY_NUMBER: Final = "the emergency number (112, 911 or the local one)"


class Emergencies:
    """An `Observer` of one call. `number`: what callers are told to call; "": any."""

    def __init__(self, number: str = "") -> None:
        self._say = SAY.format(number=number or ANY_NUMBER)
        self._bridge: CallBridge | None = None
        self._told = False

    def watch(self, bridge: CallBridge) -> None:
        self._bridge = bridge

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        if self._told or not isinstance(event, CallerTranscribed) or self._bridge is None:
            return
        found = emergency_in(event.text)
        if found is None:
            return
        self._told = True
        _warn(call.call_id, found.kind.value)
        self._bridge.prompt(Prompted("emergency", self._say))


def _warn(call_id: str, kind: str) -> None:
    log.event(logger, logging.WARNING, "a caller may be in an emergency", call=call_id, kind=kind)
