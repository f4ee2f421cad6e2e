"""What answers a media stream: a `CallBridge` with the agent's models, tools and record.

Also what outlives a worker meets here: a stream of a call that another worker carried goes on from
the state which that one left.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import open_journal
from app.bridge.journal import Journal
from app.bridge.once import OnceTools
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.twilio_socket import MakeWriter, TwilioDialect
from app.call.commands import OpenLeg
from app.call.events import StreamStarted
from app.call.phases import CallSettings
from app.carriers.twilio.clock import CarrierClock
from app.carriers.twilio.media import Start
from app.carriers.twilio.tokens import Grant
from app.models.openai_connect import Limits, prepare
from app.models.openai_realtime import open_session
from app.models.ports import ModelSession, SessionConfig
from app.observe.log import event
from app.persona import Persona, Personas
from app.settings import Settings

logger = logging.getLogger(__name__)

LATE_IMPORTS = ("openai.resources.realtime.realtime", "websockets.sync.client")
"""What the SDK would import when the first session is opened: 0.3 s in the middle of a call."""


class Answering:
    """Makes a `CallBridge` for each stream that was admitted."""

    def __init__(
        self, settings: Settings, personas: Personas, pacer: Pacer, observers: Sequence[Observer]
    ) -> None:
        self._settings = settings
        self._personas = personas
        self._pacer = pacer
        self._observers = observers
        self._limits = Limits(
            connect_s=settings.model_connect_timeout_s, configure_s=settings.model_connect_timeout_s
        )

    def prepare(self) -> None:
        """Do once, before the first call, what would hold up the event loop in it."""
        for choice in self._personas.get(self._settings.agent).models:
            prepare(choice.credentials)
        for module in LATE_IMPORTS:
            import_module(module)

    async def make(
        self, grant: Grant, start: Start, dialect: TwilioDialect, writer: MakeWriter
    ) -> CallBridge:
        persona = self._personas.get(grant.agent)
        started = StreamStarted(start.call_sid, start.stream_sid, grant.direction)
        return CallBridge(
            started=started,
            settings=persona.call,
            open_model=lambda leg: self._open(persona, leg),
            tools=OnceTools(persona.tools, start.call_sid),
            dialect=dialect,
            writer=writer,
            clock=CarrierClock(0),
            pacer=self._pacer,
            journal=self._journal(start, persona.call),
            observers=self._observers,
        )

    async def _open(self, persona: Persona, leg: OpenLeg) -> ModelSession:
        choice = persona.models[leg.model]
        config = informed(choice.config, leg.context)
        return await open_session(config, choice.credentials, limits=self._limits)

    def _journal(self, start: Start, call_settings: CallSettings) -> Journal | None:
        if not self._settings.record_events:
            return None
        try:
            return open_journal(
                self._settings.data_dir, start.call_sid, start.stream_sid, call_settings
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "no event log for this call", error=why)
            return None


def informed(config: SessionConfig, context: str) -> SessionConfig:
    """The session's configuration with what it must know besides. The agent's own instructions
    stay in front: vendors cache what begins alike."""
    if not context:
        return config
    return replace(config, instructions=f"{config.instructions}\n\n{context}".strip())
