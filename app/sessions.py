"""What opens the model's sessions of calls: with which model, and what it knows when it begins."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module

from app.agents import Agent, AgentError
from app.call.commands import OpenLeg
from app.call.events import ModelClosed, Snapshot
from app.cast import Cast, Part
from app.closed import told as hours_told
from app.live import Live
from app.models.never_opened import NeverOpened
from app.models.openai_connect import Limits, prepare
from app.models.openai_realtime import open_session
from app.models.ports import Capabilities, ModelSession, SessionConfig
from app.observe.log import event
from app.persona import ModelChoice, Persona
from app.settings import Settings
from app.tools.errors import ToolLoadError

logger = logging.getLogger(__name__)

LATE_IMPORTS = ("openai.resources.realtime.realtime", "websockets.sync.client")
"""What the SDK would import when the first session is opened: 0.3 s in the middle of a call."""


class Sessions:
    """One for a worker. `live`: where workers tell each other which models work; None: it is on its
    own."""

    def __init__(self, settings: Settings, live: Live | None) -> None:
        self._breakers = None if live is None else live.breakers
        self._limits = Limits(
            connect_s=settings.model_connect_timeout_s, configure_s=settings.model_connect_timeout_s
        )

    def prepare(self, personas: Iterable[Persona]) -> None:
        """Do before the first call what would hold up the event loop in one."""
        for persona in personas:
            for choice in persona.models:
                prepare(choice.credentials)
        for module in LATE_IMPORTS:
            import_module(module)

    def first_model(self, persona: Persona, left: Snapshot | None) -> int:
        """The first one in the agent's list that works, as far as the workers know."""
        if self._breakers is not None:
            for index, choice in enumerate(persona.models):
                if self._breakers.healthy(choice.name):
                    return index
        return 0 if left is None else left.model

    async def open(self, cast: Cast, about: str, leg: OpenLeg) -> ModelSession:
        """`about`: what is known from the caller's text messages. Never raises for what went wrong
        with the vendor or with a colleague's file: that session never opened."""
        try:
            part = cast.part(leg.agent)
        except (AgentError, ToolLoadError):
            # Its file went wrong since this call began: who speaks goes on.
            event(logger, logging.ERROR, "a colleague's file is wrong", agent=leg.agent)
            closed = ModelClosed("refused", "the agent's file is wrong")
            return NeverOpened(closed, Capabilities("us"))
        choice = part.persona.models[leg.model]
        config = await self.config(choice, part, about, leg)
        session = await open_session(config, choice.credentials, limits=self._limits)
        self._note(choice, works=not isinstance(session, NeverOpened))
        return session

    async def config(
        self, choice: ModelChoice, part: Part, about: str, leg: OpenLeg
    ) -> SessionConfig:
        """How a session is to be: the agent's own, in the words of this call."""
        config = replace(
            choice.config,
            instructions=await part.briefing.instructions(self._limits.connect_s / 2),
            tools=tuple(part.persona.tools.schemas(leg.topics)),
        )
        if leg.language:
            config = speaking(config, part.persona.agent, leg.language)
        context = (hours_told(part.persona), about, leg.context)
        return informed(config, "\n\n".join(text for text in context if text))

    def _note(self, choice: ModelChoice, *, works: bool) -> None:
        """For the other workers."""
        if self._breakers is not None:
            (self._breakers.succeeded if works else self._breakers.failed)(choice.name)


def speaking(config: SessionConfig, agent: Agent, language: str) -> SessionConfig:
    """The session in a language that the caller has chosen."""
    speaks = agent.languages.get(language)
    voice = speaks.voice if speaks is not None and speaks.voice else config.voice
    more = speaks.instructions if speaks is not None else ""
    instructions = f"{config.instructions}\n\n{more}".strip() if more else config.instructions
    return replace(config, language=language, voice=voice, instructions=instructions)


def informed(config: SessionConfig, context: str) -> SessionConfig:
    """The session's configuration with what it must know besides. The agent's own instructions
    stay in front: vendors cache what begins alike."""
    if not context:
        return config
    return replace(config, instructions=f"{config.instructions}\n\n{context}".strip())
