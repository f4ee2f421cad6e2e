"""The machines of one call side by side, and the little that several of its sides do with them.

A call has three sides: what the agent says (agent_side.py), what the caller says and presses
(caller_side.py) and the models that come and go (model_side.py). They meet here and nowhere else.
"""

from dataclasses import dataclass, field

from app.call.answer_machine import AnswerMachine
from app.call.barge_in import Situation
from app.call.bill import Bill
from app.call.commands import Command, EndCall
from app.call.crew import Colleague, Crew
from app.call.endings import EndReason
from app.call.events import ResponseFinished, StreamStarted
from app.call.floor import Floor
from app.call.goodbye import Goodbye
from app.call.handover import Handover
from app.call.history import History
from app.call.keypad import Keypad
from app.call.memory import SilentItems, mend
from app.call.notices import Notices
from app.call.phases import TRANSITIONS, CallSettings, Phase
from app.call.playout import Played, Playout, Settled
from app.call.responses import Responses
from app.call.scribe import Scribe
from app.call.served_playout import ServedPlayout
from app.call.tool_desk import ToolDesk, refuse
from app.call.turn_end import TurnEnd

CALLER_SPOKE = "the caller spoke before the goodbye was over; the call goes on"


@dataclass(slots=True)
class Ahead:
    """An answer that was asked for before it was sure that the caller has said all (ahead.py)."""

    running: bool = False
    asked_ms: int = 0
    taken_back: int = 0
    """How often, in this turn."""
    finished: list[ResponseFinished] = field(default_factory=list)
    """Whole answers whose tools wait."""


@dataclass(slots=True)
class Machines:
    """Made by `machines(settings)`."""

    settings: CallSettings
    playout: Playout
    responses: Responses
    floor: Floor
    history: History
    scribe: Scribe
    tools: ToolDesk
    keypad: Keypad
    goodbye: Goodbye
    handover: Handover
    notices: Notices
    bill: Bill
    turn_end: TurnEnd | None = None
    """None: the model ends the caller's turns."""
    answer: AnswerMachine = field(default_factory=AnswerMachine)
    ahead: Ahead = field(default_factory=Ahead)
    silent_items: SilentItems = field(default_factory=SilentItems)
    phase: Phase = Phase.OPENING
    proofs: tuple[str, ...] = ()
    """How the caller has proved who they are, on this worker or on one before."""
    stream: StreamStarted = field(default_factory=lambda: StreamStarted("", ""))

    def enter(self, happening: str) -> None:
        self.phase = TRANSITIONS[self.phase, happening]

    def own_id(self, kind: str, number: int) -> str:
        """An item's id of our making; another stream of this call makes others."""
        return f"{kind}-{number}-{self.stream.stream_id[-8:]}"

    @property
    def served(self) -> ServedPlayout | None:
        """None where we play ourselves."""
        return self.playout if isinstance(self.playout, ServedPlayout) else None

    @property
    def quiet(self) -> bool:
        """Nothing is played, pressed or run."""
        busy = self.playout.unplayed or self.keypad.busy or self.tools.busy
        return self.phase is Phase.TALKING and not busy

    @property
    def situation(self) -> Situation:
        """What the agent is doing, for a caller who begins to speak."""
        if self.notices.under_way or self.answer.passage:
            return Situation.NOTICE
        if self.playout.unplayed:
            greets = self.scribe.timeline.turn.cause == "greeting"
            return Situation.GREETING if greets else Situation.SPEAKING
        return Situation.THINKING if self.responses.busy else Situation.WAITING

    def want_answer(self, now_ms: int) -> list[Command]:
        """Ask the model to go on, unless the call is being ended."""
        return [] if self.phase is Phase.GOODBYE else self.responses.want("", now_ms)

    def played(self, played: Played, now_ms: int) -> None:
        """A mark says that the caller heard something."""
        self.scribe.played(played, now_ms)
        for item in played.items:
            self.notices.played(item.item_id, now_ms)
            self.answer.played(item.item_id)

    def settle(self, settled: Settled, now_ms: int) -> list[Command]:
        """What was heard of a cut is known: write it down and mend the model's memory."""
        self.scribe.settled(settled, self.responses.complete, now_ms)
        if self.playout.served:
            return []  # the model's side has mended its own memory
        return self.handover.memory.mended(mend(settled, self.responses.complete))

    def proved(self, proof: str) -> None:
        """A tool that the call waited for says so; nothing else that is said or typed does."""
        self.proofs = tuple(dict.fromkeys((*self.proofs, proof)))

    def begin_goodbye(
        self, reason: EndReason, now_ms: int, call_id: str = "", detail: str = ""
    ) -> None:
        self.enter("goodbye")
        self.responses.want_nothing()
        self.goodbye.begin(reason, now_ms, call_id, detail)

    def call_off_goodbye(self) -> list[Command]:
        """The caller spoke: a goodbye of the agent's is taken back."""
        if not self.goodbye.call_off():
            return []
        self.enter("called_off")
        call_id = self.goodbye.call_id
        if not call_id:
            return []
        refusal = refuse(call_id, CALLER_SPOKE)
        self.history.amended(call_id, refusal.output)
        return [refusal]


def machines(settings: CallSettings) -> Machines:
    """All machines of a new call."""
    plays = Playout if settings.playout.by == "us" else ServedPlayout
    playout = plays(settings.playout)
    responses = Responses(settings.responses)
    floor = Floor(settings.floor)
    history = History()
    scribe = Scribe(playout, history.log.append)
    bill = Bill()
    handover = Handover(
        settings.relay,
        history=history,
        responses=responses,
        floor=floor,
        playout=playout,
        scribe=scribe,
        bill=bill,
        finds_speech=settings.turn_end is None,
        crew=Crew(
            Colleague(settings.agent, settings.relay.models, settings.prices), settings.colleagues
        ),
    )
    return Machines(
        settings=settings,
        playout=playout,
        responses=responses,
        floor=floor,
        history=history,
        scribe=scribe,
        tools=ToolDesk(),
        keypad=Keypad(settings.key_pause_ms),
        goodbye=Goodbye(settings.goodbye_timeout_ms),
        handover=handover,
        turn_end=None if settings.turn_end is None else TurnEnd(settings.turn_end),
        notices=Notices(settings.notices),
        bill=bill,
    )


def ends(commands: list[Command]) -> bool:
    """These commands are the call's last."""
    return bool(commands) and isinstance(commands[-1], EndCall)
