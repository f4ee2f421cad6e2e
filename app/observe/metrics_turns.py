"""Turns, interruptions and gaps, counted from what the heart's timeline says of them."""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from app.call.commands import SendClear, SendMark
from app.call.events import DeadlineReached, MarkEchoed, SpeechStarted
from app.call.timeline import Stamp, Turn
from app.observe import metrics_families as families
from app.observe.metrics_state import OpenCall, TurnsOfCall

RECENT = 8
"""Turns before the newest that may still change: a verdict or a first frame may come late."""

_PARTS = tuple(
    zip(
        families.TURN_PARTS,
        (
            (Stamp.SPEECH_ENDED, Stamp.VAD_DECIDED),
            (Stamp.VAD_DECIDED, Stamp.FIRST_MODEL_AUDIO),
            (Stamp.FIRST_MODEL_AUDIO, Stamp.FIRST_FRAME_SENT),
            (Stamp.FIRST_FRAME_SENT, Stamp.FIRST_FRAME_PLAYED),
        ),
        strict=True,
    )
)


class TurnMetrics:
    """Looks at the timeline when something was played, cut or begun, and counts what is new."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._latency = families.TURN_LATENCY.make(registry)
        self._part = families.TURN_PART.make(registry)
        self._answers = families.ANSWERS.make(registry)
        self._interruptions = families.INTERRUPTIONS.make(registry)
        self._heard = families.INTERRUPTION_HEARD.make(registry)
        self._underruns = families.UNDERRUNS.make(registry)

    @property
    def handlers(self) -> Mapping[type, Callable[[OpenCall, Any, int], None]]:
        """By the type of an event or a command."""
        return {
            MarkEchoed: self._mark_echoed,
            SpeechStarted: self._speech_started,
            DeadlineReached: self._deadline_reached,
            SendMark: self._mark_sent,
            SendClear: self._clear_sent,
        }

    def look(self, open_call: OpenCall) -> None:
        """Count what the timeline says and was not counted yet."""
        state, turns = open_call.turns, open_call.call.timeline.turns
        state.unsent += turns[state.seen :]
        state.seen = len(turns)
        self._look_for_answers(state)
        self._look_for_interruptions(state, turns[-RECENT:])

    def _look_for_answers(self, state: TurnsOfCall) -> None:
        for turn in state.unsent:
            if Stamp.FIRST_FRAME_SENT in turn.stamps:
                self._answers.labels(turn.cause).inc()
                state.unplayed.append(turn)
        for turn in state.unplayed:
            if Stamp.FIRST_FRAME_PLAYED in turn.stamps:
                self._played(turn)
        state.unsent = _without(Stamp.FIRST_FRAME_SENT, state.unsent)
        state.unplayed = _without(Stamp.FIRST_FRAME_PLAYED, state.unplayed)

    def _played(self, turn: Turn) -> None:
        """Below zero there was no wait: the answer began before the caller had finished."""
        latency_ms = turn.perceived_latency_ms
        if latency_ms is not None and latency_ms >= 0:
            self._latency.observe(latency_ms / 1000)
        for part, (first, second) in _PARTS:
            part_ms = turn.between_ms(first, second)
            if part_ms is not None and part_ms >= 0:
                self._part.labels(part).observe(part_ms / 1000)

    def _look_for_interruptions(self, state: TurnsOfCall, turns: list[Turn]) -> None:
        cut = [turn for turn in turns if Stamp.INTERRUPTION_DETECTED in turn.stamps]
        for turn in cut:
            known = turn.number in state.interrupted
            if not known or state.interrupted[turn.number] is not turn.interruption:
                self._interrupted(state, turn)
        state.interrupted = {turn.number: turn.interruption for turn in cut}

    def _interrupted(self, state: TurnsOfCall, turn: Turn) -> None:
        found = turn.interruption
        self._interruptions.labels("thinking" if found is None else found.by).inc()
        if found is None:
            return
        if found.by != "unsent":
            state.unsettled = max(0, state.unsettled - 1)
        if found.received_ms:
            self._heard.observe(found.heard_ms / found.received_ms)

    def _mark_echoed(self, open_call: OpenCall, event: MarkEchoed, _now_ms: int) -> None:
        """Progress marks, the many, tell nothing new."""
        if not event.name.startswith("p"):
            self.look(open_call)

    def _speech_started(self, open_call: OpenCall, _event: SpeechStarted, _now_ms: int) -> None:
        self.look(open_call)

    def _deadline_reached(self, open_call: OpenCall, _event: DeadlineReached, _now: int) -> None:
        """A fence that did not come is noticed here."""
        if open_call.turns.unsettled:
            self.look(open_call)

    def _mark_sent(self, open_call: OpenCall, command: SendMark, _now_ms: int) -> None:
        """A start mark is sent when the carrier's buffer is dry. That is as it should be at the
        beginning of a generation and right behind the end of an answer, and nowhere else."""
        kind = command.name[0]
        if kind not in "es":
            return
        place = command.name[1:]
        if kind == "e":
            open_call.turns.ended_at = place
        elif not place.endswith(".0") and place != open_call.turns.ended_at:
            self._underruns.inc()

    def _clear_sent(self, open_call: OpenCall, _command: SendClear, _now_ms: int) -> None:
        open_call.turns.unsettled += 1


def _without(stamp: Stamp, turns: list[Turn]) -> list[Turn]:
    """Those not stamped, the newest only: a turn that never sounds must not be kept for good."""
    return [turn for turn in turns if stamp not in turn.stamps][-RECENT:]
