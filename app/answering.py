"""What answers a media stream: a `CallBridge` with the agent's models, tools and record.

Also what outlives a worker meets here: a stream of a call that another worker carried goes on from
the state which that one left.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

from app.after.intake import AfterCalls
from app.beginning import Beginning, beginning
from app.beyond import ALONE, Beyond
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import open_journal
from app.bridge.ears import Hearing
from app.bridge.errands import Runners
from app.bridge.journal import Journal
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.twilio_socket import MakeWriter, TwilioDialect
from app.briefing import Briefing
from app.call.commands import OpenLeg
from app.call.events import StreamStarted
from app.call.facts import CallFacts, number_of
from app.call.phases import CallSettings
from app.carriers.twilio.clock import CarrierClock
from app.carriers.twilio.media import Start
from app.carriers.twilio.tokens import Grant
from app.cast import Cast
from app.custody import Custody
from app.departments import Departments
from app.emergencies import Emergencies
from app.lookup import Lookups
from app.models.ports import ModelSession
from app.observe.log import event
from app.persona import Persona, Personas
from app.phrases import Phrases
from app.sessions import Sessions
from app.settings import Settings
from app.speech.hold_tone import hold_tone
from app.speech.vad.detectors import voice_engine
from app.text_models import TextModels
from app.tool_room import ToolRoom
from app.tools.outside import Outside

logger = logging.getLogger(__name__)


class Answering:
    """Makes a `CallBridge` for each stream that was admitted."""

    def __init__(
        self,
        settings: Settings,
        personas: Personas,
        pacer: Pacer,
        observers: Sequence[Observer],
        departments: Departments,
        after: AfterCalls,
        beyond: Beyond = ALONE,
    ) -> None:
        """`after`: told of streams that begin and end."""
        self._settings = settings
        self._personas = personas
        self._pacer = pacer
        self._care, self._texts = departments.care, departments.texting.desk
        self._after = after
        self._custody = Custody(beyond.live, after, self._texts)
        self._room = ToolRoom(departments, beyond.live, self._custody.saved)
        self._sessions = Sessions(settings, beyond.live)
        self._text_models = TextModels(settings)
        self._phrases = Phrases(beyond.phrases)
        self._observers = (*observers, *self._custody.observers)
        self._lookups = Lookups()
        self._hearing: Hearing | None = None
        """Made when the first agent needs it."""

    def prepare(self) -> None:
        """Do before the first call, and when agents have changed, what would hold up the event
        loop in a call."""
        self._sessions.prepare(self._personas.ready)
        self._text_models.prepare()
        for persona in self._personas.ready:
            self._hearing_for(persona)
        hold_tone()

    def want_phrases(self) -> None:
        """Have the agents' phrases at hand before their first calls."""
        for persona in self._personas.ready:
            self._phrases.want(persona)

    @property
    def outside(self) -> Outside:
        """What the agents' tools need; it must run while calls are answered."""
        return self._personas.outside

    def let_go(self, calls: Collection[CallBridge]) -> None:
        """Close what neither an agent nor one of these calls needs: they are all that run here."""
        agents = (source for each in self._personas.ready for source in each.tools.sources)
        self.outside.keep({*agents, *self._room.sources(calls)})

    @property
    def leases(self) -> list[tuple[str, int]]:
        """Of the calls that run here: id and number."""
        return self._custody.leases

    async def make(
        self,
        grant: Grant,
        facts: CallFacts,
        start: Start,
        dialect: TwilioDialect,
        writer: MakeWriter,
    ) -> CallBridge:
        """Raises what `Personas.get` raises."""
        begun = await self._begin(grant, facts, start)
        persona, started = begun.persona, begun.started
        watch = Emergencies(
            lambda agent: begun.cast.part_or_first(agent).persona.agent.policy,
            near=(number_of(facts.line), number_of(facts.party)),
        )
        bridge: CallBridge = CallBridge(
            started=started,
            settings=persona.call,
            open_model=partial(self._open, begun),
            runners=self._runners(begun, facts, lambda: bridge),
            dialect=dialect,
            writer=writer,
            clock=CarrierClock(0),
            pacer=self._pacer,
            journal=self._journal(started, persona.call),
            observers=(*self._observers, watch),
            hearing=self._hearing_for(persona),
            before_close=partial(self._custody.before_close, grant, facts),
            private_keys=begun.private_keys,
            recording=await self._care.recording(
                persona.agent, started.call_id, started.stream_id, again=begun.again
            ),
        )
        watch.watch(bridge)
        self._room.begun(bridge, begun.cast)
        return bridge

    def expect(self, call_id: str, agent: str, facts: CallFacts) -> None:
        """A call was answered and its stream is to come: ask about the caller meanwhile."""
        Briefing(self._personas.get(agent), facts).begin(self._lookups, call_id)

    async def close(self) -> None:
        """When no call is left."""
        await self._lookups.close()

    async def _begin(self, grant: Grant, facts: CallFacts, start: Start) -> Beginning:
        """Take the call, learn what is known of it, and tell that it is here."""
        call_id = start.call_sid
        ask = partial(Briefing.ask, lookups=self._lookups, call_id=call_id)
        cast = Cast(self._personas, grant.agent, facts, ask)
        left, about = await asyncio.gather(
            self._custody.take_over(call_id), self._texts.text_memory(number_of(facts.party))
        )
        begun = beginning(cast, grant, start, left, about, self._sessions.first_model)
        self._phrases.want(begun.persona)
        self._after.stream_began(call_id, agent=grant.agent, direction=grant.direction)
        return begun

    async def _open(self, begun: Beginning, leg: OpenLeg) -> ModelSession:
        self._phrases.want_lines(begun.cast, leg.agent)
        return await self._sessions.open(begun.cast, begun.about, leg)

    def _runners(
        self, begun: Beginning, facts: CallFacts, bridge: Callable[[], CallBridge]
    ) -> Runners:
        """`bridge`: the call, once it stands."""
        return Runners(
            tools=self._room.tools(begun.cast, facts, begun.started, bridge),
            summariser=self._text_models.summarise,
            phrases=lambda text: self._phrases.get(
                begun.cast, bridge().call.handover.speaker, text
            ),
            judge=self._text_models.judge,
        )

    def _hearing_for(self, persona: Persona) -> Hearing | None:
        """What listens on this agent's calls beside the model."""
        if persona.call.floor.by == "model":
            return None
        if self._hearing is None:
            self._hearing = Hearing(voice_engine(self._settings.voice_detector), self._pacer)
        return self._hearing

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
