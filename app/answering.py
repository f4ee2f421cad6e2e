"""What answers a media stream: a `CallBridge` with the agent's models, tools and record.

Also what outlives a worker meets here: a stream of a call that another worker carried goes on from
the state which that one left.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from app.after.intake import AfterCalls
from app.agents.placeholders import names_in
from app.beginning import NOBODY_ASKED, Beginning, WhoAnswers, beginning
from app.beyond import ALONE, Beyond
from app.bookkeeping import Bookkeeping
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import open_journal
from app.bridge.ears import Hearing
from app.bridge.errands import Runners
from app.bridge.journal import Journal
from app.bridge.media_socket import MakeWriter
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.recording import MakeRecording
from app.briefing import Briefing
from app.call.arrival import Arrival
from app.call.call import Call
from app.call.commands import EndCall, OpenLeg
from app.call.events import StreamStarted
from app.call.facts import CallFacts, number_of
from app.call.phases import CallSettings
from app.carriers.line import Line
from app.cast import Cast
from app.custody import Custody
from app.departments import Departments
from app.emergencies import Emergencies
from app.evidence_room import EvidenceRoom
from app.lookup import Lookups
from app.models.ports import ModelSession
from app.observe.log import event
from app.persona import Persona, Personas
from app.phrases import Phrases
from app.served import Served
from app.sessions import Sessions
from app.settings import Settings
from app.speech.hold_tone import hold_tone
from app.speech.vad.detectors import voice_engine
from app.text_models import TextModels
from app.tool_room import ToolRoom
from app.tools.outside import Outside
from app.verdicts import Verdicts

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
        books: Bookkeeping,
        beyond: Beyond = ALONE,
    ) -> None:
        """`after`, `books`: told of streams that begin and end."""
        self._settings = settings
        self._personas = personas
        self._pacer = pacer
        self._care, self._texts = departments.care, departments.texting.desk
        self._after = after
        self._books = books
        self._custody = Custody(beyond.live, after, self._texts)
        self._room = ToolRoom(departments, beyond.live, self._custody.saved, beyond.dials)
        self.sessions = self._sessions = Sessions(settings, beyond.live)
        self._text_models = TextModels(settings)
        self._evidence = EvidenceRoom(settings.evidence_key, self._care.decisions)
        self._phrases = Phrases(beyond.phrases)
        self._dials = beyond.dials
        self._observers = (*observers, *self._custody.observers)
        self.verdicts = Verdicts(beyond.live)
        """Who answered the calls that we placed. Its `run` must run while calls are answered."""
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
        self, arrival: Arrival, line: Line, writer: MakeWriter, served: Served | None = None
    ) -> CallBridge:
        """`served`: the model's side holds the telephone, and the sound does not come here.

        Raises what `Personas.get` raises.
        """
        begun, facts = await self._begin(arrival, served), arrival.facts
        persona, started = begun.persona, begun.started
        settings = persona.call if served is None else served.settings(persona)
        journal = self._journal(started, settings)
        watch = Emergencies(
            lambda agent: begun.cast.part_or_first(agent).persona.agent.policy,
            near=(number_of(facts.line), number_of(facts.party)),
        )
        key = self._room.opt_out_key(facts, started)
        watches = (watch,) if key is None else (watch, key)
        bridge: CallBridge = CallBridge(
            started=started,
            settings=settings,
            open_model=partial(self._open if served is None else served.open, begun),
            runners=self._runners(begun, arrival, lambda: bridge),
            dialect=line,
            writer=writer,
            clock=line.clock,
            pacer=self._pacer,
            journal=journal,
            observers=(*self._observers, *watches),
            hearing=self._hearing_for(persona) if served is None else None,
            before_close=partial(self._before_close, arrival),
            private_keys=begun.private_keys and served is None,
            recording=await self._recording(begun) if served is None else None,
            evidence=None if journal is None else self._evidence.begin(journal.path, started),
        )
        for each in watches:
            each.watch(bridge)
        self._books.began(started, facts, journal)
        self.verdicts.begun(bridge, started.answered_by)
        self._room.begun(bridge, begun.cast)
        return bridge

    async def _recording(self, begun: Beginning) -> MakeRecording | None:
        started = begun.started
        return await self._care.recording(
            begun.persona.agent, started.call_id, started.stream_id, again=begun.again
        )

    async def _before_close(self, arrival: Arrival, call: Call, end: EndCall) -> None:
        if self._dials is not None:
            await self._dials.over(arrival.facts.attempt_id, call)
        await self._custody.before_close(arrival, call, end)

    def over(self, call: CallBridge) -> None:
        """A stream's record is written."""
        self._books.over(call)

    def expect(self, call_id: str, agent: str, facts: CallFacts) -> None:
        """A call was answered and its stream is to come: ask about the caller meanwhile."""
        briefing = Briefing(self._personas.get(agent), facts)
        briefing.begin(self._lookups, call_id)
        self._message(briefing, self._personas.get(agent), facts)

    async def close(self) -> None:
        """When no call is left."""
        await self._lookups.close()

    async def _begin(self, arrival: Arrival, served: Served | None) -> Beginning:
        """Take the call, learn what is known of it, and tell that it is here."""
        call_id, facts = arrival.call_id, arrival.facts
        ask = partial(Briefing.ask, lookups=self._lookups, call_id=call_id)
        cast = Cast(self._personas, arrival.agent, facts, ask)
        left, about = await asyncio.gather(
            self._custody.take_over(call_id), self._texts.text_memory(number_of(facts.party))
        )
        left = left if served is None or served.left is None else served.left
        first, who = self._sessions.first_model, await self._who_answers(cast, facts, call_id)
        begun = beginning(cast, arrival, left, about, first, who)
        self._phrases.want(begun.persona)
        self._after.stream_began(call_id, agent=arrival.agent, direction=arrival.direction)
        return begun

    async def _who_answers(self, cast: Cast, facts: CallFacts, call_id: str) -> WhoAnswers:
        """Of a call that we placed."""
        if facts.direction != "outbound":
            return NOBODY_ASKED
        at_ms = facts.answered_at_ms
        since_ms = None if at_ms is None else max(0, int(time.time() * 1_000) - at_ms)
        if facts.on_answer is None:
            return WhoAnswers(since_answer_ms=since_ms)
        message = self._message(cast.first.briefing, cast.first.persona, facts)
        on_answer = replace(facts.on_answer, message=message)
        return WhoAnswers(on_answer, await self.verdicts.known(call_id), since_ms)

    def _message(self, briefing: Briefing, persona: Persona, facts: CallFacts) -> str:
        """What is left on a machine, in the words of this call; it is at hand soon."""
        on = facts.on_answer
        if on is None or on.on_machine != "message":
            return ""
        message = briefing.message(on.message)
        self._phrases.want_message(persona, message, for_one=bool(names_in(on.message)))
        return message

    async def _open(self, begun: Beginning, leg: OpenLeg) -> ModelSession:
        self._phrases.want_lines(begun.cast, leg.agent)
        return await self._sessions.open(begun.cast, begun.about, leg)

    def _runners(
        self, begun: Beginning, arrival: Arrival, bridge: Callable[[], CallBridge]
    ) -> Runners:
        """`bridge`: the call, once it stands."""
        return Runners(
            tools=self._room.tools(begun.cast, arrival, begun.started, bridge),
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
