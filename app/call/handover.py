"""Handing a call from one model session to the next: when, with what, and what is owed afterwards.

`Relay` says which leg may carry the call; here stands what a change of legs means for everybody
else. Rules:
1. A planned change waits for a moment in which nobody speaks, thinks or runs a tool; after a while
   only for the end of an answer in progress; at the deadline for nothing.
2. What the caller is saying at a change is heard by the next leg from its first byte. A turn that
   ended before is told to it once, as words or, while these are not known, as its audio.
3. Bot audio on its way to the caller is not touched by a change: the playout belongs to the call.
4. What a lost leg owed is asked of the next one. The agent does not greet again.
5. Words told to a leg that turn out to have been cut are rewritten there to what was heard.
6. Another agent or language is a planned change without a summary. What is to be answered waits
   for it; if its first attempt fails, the one who spoke goes on and tells the caller so.
"""

from dataclasses import replace

from app.call import summary
from app.call.axis import BYTES_PER_MS
from app.call.bill import Bill
from app.call.carried_speech import CarriedSpeech
from app.call.commands import Command, OpenLeg, TakeLeg
from app.call.crew import NOT_THERE, SPEAK, Crew, Who
from app.call.earliest import earliest
from app.call.events import (
    LegCause,
    ModelClosed,
    ModelReady,
    ResponseFinished,
    Snapshot,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    Usage,
)
from app.call.floor import Floor
from app.call.history import History
from app.call.leg_memory import LegMemory
from app.call.playout import Playout
from app.call.pruning import Pruner
from app.call.relay import Relay, RelayState
from app.call.relay_settings import RelaySettings
from app.call.responses import Responses
from app.call.scribe import Scribe
from app.call.transcript import INTERRUPTED

LOOK_MS = 100
"""How often a quiet moment is looked for when nothing happens."""
SPEAKING_MS = 20
"""Bot audio of an unfinished answer that is enough for the caller to miss the rest."""


class Handover:
    """One per call; the machines are the call's own."""

    def __init__(
        self,
        settings: RelaySettings,
        *,
        history: History,
        responses: Responses,
        floor: Floor,
        playout: Playout,
        scribe: Scribe,
        crew: Crew,
        bill: Bill,
        finds_speech: bool = True,
    ) -> None:
        """`finds_speech`: a leg tells of the speech that it is handed."""
        self.settings = settings
        self.relay = Relay(settings)
        self.history = history
        self.crew = crew
        self._before: Who | None = None
        """While another agent or language is on its way: who speaks until then."""
        self.topics: tuple[str, ...] = ()
        """Of the tools that the model asked for: every leg has them."""
        self._responses = responses
        self._floor = floor
        self._playout = playout
        self._scribe = scribe
        self._bill = bill
        self._carried = CarriedSpeech(history, scribe, finds_speech=finds_speech)
        self.summaries = summary.Summaries(history, settings.summary_by)
        self._in_progress = False
        """The conversation has begun, maybe on another worker."""
        self._look_ms: int | None = None
        self.broke_off = False
        """The stream ended with bot audio on its way to the caller."""
        self.memory = LegMemory(
            scribe.transcript, Pruner(settings.prune_tokens, settings.prune_keep_turns)
        )

    # Legs come and go

    def begin(self, event: StreamStarted, now_ms: int) -> list[Command]:
        self._responses.nobody_answers = True
        if event.resumed is not None:
            self._in_progress = True
            self._bill.usd = event.resumed.cost_usd
            self.topics = event.resumed.topics
            self.history.resume(event.resumed)
            self._come_back(event.resumed)
            owed = _owed_after(event.resumed)
            if event.returned is not None:
                self.history.amended(event.resumed.left_by, event.returned.output)
                owed = event.returned.say
            if owed is not None:
                self._responses.want(owed, now_ms)
        opened = self.relay.begin(event.call_id, event.first_model, now_ms)
        if event.resumed is not None:
            self.relay.cause = "worker"
        return self._informed([opened])

    def ready(self, event: ModelReady, now_ms: int) -> list[Command]:
        self.relay.ready(event.leg, event.lifetime_ms, now_ms)
        return self._take(now_ms) if self.relay.must_take else self.look(now_ms, quiet=False)

    def closed(self, event: ModelClosed, now_ms: int) -> list[Command]:
        """See `relay.given_up` afterwards."""
        carried = self.relay.leg
        commands = self.relay.closed(
            event.leg, event.cause, event.detail, now_ms, owed=self._responses.owed
        )
        if self._change_failed:
            return commands + self._stays(now_ms)
        if carried and event.leg == carried:
            commands = self._let_go(now_ms) + commands
        if self.relay.must_take:
            commands += self._take(now_ms)
        return self._informed(commands)

    def _let_go(self, now_ms: int) -> list[Command]:
        """The leg that carried the call is gone, or about to go: remember what it owes."""
        answering, active = self._responses.busy, self._responses.active_id
        words = answering and self._scribe.broke_off(active)
        spoke = words and self._spoke(active)
        self._responses.leg_lost(now_ms, go_on=summary.GO_ON if spoke else "")
        self.summaries.give_up()
        self._carried.let_go()
        self.memory.lost()
        return self._playout.finish(now_ms) if answering else []

    def _spoke(self, response_id: str) -> bool:
        return self._playout.received_of(response_id) >= SPEAKING_MS * BYTES_PER_MS

    def _take(self, now_ms: int) -> list[Command]:
        commands = self._let_go(now_ms) if self.relay.leg else []
        leg, s = self.relay.take(now_ms), self.settings
        entries = self.history.entries(keep=s.keep_entries, most=s.most_entries)
        self.memory.taken(leg, entries)
        self._bill.leg_taken()
        self._look_ms = self._before = None
        # Before the first leg, and while the caller speaks, no quiet is left out.
        whole = self._carried.speaking or not self._in_progress
        heard_ms, replay_ms = self._carried.hand_over(now_ms), None if whole else s.overlap_ms
        self._in_progress = True
        taken = TakeLeg(leg, entries, heard_ms, replay_ms, self.relay.cause)
        return [*commands, taken, *self._responses.leg_taken(now_ms)]

    def _informed(self, commands: list[Command]) -> list[Command]:
        """A leg that is opened knows what came before."""
        who = self.crew.who
        context = summary.context(self.history.summary, in_progress=self._in_progress)
        if who.language:
            context = f"{context}\n\n{SPEAK.format(language=who.language)}".strip()
        return [
            replace(
                c,
                context=context,
                agent=who.agent,
                language=who.language,
                topics=self.topics,
            )
            if isinstance(c, OpenLeg)
            else c
            for c in commands
        ]

    # Another agent or language

    def change_who(self, who: Who, say: str, now_ms: int) -> list[Command]:
        """Let another one speak, as soon as their leg stands by. `say`: how they begin."""
        before = self.crew.who
        if who == before:
            return self._responses.want(say, now_ms)
        self._before = self._before or before
        self.crew.who = who
        if who.agent != before.agent:
            self.topics = ()
        models = self.crew.speaking.models
        if self.relay.state is RelayState.CARRYING:
            self._responses.nobody_answers = True
        cause: LegCause = "agent" if who.agent != before.agent else "language"
        commands = self.relay.change(cause, models, now_ms)
        commands += self._responses.want(say, now_ms)
        return self._informed(commands)

    @property
    def speaker(self) -> str:
        """Whose leg carries the call; "": the agent's that it began with."""
        return (self._before or self.crew.who).agent

    @property
    def _change_failed(self) -> bool:
        joining = self.relay.state is RelayState.JOINING
        return self._before is not None and joining and not self.relay.next_leg

    def _stays(self, now_ms: int) -> list[Command]:
        """The leg of another agent or language could not be opened: who spoke goes on."""
        assert self._before is not None, "asked only while a change is on its way"
        self.crew.who, self._before = self._before, None
        self.relay.call_off(self.crew.speaking.models, now_ms)
        self._responses.want(NOT_THERE, now_ms)
        return self._responses.leg_taken(now_ms)

    def _come_back(self, left: Snapshot) -> None:
        who = Who(left.agent, left.language)
        if self.crew.find(who.agent) is None:
            who = Who("", left.language)
        self.crew.who = who
        self.relay.speaks(self.crew.speaking.models)

    # A planned change

    def wish(self, cause: LegCause, now_ms: int) -> list[Command]:
        """Prepare the next leg, if the call is not changing already."""
        return [self.summaries.ask()] if self.relay.wish(cause, now_ms) else []

    def downgrade(self, now_ms: int) -> list[Command]:
        """Go on with the last model of the list, which costs least."""
        self.relay.prefer_last()
        return self.wish("spend", now_ms)

    def summary_written(self, event: SummaryWritten, now_ms: int) -> list[Command]:
        self._pay(event.usage)
        written = self.summaries.take(event)
        if written is None:
            return []
        if not written:
            self._scribe.timeline.note(now_ms, "fallback", "no summary: the words are told instead")
        return self._informed(self.relay.summarised(now_ms))

    @property
    def waiting(self) -> bool:
        """A leg stands by, or stood by a moment ago."""
        return self.relay.state is RelayState.WAITING or self._look_ms is not None

    def look(self, now_ms: int, *, quiet: bool) -> list[Command]:
        """A leg that stands by takes over if this is the moment. `quiet`: nothing that the other
        machines know of is under way."""
        relay = self.relay
        if relay.state is not RelayState.WAITING:
            self._look_ms = None
            return []
        self._look_ms = now_ms + LOOK_MS
        still = not self._carried.speaking and self._responses.still
        if quiet and still and self._carried.words_known(now_ms):
            return self._take(now_ms)
        over_ms, force_ms = relay.quiet_wait_over_ms, relay.force_ms
        assert over_ms is not None and force_ms is not None
        answering = self._responses.busy
        if now_ms >= force_ms or (now_ms >= over_ms and not answering):
            return self._take(now_ms)
        return []

    # What the legs say

    def answered(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        if event.status == "completed":
            self.relay.fruitful()
        self._pay(event.usage)
        s, usage = self.settings, event.usage
        read = usage.input_text_tokens + usage.input_audio_tokens if usage is not None else 0
        if s.context_tokens and read >= s.context_tokens:
            return self.wish("context", now_ms)
        if s.spend_usd and self._bill.leg_usd >= s.spend_usd:
            return self.wish("spend", now_ms)
        if self.summaries.uncovered >= s.summary_every:
            return [self.summaries.ask()] if self.relay.state is RelayState.CARRYING else []
        return self.memory.pruned(self.history.log)

    def _pay(self, usage: Usage | None) -> None:
        known = self.crew.speaking.prices
        prices = known[self.relay.model] if self.relay.model < len(known) else None
        self._bill.pay_of_leg(prices, usage)

    def speech_started(self, event: SpeechStarted) -> bool:
        """False if this is the speech that the leg was handed: the caller began it long ago."""
        return self._carried.started(event)

    def speech_stopped(self, event: SpeechStopped, now_ms: int) -> None:
        lasted_ms = self._carried.stopped(event, now_ms)
        if lasted_ms is not None:
            self.memory.heard(event.item_id, lasted_ms)

    # Time

    @property
    def due_ms(self) -> int | None:
        return earliest((self.relay.due_ms, self._look_ms, self._carried.due_ms))

    def expire(self, now_ms: int) -> list[Command]:
        """See `relay.given_up` afterwards."""
        cause = self.relay.due_for_change(now_ms)
        commands = self.wish(cause, now_ms) if cause is not None else []
        commands += self._informed(self.relay.expire(now_ms))
        if self._change_failed:
            commands += self._stays(now_ms)
        if self._carried.due_ms is not None and self._carried.not_found(now_ms):
            self._floor.caller_stopped()
            commands += self._responses.caller_stopped(now_ms)
        return commands

    @property
    def needed_from_ms(self) -> int | None:
        """From where on the caller axis audio may still be asked for: what is being said, and
        turns whose words are not known. None: only the newest quiet."""
        return self._carried.needed_from_ms

    def snapshot(self, call_id: str, event: StreamStarted, *, moved: bool) -> Snapshot:
        return self.history.snapshot(
            call_id=call_id,
            direction=event.direction,
            unanswered=self._responses.owed or self._carried.speaking,
            broke_off=self.broke_off or self._playout.unplayed,
            moved=moved,
            model=self.relay.model,
            cost_usd=self._bill.usd,
            who=self.crew.who,
            keep=self.settings.keep_entries,
            most=self.settings.most_entries,
        )


def _owed_after(resumed: Snapshot) -> str | None:
    """Instructions of what this worker says first; None: it waits for the caller."""
    if not resumed.moved:
        return summary.CUT_OFF_BY_THE_LINE
    if resumed.unanswered:
        return ""
    if not resumed.broke_off:
        return None
    last = resumed.entries[-1] if resumed.entries else None
    heard_some = last is not None and last.kind == "agent" and last.text != INTERRUPTED
    return summary.GO_ON if heard_some else ""
