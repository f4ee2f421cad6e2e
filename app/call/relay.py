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
was lost is replaced at once; on which model, and how long later attempts wait, attempts.py says.
How long a leg may live, and whether it was of any use, stands in leg_life.py.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.call.attempts import Attempts
from app.call.commands import CloseLeg, Command, OpenLeg
from app.call.earliest import earliest
from app.call.events import CloseCause, LegCause
from app.call.leg_life import LegLife
from app.call.relay_settings import RelaySettings


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
        self.cause: LegCause = "start"
        """Why the newest leg was opened."""
        self._attempts = Attempts(self.settings)
        self._life = LegLife(self.settings)
        self._carrying_model = 0
        self._next_life_ms: int | None = None
        self._since_ms = 0
        """When the present state began; in OPENING, when the call lost its model."""
        self._filler_due_ms: int | None = None
        self._to_last = False
        """The next planned change goes to the last model of the list, not to the one that carries
        the call."""
        self._last = GivenUp("unreachable", "no session could be opened in time")
        self.given_up: GivenUp | None = None

    @property
    def model(self) -> int:
        """Which model of the list the newest leg has."""
        return self._attempts.model

    @property
    def must_take(self) -> bool:
        """A session is open and nothing carries the call."""
        return self.state is RelayState.CARRYING and self.next_leg != 0

    # Opening

    def begin(self, call_id: str, model: int, now_ms: int) -> OpenLeg:
        """The call starts: open its first leg."""
        self._attempts.begin(call_id, model)
        self._carrying_model = self.model
        self._enter_opening(now_ms)
        return self._open(now_ms)

    def ready(self, leg: int, lifetime_ms: int | None, now_ms: int) -> None:
        """A session is open. See `must_take` afterwards."""
        if leg == self.next_leg and self._attempts.opened():
            self._next_life_ms = lifetime_ms
            self._move("ready", now_ms)

    def take(self, now_ms: int) -> int:
        """The next leg carries the call from now on. Returns its number."""
        if self.state is RelayState.WAITING:
            self._move("switch", now_ms)
        self.leg, self.next_leg = self.next_leg, 0
        self._carrying_model = self.model
        self._filler_due_ms = None
        self._life.begin(self._next_life_ms, now_ms)
        return self.leg

    def fruitful(self) -> None:
        """The leg gave a whole answer."""
        self._life.fruitful()

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
        self._attempts.rule_out(self.model if leg == self.next_leg else self._carrying_model, cause)
        if leg == self.next_leg:
            self._move("closed", now_ms)
            self.next_leg = 0
            self._attempts.failed()
            return self._try_again(now_ms)
        self._life.lost(cause, now_ms, owed=owed)
        return self._lost(now_ms)

    def _lost(self, now_ms: int) -> list[Command]:
        self.leg = 0
        stands_by = self.state is RelayState.WAITING
        self.cause = "drop"
        if not self.next_leg:
            self._attempts.return_to(self._carrying_model)
        self._move("lost", now_ms)
        self._enter_opening(now_ms)
        if self._life.too_many_fruitless:
            return self._give_up(now_ms)
        if not self.next_leg:
            return self._try_again(now_ms)
        if stands_by:
            self._move("ready", now_ms)
        return []

    def _enter_opening(self, now_ms: int) -> None:
        s = self.settings
        self._since_ms = now_ms
        self._attempts.anew()
        self._filler_due_ms = now_ms + s.filler_after_ms if s.filler else None

    def _try_again(self, now_ms: int) -> list[Command]:
        """The next attempt: now, or when its wait is over."""
        attempts = self._attempts
        if not attempts.possible:
            return self._give_up(now_ms) if self.state is RelayState.OPENING else []
        if self.state is RelayState.JOINING:
            attempts.pause(now_ms + self.settings.rejoin_ms)
            return []
        if attempts.first:
            return [self._open(now_ms)]
        at_once = attempts.go_on(now_ms)
        if self.model != self._carrying_model:
            self.cause = "failover"
        return [self._open(now_ms)] if at_once else []

    def _open(self, now_ms: int) -> OpenLeg:
        opened = self._attempts.open(now_ms)
        self.next_leg = opened.leg
        return opened

    def _give_up(self, now_ms: int) -> list[Command]:
        self._move("give_up", now_ms)
        self.given_up = self._last
        commands: list[Command] = [CloseLeg(self.next_leg)] if self.next_leg else []
        self.next_leg = 0
        self._attempts.call_off()
        self._filler_due_ms = None
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
        to_last, self._to_last = self._to_last, False
        self._attempts.model = self._attempts.models - 1 if to_last else self._carrying_model
        return [self._open(now_ms)]

    def speaks(self, models: int) -> None:
        """Another agent is the one to open legs for; it names so many models."""
        self._attempts.of(models)

    def change(self, cause: LegCause, models: int, now_ms: int) -> list[Command]:
        """Prepare a leg for another agent, which names `models`, or for another language, now. A
        leg that was being prepared is not wanted any more."""
        commands: list[Command] = [CloseLeg(self.next_leg)] if self.next_leg else []
        self.speaks(models)
        self.next_leg = 0
        self._attempts.call_off()
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
        self._attempts.model = self._carrying_model
        self._attempts.call_off()
        self._move("called_off", now_ms)

    def prefer_last(self) -> None:
        """The next planned change goes to the last model of the list, whoever speaks then."""
        self._to_last = True

    def due_for_change(self, now_ms: int) -> LegCause | None:
        """Why the next leg must be prepared now, if time says so."""
        due_ms = self._life.due_ms
        if self.state is not RelayState.CARRYING or due_ms is None or now_ms < due_ms:
            return None
        return self._life.ending(now_ms)

    @property
    def quiet_wait_over_ms(self) -> int | None:
        """While a leg stands by: from then on only an answer in progress holds up the switch."""
        if self.state is not RelayState.WAITING:
            return None
        return self._life.before_end_ms(self._since_ms + self.settings.quiet_wait_ms, 4_000)

    @property
    def force_ms(self) -> int | None:
        """While a leg stands by: from then on nothing holds up the switch."""
        if self.state is not RelayState.WAITING:
            return None
        return self._life.before_end_ms(self._since_ms + self.settings.force_wait_ms, 2_000)

    # Time

    @property
    def due_ms(self) -> int | None:
        due = [self._attempts.due_ms, self._filler_due_ms]
        match self.state:
            case RelayState.CARRYING:
                due.append(self._life.due_ms)
            case RelayState.OPENING:
                due.append(self._since_ms + self.settings.give_up_ms)
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
        attempt_ms = self._attempts.due_ms
        if attempt_ms is not None and now_ms >= attempt_ms:
            commands += self._attempt_due(now_ms)
        if self.state is RelayState.SUMMARISING and (
            now_ms >= self._since_ms + self.settings.summary_timeout_ms
        ):
            commands += self.summarised(now_ms)
        if self.state is RelayState.OPENING and (
            now_ms >= self._since_ms + self.settings.give_up_ms
        ):
            commands += self._give_up(now_ms)
        return commands

    def _attempt_due(self, now_ms: int) -> list[Command]:
        commands: list[Command] = []
        if self._attempts.late(now_ms):
            leg = self.next_leg
            commands.append(CloseLeg(leg))
            commands += self.closed(leg, "unreachable", "the session did not open in time", now_ms)
        if self._attempts.rested(now_ms):
            commands.append(self._open(now_ms))
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
