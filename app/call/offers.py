"""Offering another way before anything fails: keys or text messages for a caller who is not
understood, whose line is too noisy, or who waits too long for each answer.

    three turns in a row without a word that was understood, two slow answers in a row, or noise in
    the first two seconds --> the agent offers it once, in its own words

Only where the agent has a tool for another way. A caller who would rather type says so, and the
model calls that tool itself.
"""

from typing import Final

from app.call.commands import Command
from app.call.events import CallerTranscribed, Event, NoiseMeasured
from app.call.machines import Machines
from app.call.phases import Phase

SLOW_IN_A_ROW: Final = 2


class Offers:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._misses = self._slow = 0
        self._judged = -1
        """The newest turn whose latency was looked at."""
        self._why = ""
        self._made = not machines.settings.offers.say

    @property
    def at_work(self) -> bool:
        return not self._made

    def saw(self, event: Event) -> None:
        """Before the heart acts on it."""
        s = self._m.settings.offers
        match event:
            case CallerTranscribed():
                understood = any(letter.isalnum() for letter in event.text)
                self._misses = 0 if understood else self._misses + 1
                if s.misses and self._misses >= s.misses:
                    self._why = "the caller was not understood"
            case NoiseMeasured():
                if s.noisy_dbfs and event.level_dbfs > s.noisy_dbfs:
                    self._why = "there is a lot of noise on the line"
            case _:
                pass

    def look(self, now_ms: int) -> list[Command]:
        """After each step, while `at_work`."""
        m = self._m
        self._look_for_slowness()
        calm = m.phase is Phase.TALKING and not m.floor.caller_speaking and not m.keypad.busy
        # Wished for beside an answer that the model begins by itself, it would be forgotten.
        if not self._why or not calm or m.tools.busy or not m.responses.still:
            return []
        self._made = True
        m.scribe.timeline.note(now_ms, "offer", self._why)
        return m.responses.want(m.settings.offers.say, now_ms)

    def _look_for_slowness(self) -> None:
        slow_ms, turns = self._m.settings.offers.slow_ms, self._m.scribe.timeline.turns
        if not slow_ms or not turns or turns[-1].number == self._judged:
            return
        latency_ms = turns[-1].perceived_latency_ms
        if latency_ms is None:
            return
        self._judged = turns[-1].number
        self._slow = self._slow + 1 if latency_ms > slow_ms else 0
        if self._slow >= SLOW_IN_A_ROW:
            self._why = "the answers take long"
