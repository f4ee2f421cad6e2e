"""What happened when, turn by turn: the record behind every latency figure.

A turn is one exchange: what the caller said (or what else made the agent speak) and the agent's
answer with its tools. An interruption belongs to the turn whose answer was cut; the speech that cut
it begins the next turn. Stamps are call-clock milliseconds; where the carrier's own clock is known
(what the caller perceived, free of network delay) it stands beside them.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Literal

from app.call.answer_record import AnswerRecord
from app.call.endings import EndReason
from app.call.events import CloseCause, LegCause, Usage
from app.call.recent import Recent

Cause = Literal["notice", "greeting", "caller", "keys", "silence", "model", "message"]


NoteKind = Literal[
    "fault", "fallback", "key", "stall", "silence", "spend", "offer", "prompt", "recording"
]


class Stamp(StrEnum):
    SPEECH_STARTED = "speech_started"
    SPEECH_ENDED = "speech_ended"
    VAD_DECIDED = "vad_decided"
    TURN_COMMITTED = "turn_committed"
    RESPONSE_REQUESTED = "response_requested"
    RESPONSE_CREATED = "response_created"
    FIRST_MODEL_AUDIO = "first_model_audio"
    FIRST_FRAME_SENT = "first_frame_sent"
    FIRST_FRAME_PLAYED = "first_frame_played"
    RESPONSE_DONE = "response_done"
    LAST_FRAME_PLAYED = "last_frame_played"
    INTERRUPTION_DETECTED = "interruption_detected"
    CLEAR_SENT = "clear_sent"
    SILENCE_REACHED = "silence_reached"
    TRUNCATE_SENT = "truncate_sent"
    TRUNCATE_ACKNOWLEDGED = "truncate_acknowledged"


@dataclass(slots=True)
class ToolRun:
    call_id: str
    name: str
    started_ms: int
    finished_ms: int | None = None
    ok: bool | None = None


@dataclass(slots=True)
class Interruption:
    heard_ms: int
    """Of the answer's audio, what the caller heard."""
    received_ms: int
    """Of the answer's audio, what had come from the model."""
    by: Literal["fence", "clock", "unsent", "model"]

    @property
    def percent(self) -> int:
        """At what share of the answer the caller interrupted."""
        return 100 * self.heard_ms // self.received_ms if self.received_ms else 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How it was decided that the caller had said all."""

    by: Literal["model", "voice"]
    """The model's turn detection, or ours."""
    why: str
    """Of ours: complete, silence, longest, no_words (turn_end.py), or nothing_said: a short sound
    without words, which is not answered. "": the model does not say."""
    silence_ms: int
    """From the end of the caller's voice to the decision."""
    pieces: int = 1
    """Items that the turn is made of."""
    words_ms: int | None = None
    """From the end of the voice until all words were known; None: they were not, in time."""
    verdict: bool | None = None
    """A text model's: are the words complete? None: there was none."""
    verdict_ms: int | None = None
    """What it took."""
    judge_usd: float | None = None
    """What all verdicts on this turn cost; None: there were none, or prices are not known."""
    ahead_ms: int | None = None
    """How long before the decision its answer was asked for; None: not before."""
    taken_back: int = 0
    """Answers that had been asked for before the caller went on."""


@dataclass(slots=True)
class Turn:
    number: int
    cause: Cause
    stamps: dict[Stamp, int] = field(default_factory=dict)
    caller_item_id: str = ""
    ending: Ending | None = None
    response_ids: list[str] = field(default_factory=list)
    speech_ended_carrier_ms: int | None = None
    first_played_carrier_ms: int | None = None
    tools: list[ToolRun] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    interruption: Interruption | None = None

    def stamp(self, stamp: Stamp, now_ms: int) -> None:
        """The first happening of its kind counts."""
        self.stamps.setdefault(stamp, now_ms)

    def between_ms(self, first: Stamp, second: Stamp) -> int | None:
        if first in self.stamps and second in self.stamps:
            return self.stamps[second] - self.stamps[first]
        return None

    @property
    def perceived_latency_ms(self) -> int | None:
        """From the end of the caller's speech to the first bot audio, both at the carrier."""
        if self.speech_ended_carrier_ms is None or self.first_played_carrier_ms is None:
            return None
        return self.first_played_carrier_ms - self.speech_ended_carrier_ms

    def as_json(self) -> dict[str, object]:
        return {
            "turn": self.number,
            "cause": self.cause,
            "stamps_ms": {str(k): v for k, v in sorted(self.stamps.items(), key=lambda kv: kv[1])},
            "perceived_latency_ms": self.perceived_latency_ms,
            "ending": None if self.ending is None else asdict(self.ending),
            "response_ids": self.response_ids,
            "tools": [asdict(tool) for tool in self.tools],
            "usage": [asdict(usage) for usage in self.usage],
            "interruption": None
            if self.interruption is None
            else {**asdict(self.interruption), "percent": self.interruption.percent},
        }


@dataclass(frozen=True, slots=True)
class Note:
    """Something beside the turns: a fault, a fallback, a key, a limit."""

    at_ms: int
    kind: NoteKind
    text: str


@dataclass(slots=True)
class Claim:
    """A voice of the caller's while the agent had the floor, and what was made of it."""

    began_ms: int
    noticed_ms: int
    situation: str
    """What the agent was doing: greeting, speaking, thinking, saying a notice."""
    held: bool
    """The agent stopped at once, to see what it was."""
    decision: str = ""
    """yield, resume; "" while none was made."""
    decided_ms: int | None = None
    voiced_ms: int | None = None
    words: str = ""
    """speech, backchannel, nothing; "" while they were not known."""


@dataclass(slots=True)
class Notice:
    """One saying of what must be heard, and how much of it was."""

    text: str
    by: Literal["recording", "model"]
    from_ms: int | None = None
    """The caller began to hear it ..."""
    to_ms: int | None = None
    """... and heard no more of it."""
    heard_ms: int = 0
    length_ms: int = 0
    """How much of it there was to hear."""
    fault: str = ""
    """What was wrong with the model's saying of it."""


@dataclass(slots=True)
class Leg:
    """One model session of the call."""

    number: int
    model_index: int
    """Which one of the agent's list."""
    opened_ms: int
    model: str = ""
    cause: LegCause | None = None
    """Why it took over; None while it did not."""
    ready_ms: int | None = None
    taken_ms: int | None = None
    closed_ms: int | None = None
    closed_by: CloseCause | None = None
    """Why the vendor's side ended; None where we closed it."""


class Timeline:
    """The turns of one call, its legs, and what stands beside them."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.legs: list[Leg] = []
        self.notes: list[Note] = []
        self.claims: list[Claim] = []
        self.notices: list[Notice] = []
        self.answer: AnswerRecord | None = None
        """None for a call that came in."""
        self.rate_limits: dict[str, int] = {}
        """What remains, by the vendor's name of the limit."""
        self.started_ms: int | None = None
        self.ended_ms: int | None = None
        self.end_reason: EndReason | None = None
        self.end_detail = ""
        self._by_response: Recent[Turn] = Recent()
        self._by_item: Recent[Turn] = Recent()

    @property
    def turn(self) -> Turn:
        """The turn that began last; the model's own if nothing else began one."""
        return self.turns[-1] if self.turns else self.begin("model")

    def begin(self, cause: Cause) -> Turn:
        self.turns.append(Turn(len(self.turns) + 1, cause))
        return self.turns[-1]

    def caller(self, item_id: str) -> Turn:
        """The turn that this speech of the caller began; the newest turn if none did."""
        speech = (turn for turn in reversed(self.turns) if turn.caller_item_id == item_id)
        return next(speech, None) or self.turn

    def response(self, response_id: str, asked_in: Turn | None = None) -> Turn:
        """The turn that a response belongs to. A new one belongs to the turn in which it was
        asked for, or to the newest."""
        turn = self._by_response.get(response_id)
        if turn is None:
            turn = asked_in or self.turn
            self._by_response.put(response_id, turn)
            turn.response_ids.append(response_id)
        return turn

    def item(self, item_id: str, response_id: str = "") -> Turn:
        """The turn of an output item; `response_id` introduces an item not seen before."""
        turn = self._by_item.get(item_id)
        if turn is None:
            turn = self.response(response_id) if response_id else self.turn
            self._by_item.put(item_id, turn)
        return turn

    def tool(self, call_id: str) -> ToolRun | None:
        turns = reversed(self.turns)
        runs = (run for turn in turns for run in turn.tools if run.call_id == call_id)
        return next(runs, None)

    @property
    def model_ready_ms(self) -> int | None:
        """When the first session was ready."""
        return next((leg.ready_ms for leg in self.legs if leg.ready_ms is not None), None)

    def leg_opened(self, number: int, model_index: int, now_ms: int) -> None:
        self.legs.append(Leg(number, model_index, now_ms))

    def leg_ready(self, number: int, model: str, now_ms: int) -> None:
        leg = self._leg(number)
        leg.model, leg.ready_ms = model, now_ms

    def leg_taken(self, number: int, cause: LegCause, now_ms: int) -> None:
        for before in self.legs:
            if before.taken_ms is not None and before.closed_ms is None:
                before.closed_ms = now_ms
        leg = self._leg(number)
        leg.cause, leg.taken_ms = cause, now_ms

    def leg_closed(self, number: int, cause: CloseCause | None, now_ms: int) -> None:
        leg = self._leg(number)
        if leg.closed_ms is None:
            leg.closed_by, leg.closed_ms = cause, now_ms

    def _leg(self, number: int) -> Leg:
        known = (leg for leg in reversed(self.legs) if leg.number == number)
        return next(known, None) or Leg(number, 0, 0)

    def note(self, now_ms: int, kind: NoteKind, text: str) -> None:
        self.notes.append(Note(now_ms, kind, text))

    def close(self, reason: EndReason, detail: str, now_ms: int) -> None:
        self.ended_ms, self.end_reason, self.end_detail = now_ms, reason, detail

    def as_json(self) -> dict[str, object]:
        """The record as plain values; every `_ms` counts from the call's first event."""
        return {
            "started_ms": self.started_ms,
            "model_ready_ms": self.model_ready_ms,
            "ended_ms": self.ended_ms,
            "end_reason": None if self.end_reason is None else str(self.end_reason),
            "end_fault": None if self.end_reason is None else self.end_reason.fault,
            "end_detail": self.end_detail,
            "rate_limits_remaining": self.rate_limits,
            "answer": None if self.answer is None else self.answer.as_json(),
            "legs": [asdict(leg) for leg in self.legs],
            "turns": [turn.as_json() for turn in self.turns],
            "notices": [asdict(notice) for notice in self.notices],
            "claims": [asdict(claim) for claim in self.claims],
            "notes": [asdict(note) for note in self.notes],
        }
