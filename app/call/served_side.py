"""What a model's side that holds the telephone itself tells of its playing: of use only where
`PlayoutSettings.by` is "model". See served_playout.py."""

from app.call.axis import BYTES_PER_MS
from app.call.commands import Command
from app.call.events import ItemTruncated, PlayBegan, PlayCut, PlayEnded
from app.call.machines import Machines
from app.call.playout import Played
from app.call.served_playout import ServedPlayout


class ServedSide:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines

    def began(self, event: PlayBegan, now_ms: int) -> list[Command]:
        m = self._m
        if m.served is None or not m.responses.alive(event.response_id):
            return []
        m.served.began(event.response_id, now_ms)
        m.scribe.plays(event.response_id, now_ms)
        return []

    def ended(self, event: PlayEnded, now_ms: int) -> list[Command]:
        if self._m.served is not None:
            self._over(self._m.served, event.response_id, now_ms)
        return []

    def cut(self, event: PlayCut, now_ms: int) -> list[Command]:
        """By the caller, of whom we hear a moment later, or by our own wish."""
        served = self._m.served
        if served is None or not served.plays(event.response_id):
            return []
        return self._cut(served, now_ms)

    def truncated(self, event: ItemTruncated, now_ms: int) -> list[Command]:
        m = self._m
        if m.served is None or not m.served.truncated(event.item_id, event.audio_end_ms):
            return []
        commands: list[Command] = []
        for settled in m.served.verdicts(now_ms):
            commands += m.settle(settled, now_ms)
        return commands

    def _cut(self, served: ServedPlayout, now_ms: int) -> list[Command]:
        m = self._m
        m.scribe.cut(served.cut_generation, now_ms)
        commands, settled = served.cut(now_ms)
        return commands if settled is None else commands + m.settle(settled, now_ms)

    def _over(self, served: ServedPlayout, response_id: str, now_ms: int) -> None:
        lasted_ms = served.lasted_ms(response_id, now_ms)
        items = served.ended(response_id, now_ms)
        if len(items) == 1 and lasted_ms:
            self._m.scribe.wording.played(items[0].item_id, lasted_ms * BYTES_PER_MS)
        if items:
            self._m.played(Played("end", 0, now_ms, tuple(items)), now_ms)

    def expire(self, now_ms: int) -> None:
        """What was not told in time. Answers that began were heard, as far as anybody knows."""
        m = self._m
        if m.served is None:
            return
        for answer in m.served.overdue(now_ms):
            m.scribe.timeline.note(now_ms, "fallback", "nobody told that an answer was over")
            if answer.began_ms is None:
                for item_id in answer.items:
                    m.scribe.transcript.agent_silent(item_id, interrupted=False)
            else:
                m.played(Played("end", 0, now_ms, tuple(answer.whole())), now_ms)
