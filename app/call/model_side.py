"""The models that come and go under a call: ready, faulty, gone."""

from app.call.commands import CloseLeg, Command, EndCall, PlayPhrase
from app.call.endings import MODEL_ENDINGS
from app.call.events import (
    CloseCause,
    ModelClosed,
    ModelFault,
    ModelReady,
    RolloverRequested,
    SummaryWritten,
)
from app.call.machines import Machines
from app.call.phases import Phase


class ModelSide:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines

    def ready(self, event: ModelReady, now_ms: int) -> list[Command]:
        m, model = self._m, self._m.handover.relay.model
        commands = m.handover.ready(event, now_ms)
        if m.handover.relay.model != model:
            m.scribe.wording.other_voice()
        if m.phase is Phase.OPENING and m.handover.relay.leg:
            m.enter("ready")
        return commands

    def fault(self, event: ModelFault, now_ms: int) -> list[Command]:
        responses = self._m.responses
        if event.kind == "active_response":
            responses.conflicted(event.request_id, now_ms)
        if event.kind in ("away", "back"):
            responses.unheard(event.kind == "away", now_ms)
        if event.kind == "fatal":
            return self.abandon("failed", event.code, now_ms)
        return []

    def closed(self, event: ModelClosed, now_ms: int) -> list[Command]:
        return self._m.handover.closed(event, now_ms) + self._given_up()

    def abandon(self, cause: CloseCause, detail: str, now_ms: int) -> list[Command]:
        """The session lives, but it is of no use any more."""
        m = self._m
        leg = m.handover.relay.leg
        if not leg:
            return []
        m.scribe.timeline.leg_closed(leg, cause, now_ms)
        return [CloseLeg(leg), *self.closed(ModelClosed(cause, detail, leg), now_ms)]

    def _given_up(self) -> list[Command]:
        """Without a model there is nothing to talk with; a goodbye is said to its end, and a
        machine needs none."""
        m, given_up = self._m, self._m.handover.relay.given_up
        if given_up is None or m.phase is Phase.GOODBYE or m.answer.with_machine:
            return []
        return [EndCall(MODEL_ENDINGS[given_up.cause], given_up.detail)]

    def summary_written(self, event: SummaryWritten, now_ms: int) -> list[Command]:
        return self._m.handover.summary_written(event, now_ms)

    def rollover_requested(self, event: RolloverRequested, now_ms: int) -> list[Command]:
        return self._m.handover.wish(event.cause, now_ms)

    def expire_answers(self, now_ms: int) -> list[Command]:
        """What the model owes and did not bring in time."""
        m = self._m
        stalls, active = m.responses.stalls, m.responses.active_id
        commands = m.responses.expire(now_ms)
        if m.responses.stalls != stalls:
            m.scribe.broke_off(active)
            m.scribe.timeline.note(now_ms, "stall", "the model did not go on in time")
            commands = m.playout.finish(now_ms) + commands
        if m.responses.given_up:
            m.responses.stalls = m.responses.settings.max_stalls - 1
            commands += self.abandon("stalled", "the model did not go on", now_ms)
        return commands

    def expire_legs(self, now_ms: int) -> list[Command]:
        m = self._m
        commands = m.handover.expire(now_ms)
        if m.handover.relay.filler_due(now_ms) and not m.playout.unplayed:
            commands.append(PlayPhrase(m.settings.relay.filler))
        return commands + self._given_up()
