"""Attempts to open a session: on which model of the agent's list, when, and for how long.

    idle, pausing --open--> trying
    trying --opened--> idle
    trying --failed--> idle
    idle --pause--> pausing (the next attempt is made when its wait is over)
    trying, pausing --call_off--> idle

Each model of the list is tried once without a wait; later attempts wait with full jitter, so that
many calls do not come back in step. A model that refused is out for this call. The chance in the
waits comes from the call's id: the same call replays to the same waits.
"""

import random
from enum import StrEnum

from app.call.commands import OpenLeg
from app.call.events import CloseCause
from app.call.relay_settings import RelaySettings

FATAL_CAUSES: frozenset[CloseCause] = frozenset({"refused", "wrong_format", "failed"})
"""Trying the same model again would end the same way."""


class AttemptState(StrEnum):
    IDLE = "idle"
    TRYING = "trying"
    PAUSING = "pausing"


_S = AttemptState
TRANSITIONS: dict[tuple[AttemptState, str], AttemptState] = {
    (_S.IDLE, "open"): _S.TRYING,
    (_S.IDLE, "pause"): _S.PAUSING,
    (_S.TRYING, "opened"): _S.IDLE,
    (_S.TRYING, "failed"): _S.IDLE,
    (_S.TRYING, "call_off"): _S.IDLE,
    (_S.PAUSING, "open"): _S.TRYING,
    (_S.PAUSING, "call_off"): _S.IDLE,
}


class Attempts:
    """One per call. Times are call-clock milliseconds."""

    def __init__(self, settings: RelaySettings) -> None:
        self.state = AttemptState.IDLE
        self.models = settings.models
        """How many models the agent names."""
        self.model = 0
        """Which of them the newest attempt is made on."""
        self.due_ms: int | None = None
        """When the attempt in progress has taken too long, or the next one is made."""
        self._settings = settings
        self._random = random.Random(0)
        self._legs = 0
        self._dead: set[int] = set()
        self._tried: set[int] = set()
        """Models that were tried since the call lost its model."""
        self._repeats = 0
        """How many attempts since then were made on a model that had been tried."""

    def begin(self, call_id: str, model: int) -> None:
        """The call starts, with this model of the list."""
        self._random = random.Random(call_id)
        self.model = model % self.models

    def return_to(self, model: int) -> None:
        """The next attempt is made on this model, as far as there is one."""
        self.call_off()
        self.model = model % self.models

    def of(self, models: int) -> None:
        """Another list is the one to choose from; it has so many models."""
        self.models, self.model = models, 0
        self._dead.clear()
        self.anew()

    def anew(self) -> None:
        """The call lost its model: nothing was tried yet."""
        self._tried.clear()
        self._repeats = 0

    def rule_out(self, model: int, cause: CloseCause) -> None:
        """No attempt is made on it again, if its session ended for good."""
        if cause in FATAL_CAUSES:
            self._dead.add(model)

    @property
    def possible(self) -> bool:
        """A model is left that is not out."""
        return bool(self._living)

    @property
    def _living(self) -> list[int]:
        return [model for model in range(self.models) if model not in self._dead]

    @property
    def first(self) -> bool:
        """The next attempt is the first one, and the model is not out."""
        return not self._tried and self.model in self._living

    # One attempt

    def open(self, now_ms: int) -> OpenLeg:
        """An attempt on `model` begins."""
        self._move("open", now_ms + self._settings.attempt_ms)
        self._legs += 1
        self._repeats += self.model in self._tried
        self._tried.add(self.model)
        return OpenLeg(self._legs, self.model)

    def opened(self) -> bool:
        """A session is open. False: none was being opened."""
        if self.state is not AttemptState.TRYING:
            return False
        self._move("opened", None)
        return True

    def failed(self) -> None:
        """The attempt failed, or the session that it opened is gone already."""
        if self.state is AttemptState.TRYING:
            self._move("failed", None)

    def call_off(self) -> None:
        """No session is wanted now."""
        if self.state is not AttemptState.IDLE:
            self._move("call_off", None)

    # The next one

    def go_on(self, now_ms: int) -> bool:
        """Choose the model of the next attempt. True: it is made at once; else after a wait."""
        self._next_model()
        if self.model not in self._tried:
            return True
        s = self._settings
        most_ms = min(s.backoff_most_ms, s.backoff_ms * 2**self._repeats)
        self.pause(now_ms + round(self._random.uniform(0, most_ms)))
        return False

    def pause(self, until_ms: int) -> None:
        """The next attempt is made then."""
        self._move("pause", until_ms)

    def late(self, now_ms: int) -> bool:
        """The attempt in progress has taken too long."""
        return self.state is AttemptState.TRYING and self._is_due(now_ms)

    def rested(self, now_ms: int) -> bool:
        """The wait for the next attempt is over; its model is one that is not out."""
        if self.state is not AttemptState.PAUSING or not self._is_due(now_ms):
            return False
        if self.model in self._dead:
            self._next_model()
        return True

    def _is_due(self, now_ms: int) -> bool:
        return self.due_ms is not None and now_ms >= self.due_ms

    def _next_model(self) -> None:
        living = self._living
        self.model = next((model for model in living if model > self.model), living[0])

    def _move(self, happening: str, due_ms: int | None) -> None:
        self.state, self.due_ms = TRANSITIONS[self.state, happening], due_ms
