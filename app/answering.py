"""What answers a media stream: a `CallBridge` with the agent's models, tools and record.

Also what outlives a worker meets here: a stream of a call that another worker carried goes on from
the state which that one left.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module

from app.after.intake import AfterCalls
from app.agents import Agent, AgentError
from app.agents.placeholders import names_in
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import open_journal
from app.bridge.ears import Hearing
from app.bridge.errands import Runners
from app.bridge.journal import Journal
from app.bridge.keeper import Keeper, unpacked
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.twilio_socket import MakeWriter, TwilioDialect
from app.briefing import Briefing
from app.call.call import Call
from app.call.collect_tool import COLLECT_TOOL
from app.call.commands import EndCall, OpenLeg, Summarise
from app.call.events import ModelClosed, Returned, Snapshot, StreamStarted, SummaryWritten
from app.call.facts import CallFacts, number_of
from app.call.phases import CallSettings
from app.carriers.twilio.clock import CarrierClock
from app.carriers.twilio.media import Start
from app.carriers.twilio.stream_plans import AGAIN
from app.carriers.twilio.tokens import Grant
from app.cast import Cast
from app.closed import told as hours_told
from app.departments import Departments
from app.emergencies import Emergencies
from app.live import Live
from app.lookup import Lookups
from app.models import openai_text
from app.models.never_opened import NeverOpened
from app.models.openai_answer import TextFailed
from app.models.openai_connect import Limits, prepare
from app.models.openai_judge import Judge
from app.models.openai_realtime import open_session
from app.models.ports import Capabilities, ModelSession, SessionConfig
from app.observe.log import event
from app.onward.news import told
from app.onward.news import unpacked as unpacked_news
from app.outgoing.outgoing import Outgoing
from app.persona import Persona, Personas, credentials_of
from app.settings import Settings
from app.speech.hold_tone import hold_tone
from app.speech.phrase_book import PhraseBook, PhraseKey
from app.speech.vad.detectors import voice_engine
from app.text.desk import CallOver
from app.tool_room import ToolRoom
from app.tools.errors import ToolLoadError
from app.tools.outside import Outside

logger = logging.getLogger(__name__)

LATE_IMPORTS = ("openai.resources.realtime.realtime", "websockets.sync.client")
"""What the SDK would import when the first session is opened: 0.3 s in the middle of a call."""


SUMMARY_S = 5.0
"""Longest wait for a text model's summary."""
SUMMARY_TOKENS = 1_000
SAVED_S = 0.3
"""Longest wait for a call's state to reach Redis before a tool runs."""
FLUSH_S = 2.0
"""Longest wait for what a call leaves behind to reach Redis, before its stream is closed."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What outlives a call or a worker. Without it each process is on its own."""

    live: Live | None = None
    phrases: PhraseBook | None = None
    outgoing: Outgoing | None = None


ALONE = Beyond()


class Answering:
    """Makes a `CallBridge` for each stream that was admitted."""

    def __init__(
        self,
        settings: Settings,
        personas: Personas,
        pacer: Pacer,
        observers: Sequence[Observer],
        departments: Departments,
        beyond: Beyond = ALONE,
    ) -> None:
        self._settings = settings
        self._care, self._texting = departments.care, departments.texting
        self._room = ToolRoom(departments, beyond.live, self._saved)
        self._personas = personas
        self._pacer = pacer
        self._live, self._phrases = beyond.live, beyond.phrases
        self._keeper = None if self._live is None else Keeper(self._live.calls, self._flush)
        self._observers = (*observers, *([self._keeper] if self._keeper else []))
        self._leases: dict[str, int] = {}
        """By call id the number of its lease."""
        self._limits = Limits(
            connect_s=settings.model_connect_timeout_s, configure_s=settings.model_connect_timeout_s
        )
        self._text = credentials_of(settings, settings.summary_base_url)
        self._judge = _judge(settings)
        self._lookups = Lookups()
        self.after: AfterCalls | None = None
        """Told of streams that begin and end; None: nobody is."""
        self._hearing: Hearing | None = None
        """Made when the first agent needs it."""

    def prepare(self) -> None:
        """Do before the first call, and when agents have changed, what would hold up the event
        loop in a call."""
        for persona in self._personas.ready:
            for choice in persona.models:
                prepare(choice.credentials)
        for module in LATE_IMPORTS:
            import_module(module)
        if self._settings.summary_model:
            openai_text.prepare(self._text)
        if self._judge is not None:
            openai_text.prepare(self._judge.credentials)
        for persona in self._personas.ready:
            self._hearing_for(persona)
        hold_tone()

    def want_phrases(self) -> None:
        """Have the agents' phrases at hand before their first calls."""
        for persona in self._personas.ready:
            self._want_phrases(persona)

    @property
    def outside(self) -> Outside:
        """What the agents' tools need; it must run while calls are answered."""
        return self._personas.outside

    @property
    def leases(self) -> list[tuple[str, int]]:
        """Of the calls that run here: id and number."""
        return list(self._leases.items())

    async def make(
        self,
        grant: Grant,
        facts: CallFacts,
        start: Start,
        dialect: TwilioDialect,
        writer: MakeWriter,
    ) -> CallBridge:
        cast = Cast(self._personas, grant.agent, facts, self._asking(start.call_sid))
        persona = cast.first.persona
        left, about = await asyncio.gather(
            self._take_over(start.call_sid),
            self._texting.desk.text_memory(number_of(facts.party)),
        )
        returned = _returned(grant, persona)
        if returned is not None and left is None:
            left = Snapshot(start.call_sid, grant.direction, moved=True)
        again = AGAIN in start.parameters
        watch = Emergencies(
            lambda agent: cast.part_or_first(agent).persona.agent.policy,
            near=(number_of(facts.line), number_of(facts.party)),
        )
        # A colleague may ask for keys too.
        private_keys = COLLECT_TOOL in persona.tools.names or bool(persona.agent.colleagues)
        started = StreamStarted(
            start.call_sid,
            start.stream_sid,
            grant.direction,
            first_model=self._first_model(persona, left),
            resumed=left,
            returned=returned,
            agent=persona.agent.name,
            agent_version=persona.agent.version,
            keys_in_doubt=private_keys and again,
        )
        self._want_phrases(persona)
        if self.after is not None:
            call_id, direction = start.call_sid, grant.direction
            self.after.stream_began(call_id, agent=grant.agent, direction=direction)
        bridge: CallBridge = CallBridge(
            started=started,
            settings=persona.call,
            open_model=lambda leg: self._open(cast, about, leg),
            runners=Runners(
                tools=self._room.tools(cast, facts, started, lambda: bridge),
                summariser=self._summarise,
                phrases=lambda text: self._phrase(cast, bridge.call.handover.speaker, text),
                judge=None if self._judge is None else self._judge.judge,
            ),
            dialect=dialect,
            writer=writer,
            clock=CarrierClock(0),
            pacer=self._pacer,
            journal=self._journal(started, persona.call),
            observers=(*self._observers, watch),
            hearing=self._hearing_for(persona),
            before_close=partial(self._before_close, grant, facts),
            private_keys=private_keys,
            recording=await self._care.recording(
                persona.agent, start.call_sid, start.stream_sid, again=again
            ),
        )
        watch.watch(bridge)
        return bridge

    def expect(self, call_id: str, agent: str, facts: CallFacts) -> None:
        """A call was answered and its stream is to come: ask about the caller meanwhile."""
        Briefing(self._personas.get(agent), facts).begin(self._lookups, call_id)

    def _asking(self, call_id: str) -> Callable[[Briefing], None]:
        return lambda briefing: briefing.ask(self._lookups, call_id)

    async def close(self) -> None:
        """When no call is left."""
        await self._lookups.close()

    async def _take_over(self, call_id: str) -> Snapshot | None:
        """Carry this call from now on, and learn where another stream of it left it."""
        if self._live is None:
            return None
        lease, state = await asyncio.gather(
            self._live.leases.take(call_id), self._live.calls.load(call_id)
        )
        self._leases[call_id] = lease.number
        left = None if state is None else unpacked(state)
        if left is not None:
            event(logger, logging.INFO, "the call goes on here", call=call_id, moved=left.moved)
        return left

    async def _before_close(self, grant: Grant, facts: CallFacts, call: Call, end: EndCall) -> None:
        number = self._leases.pop(call.call_id, 0)
        if self._live is not None and await self._live.leases.lost(call.call_id, number):
            # Whoever carries it now knows better where it stands.
            if self.after is not None:
                self.after.stream_moved(call.call_id)
            return
        if self.after is not None:
            agent = call.handover.speaker or grant.agent
            self.after.stream_over(call, end, agent=agent, direction=grant.direction)
        await self._remember(call, end, facts, grant)
        if self._live is None or self._keeper is None:
            return
        await self._keeper.before_close(call, end)
        await self._live.leases.release(call.call_id, number)

    async def _remember(self, call: Call, end: EndCall, facts: CallFacts, grant: Grant) -> None:
        """The same person may write a text message next."""
        caller, own = number_of(facts.party), number_of(facts.line)
        if caller and own and end.reason.deliberate:
            over = CallOver(call.call_id, call.snapshot(), grant.agent, caller, own)
            await self._texting.desk.remember_call(over)

    async def _flush(self) -> None:
        if self._live is not None:
            await self._live.outbox.flushed(FLUSH_S)

    async def _saved(self) -> None:
        """What another worker must know before a tool runs."""
        if self._live is not None:
            await self._live.outbox.flushed(SAVED_S)

    def _hearing_for(self, persona: Persona) -> Hearing | None:
        """What listens on this agent's calls beside the model."""
        if persona.call.floor.by == "model":
            return None
        if self._hearing is None:
            self._hearing = Hearing(voice_engine(self._settings.voice_detector), self._pacer)
        return self._hearing

    # Models

    def _first_model(self, persona: Persona, left: Snapshot | None) -> int:
        """The first one in the agent's list that works, as far as the workers know."""
        if self._live is not None:
            for index, choice in enumerate(persona.models):
                if self._live.breakers.healthy(choice.name):
                    return index
        return 0 if left is None else left.model

    async def _open(self, cast: Cast, about: str, leg: OpenLeg) -> ModelSession:
        """`about`: what is known from the caller's text messages."""
        try:
            part = cast.part(leg.agent)
        except (AgentError, ToolLoadError):
            # Its file went wrong since this call began: who speaks goes on.
            event(logger, logging.ERROR, "a colleague's file is wrong", agent=leg.agent)
            closed = ModelClosed("refused", "the agent's file is wrong")
            return NeverOpened(closed, Capabilities("us"))
        self._want(part.persona, cast.first.persona.agent.filler, *part.persona.wait_lines)
        choice = part.persona.models[leg.model]
        config = replace(
            choice.config,
            instructions=await part.briefing.instructions(self._limits.connect_s / 2),
            tools=tuple(part.persona.tools.schemas(leg.topics)),
        )
        if leg.language:
            config = speaking(config, part.persona.agent, leg.language)
        context = (hours_told(part.persona), about, leg.context)
        config = informed(config, "\n\n".join(text for text in context if text))
        session = await open_session(config, choice.credentials, limits=self._limits)
        if self._live is not None:
            refused = isinstance(session, NeverOpened)
            breakers = self._live.breakers
            (breakers.failed if refused else breakers.succeeded)(choice.name)
        return session

    async def _summarise(self, request: Summarise) -> SummaryWritten:
        written = await openai_text.write_text(
            self._settings.summary_model,
            request.instructions,
            request.conversation,
            self._text,
            timeout_s=SUMMARY_S,
            max_output_tokens=SUMMARY_TOKENS,
        )
        if isinstance(written, TextFailed):
            cause, detail = written.cause, written.detail
            event(logger, logging.WARNING, "no summary", cause=cause, detail=detail)
            return SummaryWritten(request.request_id, "", written.usage)
        return SummaryWritten(request.request_id, written.text, written.usage)

    # Phrases

    def _want_phrases(self, persona: Persona) -> None:
        agent = persona.agent
        self._want(persona, *agent.first_words, agent.greeting, agent.filler, *persona.wait_lines)

    def _want(self, persona: Persona, *texts: str) -> None:
        """As recordings; a text with variables would make one for every caller."""
        for text in texts:
            if self._phrases is not None and text and not names_in(text):
                self._phrases.want(_key(persona, text))

    def _phrase(self, cast: Cast, speaker: str, text: str) -> bytes | None:
        """In the voice of who speaks, or else of who began: the call's own lines are theirs."""
        if self._phrases is None:
            return None
        parts = (cast.part_or_first(speaker), cast.first)
        return next(filter(None, (self._phrases.get(_key(p.persona, text)) for p in parts)), None)

    def _journal(self, started: StreamStarted, call_settings: CallSettings) -> Journal | None:
        if not self._settings.record_events:
            return None
        try:
            return open_journal(
                self._settings.data_dir,
                started.call_id,
                started.stream_id,
                call_settings,
                {"agent": started.agent, "agent_version": started.agent_version},
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "no event log for this call", error=why)
            return None


def _returned(grant: Grant, persona: Persona) -> Returned | None:
    """What came of the call elsewhere; None: it has not been."""
    news = unpacked_news(grant.news) if grant.news else None
    return None if news is None else told(news, persona.ways.transfers)


def _judge(settings: Settings) -> Judge | None:
    """Whoever is asked whether a turn is complete; None: nobody."""
    if not settings.judge_model:
        return None
    return Judge(
        settings.judge_model,
        credentials_of(settings, settings.judge_base_url),
        timeout_s=settings.judge_timeout_s,
        effort="none" if settings.judge_reasons else None,
    )


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


def _key(persona: Persona, text: str) -> PhraseKey:
    config = persona.models[0].config
    return PhraseKey(text, config.voice, config.model, config.speed)
