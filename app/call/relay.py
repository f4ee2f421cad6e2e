"""The relay: a call's model sessions, its legs, one after the other.

    opening --ready--> carrying
    opening --closed--> opening (the next attempt, or the next model)
    opening --give_up--> failed
    carrying --wish (time, context, spend, a request)--> summarising
    summarising --summary, or none in time--> joining
    joining --ready--> waiting (the next leg stands by while the old one carries the call)
    joining, waiting --closed (the next leg)--> joining (later again)
    joining --called_off (another agent could not be reached)--> carrying
    waiting --change (another agent is wanted now)--> joining
    waiting --switch, in a quiet moment or at the deadline--> carrying
    carrying, summarising, joining, waiting --lost (the leg that carries the call)--> opening

One mechanism for all causes: a planned change, a drop, a failover, a worker that took over. Make
before break: while the old leg lives it carries the call until the next one stands by. A leg that
was lost is replaced at once, and each model of the list is tried once without a wait; later
attempts wait with full jitter, so that many calls do not come back in step. A model that refused is
out for this call. The chance in the waits comes from the call's id: the same call replays to the
same waits.
"""

import random
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from app.call.commands import CloseLeg, Command, OpenLeg
from app.call.earliest import earliest
from app.call.events import CloseCause, LegCause

FATAL_CAUSES: frozenset[CloseCause] = frozenset({"refused", "wrong_format", "failed"})
"""Trying the same model again would end the same way."""
LIVED_MS = 10_000
"""A leg that carried the call for so long was no fruitless one, whatever was said."""
SHORT_LIFE_MS = 2_000
"""A leg lost sooner was a fruitless one, whether it owed an answer or not."""


class RelayState(StrEnum):
    OPENING = "opening"
    CARRYING = "carrying"
    SUMMARISING = "summarising"
    JOINING = "joining"
    WAITING = "waiting"
    FAILED = "failed"


_S = RelayState
TRANSITIONS: dict[tuple[RelayState, str], RelayState] = {
    (_S.OPENING, "ready"): _S.CARRYING,
    (_S.OPENING, "closed"): _S.OPENING,
    (_S.OPENING, "give_up"): _S.FAILED,
    (_S.CARRYING, "wish"): _S.SUMMARISING,
    (_S.CARRYING, "lost"): _S.OPENING,
    (_S.SUMMARISING, "summary"): _S.JOINING,
    (_S.SUMMARISING, "lost"): _S.OPENING,
    (_S.JOINING, "ready"): _S.WAITING,
    (_S.JOINING, "closed"): _S.JOINING,
    (_S.JOINING, "change"): _S.JOINING,
    (_S.JOINING, "called_off"): _S.CARRYING,
    (_S.JOINING, "lost"): _S.OPENING,
    (_S.WAITING, "switch"): _S.CARRYING,
    (_S.WAITING, "closed"): _S.JOINING,
    (_S.WAITING, "change"): _S.JOINING,
    (_S.WAITING, "lost"): _S.OPENING,
}


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Times in ms of the call clock."""

    models: int = 1
    """How many models the agent names; the first is preferred."""
    session_ms: int = 15 * 60_000
    expiry_margin_ms: int = 60_000
    """How long before the vendor ends a session the next one is prepared."""
    context_tokens: int = 0
    """The next leg is prepared when an answer has read so many tokens. 0: never."""
    spend_usd: float = 0.0
    """The next leg is prepared when a leg has cost so much. 0: never."""
    summary_by: Literal["session", "text_model"] = "session"
    summary_timeout_ms: int = 6_000
    quiet_wait_ms: int = 10_000
    """Longest wait for a moment in which nobody speaks, thinks or runs a tool."""
    force_wait_ms: int = 120_000
    """After this wait even an answer in progress does not hold up the switch; no answer is so
    long. Before a session's end it is not waited for either."""
    attempt_ms: int = 1_500
    """Longest time for one attempt to open a session."""
    give_up_ms: int = 2_700
    """Longest time that a call may be without a model."""
    backoff_ms: int = 100
    """Once all models were tried, an attempt waits up to so long, the next one up to twice as long,
    and so on."""
    backoff_most_ms: int = 1_000
    rejoin_ms: int = 5_000
    """A planned change that could not be made is tried again after so long."""
    summary_every: int = 40
    """So many entries beyond the newest summary call for another: what a dropped call can tell
    its next leg word for word is bounded."""
    filler_after_ms: int = 1_500
    filler: str = "One moment, please."
    """Said when the call is without a model for `filler_after_ms`; "": nothing."""
    fruitless: int = 3
    """So many legs lost in a row that answered nothing: the call is given up. One that fell silent
    counts twice, because the caller waited for it longest."""
    keep_entries: int = 8
    """How much of what a summary covers is told to the next leg word for word as well."""
    most_entries: int = 60
    prune_tokens: int = 0
    """So many tokens of old audio are replaced by their words at once. 0: never."""
    prune_keep_turns: int = 2
    """The caller's newest turns, and what was answered to them, stay as they sounded."""
    overlap_ms: int = 1_000
    """How much quiet before a switch the next leg hears again, so that no onset is lost."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """No model could be reached: why the last attempt failed."""

    cause: CloseCause
    detail: str


class Relay:
    """See the module's text. Times are call-clock milliseconds."""

    def __init__(self, settings: RelaySettings | None = None) -> None:
        self.settings = settings or RelaySettings()
        self.state = RelayState.OPENING
        self.leg = 0
        """The leg that carries the call; 0: none."""
        self.next_leg = 0
        """The leg that is being opened or stands by; 0: none."""
        self.model = 0
        """Which model of the list the newest leg has."""
        self.cause: LegCause = "start"
        """Why the newest leg was opened."""
        self._legs = 0
        self._carrying_model = 0
        self._carrying_since_ms = 0
        self._next_life_ms: int | None = None
        self._dead: set[int] = set()
        self._random = random.Random(0)
        self._since_ms = 0
        """When the present state began; in OPENING, when the call lost its model."""
        self._attempts = 0
        """In the present state."""
        self._tried: set[int] = set()
        """Models that were tried since the call lost its model."""
        self._attempt_due_ms: int | None = None
        """When an attempt in progress has taken too long."""
        self._retry_due_ms: int | None = None
        self._life_due_ms: int | None = None
        """When the next leg must be prepared."""
        self._life_end_ms: int | None = None
        """When the vendor ends the leg that carries the call."""
        self._fruitless = 0
        self._answered = False
        """The leg that carries the call gave a whole answer."""
        self._filler_due_ms: int | None = None
        self._preferred: int | None = None
        """Of the next planned change; None: the one that carries the call."""
        self._last = GivenUp("unreachable", "no session could be opened in time")
        self.given_up: GivenUp | None = None

    @property
    def must_take(self) -> bool:
        """A session is open and nothing carries the call."""
        return self.state is RelayState.CARRYING and self.next_leg != 0

    # Opening

    def begin(self, call_id: str, model: int, now_ms: int) -> OpenLeg:
        """The call starts: open its first leg."""
        self._random = random.Random(call_id)
        self.model = self._carrying_model = model % self.settings.models
        self._enter_opening(now_ms)
        return self._open(now_ms)

    def ready(self, leg: int, lifetime_ms: int | None, now_ms: int) -> None:
        """A session is open. See `must_take` afterwards."""
        if leg != self.next_leg or self._attempt_due_ms is None:
            return
        self._attempt_due_ms = None
        self._next_life_ms = lifetime_ms
        self._move("ready", now_ms)

    def take(self, now_ms: int) -> int:
        """The next leg carries the call from now on. Returns its number."""
        if self.state is RelayState.WAITING:
            self._move("switch", now_ms)
        self.leg, self.next_leg = self.next_leg, 0
        self._carrying_model, self._carrying_since_ms = self.model, now_ms
        self._filler_due_ms = self._retry_due_ms = None
        self._answered = False
        self._set_life(self._next_life_ms, now_ms)
        return self.leg

    def _set_life(self, lifetime_ms: int | None, now_ms: int) -> None:
        s = self.settings
        self._life_due_ms, self._life_end_ms = now_ms + s.session_ms, None
        # An end that lies in the past is a clock that differs from ours: then it is not known.
        if lifetime_ms is not None and lifetime_ms > 0:
            self._life_end_ms = now_ms + lifetime_ms
            margin_ms = min(s.expiry_margin_ms, lifetime_ms // 4)
            self._life_due_ms = min(self._life_due_ms, now_ms + lifetime_ms - margin_ms)

    def fruitful(self) -> None:
        """The leg gave a whole answer."""
        self._answered = True

    # Losing

    def closed(
        self, leg: int, cause: CloseCause, detail: str, now_ms: int, *, owed: bool = True
    ) -> list[Command]:
        """A session ended or could not be opened. `owed`: an answer was awaited of it.

        See `given_up` and `must_take` afterwards.
        """
        if leg not in (self.leg, self.next_leg) or not leg:
            return []
        self._last = GivenUp(cause, detail)
        if cause in FATAL_CAUSES:
            self._dead.add(self.model if leg == self.next_leg else self._carrying_model)
        if leg == self.next_leg:
            self._move("closed", now_ms)
            self.next_leg, self._attempt_due_ms = 0, None
            return self._try_again(now_ms)
        self._count_loss(now_ms - self._carrying_since_ms, owed=owed)
        return self._lost(now_ms)

    def _count_loss(self, lived_ms: int, *, owed: bool) -> None:
        if self._answered or lived_ms > LIVED_MS:
            self._fruitless = 0
        elif owed or lived_ms < SHORT_LIFE_MS:
            self._fruitless += 2 if self._last.cause == "stalled" else 1

    def _lost(self, now_ms: int) -> list[Command]:
        self.leg = 0
        stands_by = self.state is RelayState.WAITING
        self.cause = "drop"
        if not self.next_leg:
            self.model = self._carrying_model % self.settings.models
        attempt_due_ms = self._attempt_due_ms
        self._move("lost", now_ms)
        self._enter_opening(now_ms)
        if self._fruitless >= self.settings.fruitless:
            return self._give_up(now_ms)
        if self.next_leg:
            self._attempt_due_ms = attempt_due_ms
            if stands_by:
                self._move("ready", now_ms)
            return []
        return self._try_again(now_ms)

    def _enter_opening(self, now_ms: int) -> None:
        s = self.settings
        self._since_ms, self._attempts, self._tried = now_ms, 0, set()
        self._attempt_due_ms = self._retry_due_ms = self._life_due_ms = self._life_end_ms = None
        self._filler_due_ms = now_ms + s.filler_after_ms if s.filler else None

    def _try_again(self, now_ms: int) -> list[Command]:
        """The next attempt: now, or when its wait is over."""
        living = self._living
        if not living:
            return self._give_up(now_ms) if self.state is RelayState.OPENING else []
        if self.state is RelayState.JOINING:
            self._retry_due_ms = now_ms + self.settings.rejoin_ms
            return []
        if self._attempts == 0 and self.model in living:
            return [self._open(now_ms)]
        self.model = self._next_model(living)
        if self.model != self._carrying_model:
            self.cause = "failover"
        if self.model not in self._tried:
            return [self._open(now_ms)]
        s, again = self.settings, self._attempts - len(self._tried)
        most_ms = min(s.backoff_most_ms, s.backoff_ms * 2**again)
        self._retry_due_ms = now_ms + round(self._random.uniform(0, most_ms))
        return []

    @property
    def _living(self) -> list[int]:
        return [m for m in range(self.settings.models) if m not in self._dead]

    def _next_model(self, living: list[int]) -> int:
        later = [m for m in living if m > self.model]
        return later[0] if later else living[0]

    def _open(self, now_ms: int) -> OpenLeg:
        self._legs += 1
        self.next_leg = self._legs
        self._attempts += 1
        self._tried.add(self.model)
        self._retry_due_ms = None
        self._attempt_due_ms = now_ms + self.settings.attempt_ms
        return OpenLeg(self.next_leg, self.model)

    def _give_up(self, now_ms: int) -> list[Command]:
        self._move("give_up", now_ms)
        self.given_up = self._last
        commands: list[Command] = [CloseLeg(self.next_leg)] if self.next_leg else []
        self.next_leg = 0
        self._attempt_due_ms = self._retry_due_ms = self._filler_due_ms = None
        return commands

    # A planned change

    def wish(self, cause: LegCause, now_ms: int) -> bool:
        """Prepare the next leg. True if a summary is to be asked for now."""
        if self.state is not RelayState.CARRYING:
            return False
        self.cause = cause
        self._move("wish", now_ms)
        return True

    def summarised(self, now_ms: int) -> list[Command]:
        """The summary came, or will not come: open the next leg."""
        if self.state is not RelayState.SUMMARISING:
            return []
        self._move("summary", now_ms)
        self._attempts = 0
        preferred, self._preferred = self._preferred, None
        self.model = self._carrying_model if preferred is None else preferred
        return [self._open(now_ms)]

    def speaks(self, models: int) -> None:
        """Another agent is the one to open legs for; it names so many models."""
        self.settings = replace(self.settings, models=models)
        self._dead.clear()
        self._tried.clear()
        self.model = 0

    def change(self, cause: LegCause, models: int, now_ms: int) -> list[Command]:
        """Prepare a leg for another agent, which names `models`, or for another language, now. A
        leg that was being prepared is not wanted any more."""
        commands: list[Command] = [CloseLeg(self.next_leg)] if self.next_leg else []
        self.speaks(models)
        self.next_leg, self._attempt_due_ms, self._retry_due_ms = 0, None, None
        self._attempts = 0
        match self.state:
            case RelayState.CARRYING:
                self._move("wish", now_ms)
                self._move("summary", now_ms)
            case RelayState.SUMMARISING:
                self._move("summary", now_ms)
            case RelayState.JOINING | RelayState.WAITING:
                self._move("change", now_ms)
            case RelayState.OPENING:
                pass
            case _:
                return commands
        self.cause = cause
        return [*commands, self._open(now_ms)]

    def call_off(self, models: int, now_ms: int) -> None:
        """The leg that carries the call goes on carrying it."""
        self.speaks(models)
        self.model = self._carrying_model
        self._retry_due_ms = None
        self._move("called_off", now_ms)

    def prefer(self, model: int) -> None:
        """The next planned change goes to this model of the list."""
        self._preferred = model

    def due_for_change(self, now_ms: int) -> LegCause | None:
        """Why the next leg must be prepared now, if time says so."""
        if self.state is not RelayState.CARRYING or self._life_due_ms is None:
            return None
        if now_ms < self._life_due_ms:
            return None
        planned_ms = self._carrying_since_ms + self.settings.session_ms
        return "time" if now_ms >= planned_ms else "expiry"

    @property
    def quiet_wait_over_ms(self) -> int | None:
        """While a leg stands by: from then on only an answer in progress holds up the switch."""
        if self.state is not RelayState.WAITING:
            return None
        return self._not_after_end(self._since_ms + self.settings.quiet_wait_ms, 4_000)

    @property
    def force_ms(self) -> int | None:
        """While a leg stands by: from then on nothing holds up the switch."""
        if self.state is not RelayState.WAITING:
            return None
        return self._not_after_end(self._since_ms + self.settings.force_wait_ms, 2_000)

    def _not_after_end(self, at_ms: int, before_ms: int) -> int:
        if self._life_end_ms is None:
            return at_ms
        return min(at_ms, self._life_end_ms - before_ms)

    # Time

    @property
    def due_ms(self) -> int | None:
        due = [self._attempt_due_ms, self._retry_due_ms, self._filler_due_ms]
        match self.state:
            case RelayState.OPENING:
                due.append(self._since_ms + self.settings.give_up_ms)
            case RelayState.CARRYING:
                due.append(self._life_due_ms)
            case RelayState.SUMMARISING:
                due.append(self._since_ms + self.settings.summary_timeout_ms)
            case RelayState.FAILED:
                return None
            case _:
                pass
        return earliest(due)

    def expire(self, now_ms: int) -> list[Command]:
        """Act on what did not happen in time. Check `given_up` afterwards."""
        commands: list[Command] = []
        if self._attempt_due_ms is not None and now_ms >= self._attempt_due_ms:
            leg = self.next_leg
            commands.append(CloseLeg(leg))
            commands += self.closed(leg, "unreachable", "the session did not open in time", now_ms)
        if self._retry_due_ms is not None and now_ms >= self._retry_due_ms:
            if self.state is RelayState.JOINING:
                self._attempts = 0
            if self.model in self._dead:
                self.model = self._next_model(self._living)
            commands.append(self._open(now_ms))
        if self.state is RelayState.SUMMARISING and (
            now_ms >= self._since_ms + self.settings.summary_timeout_ms
        ):
            commands += self.summarised(now_ms)
        if self.state is RelayState.OPENING and (
            now_ms >= self._since_ms + self.settings.give_up_ms
        ):
            commands += self._give_up(now_ms)
        return commands

    def filler_due(self, now_ms: int) -> bool:
        """True once when the call has been without a model for too long to stay silent."""
        if self._filler_due_ms is None or now_ms < self._filler_due_ms:
            return False
        self._filler_due_ms = None
        return self.state is RelayState.OPENING

    def _move(self, happening: str, now_ms: int) -> None:
        before = self.state
        self.state = TRANSITIONS[before, happening]
        if self.state is not RelayState.OPENING or before is not RelayState.OPENING:
            self._since_ms = now_ms
