"""One owner of `response.create`: one answer at a time, nobody answered twice, none forgotten.

    idle --want--> requested --created--> active --finished--> idle
    idle --created (the model began by itself)--> active
    requested --conflict (another response is running)--> active
    requested, active --nothing happens for too long--> idle, asked once more, then given up
    requested, active --the model's session is gone--> idle, asked again when the next one is there

While the caller has the floor, and until the model has begun its answer to what was said, nothing
is requested: that answer will see everything that was put into the conversation before it. What was
put in while that answer was already on its way to us may not be in it, and is asked for again: so
is everything that was put in after a request of ours, since the model reads in order.
A response that the caller interrupted is dead: its late audio is dropped by its id. An interruption
of a response that was requested but not created yet is remembered and cancels it at its creation.
A request that was given up and is created after all counts as the answer to the one asked instead.
Vendor facts: one response at a time may write to the conversation; audio of a cancelled response
may still be in flight (OpenAI guide: realtime conversations).
"""

from dataclasses import dataclass
from enum import StrEnum

from app.call.commands import CancelResponse, Command, CreateResponse

MEMORY = 64
"""Responses and requests remembered as dead or complete: what concerns them comes soon."""
CROSSING_MS = 250
"""A wish as young as this may have crossed with the answer that the model began by itself."""


def remember(ids: dict[str, None], id_: str) -> None:
    ids[id_] = None
    while len(ids) > MEMORY:
        del ids[next(iter(ids))]


class ResponseState(StrEnum):
    IDLE = "idle"
    REQUESTED = "requested"
    ACTIVE = "active"


TRANSITIONS: dict[tuple[ResponseState, str], ResponseState] = {
    (ResponseState.IDLE, "want"): ResponseState.REQUESTED,
    (ResponseState.IDLE, "created"): ResponseState.ACTIVE,
    (ResponseState.REQUESTED, "created"): ResponseState.ACTIVE,
    (ResponseState.REQUESTED, "conflict"): ResponseState.ACTIVE,
    (ResponseState.REQUESTED, "silence"): ResponseState.IDLE,
    (ResponseState.REQUESTED, "lost"): ResponseState.IDLE,
    (ResponseState.ACTIVE, "created"): ResponseState.ACTIVE,
    (ResponseState.ACTIVE, "conflict"): ResponseState.ACTIVE,
    (ResponseState.ACTIVE, "finished"): ResponseState.IDLE,
    (ResponseState.ACTIVE, "silence"): ResponseState.IDLE,
    (ResponseState.ACTIVE, "lost"): ResponseState.IDLE,
}


@dataclass(frozen=True, slots=True)
class ResponseSettings:
    server_answers: bool = True
    """The model begins a response by itself when the caller's turn ends."""
    server_cancels: bool = True
    """The model cancels its response by itself when the caller begins to speak."""
    answer_timeout_ms: int = 5_000
    """Longest wait for a response to begin, after a request or a caller's turn."""
    stall_timeout_ms: int = 8_000
    """Longest silence of the model within a response."""
    max_stalls: int = 2
    """After this many in a row the model is given up."""


class Responses:
    """See the module's text. Times are call-clock milliseconds."""

    def __init__(self, settings: ResponseSettings | None = None) -> None:
        self.settings = settings or ResponseSettings()
        self.state = ResponseState.IDLE
        self.active_id = ""
        self.stalls = 0
        self._dead: dict[str, None] = {}
        self._complete: dict[str, None] = {}
        self._pending: str | None = None
        self._pending_since_ms = 0
        self._requested: CreateResponse | None = None
        self._doomed: dict[str, None] = {}
        self._since_ms = 0
        self._caller_has_floor = False
        self._answer_awaited_ms: int | None = None
        self._requests = 0
        self._instructions = ""
        """Of the response that is running, where it was asked for."""
        self._active_request = ""
        """The request that it answers; "": the model began by itself."""
        self._away = False
        """The model cannot be heard; what it owes is not late."""
        self.nobody_answers = False
        """No session carries the call; what is wished for waits."""
        self.withheld = False
        """Something must be said before all else (`ask_first`); what is wished for waits, and what
        the model begins by itself is not heard."""
        self.usual = ""
        """Instructions of the next answer that has none of its own."""

    @property
    def still(self) -> bool:
        """Nothing is asked for, awaited or running, dead or alive, nor wished for, unless that has
        to wait for another leg anyhow."""
        wished = self._pending is not None and not self.nobody_answers
        waits = wished or self._answer_awaited_ms is not None
        return self.state is ResponseState.IDLE and not waits

    @property
    def owed(self) -> bool:
        """The caller waits for an answer that has not come whole."""
        waits = self._pending is not None or self._answer_awaited_ms is not None
        return waits or self.busy

    @property
    def busy(self) -> bool:
        """A response was requested or is running, and was not interrupted."""
        if self.state is ResponseState.REQUESTED:
            return self._requested is not None and self._requested.request_id not in self._doomed
        return self.state is ResponseState.ACTIVE and self.active_id not in self._dead

    @property
    def given_up(self) -> bool:
        return self.stalls >= self.settings.max_stalls

    def alive(self, response_id: str) -> bool:
        """False for a response whose audio and text must be dropped."""
        return response_id not in self._dead

    def want(self, instructions: str, now_ms: int) -> list[Command]:
        """Ask for an answer as soon as nothing stands against it. A wish with instructions that
        waits already is not replaced by one without: the answer to it sees everything anyhow."""
        self._pending, self._pending_since_ms = instructions or self._pending or "", now_ms
        return self._pump(now_ms)

    def want_nothing(self) -> None:
        """The call is being ended: what was wished for and not yet asked for is forgotten."""
        self._pending = None

    # What comes before all else

    @property
    def free(self) -> bool:
        """A request would go out at once."""
        waits = self._caller_has_floor or self._answer_awaited_ms is not None
        return self.state is ResponseState.IDLE and not waits and not self.nobody_answers

    def ask_first(self, instructions: str, now_ms: int) -> CreateResponse:
        """Ask for what everything else waits for; only while `withheld` and `free`. Whoever asks
        sees by `pursues` when it has to be asked for again."""
        return self._request(instructions, now_ms)

    def pursues(self, request_id: str) -> bool:
        """This request waits for its answer, or is being answered, and nobody interrupted it."""
        if self._requested is not None and self._requested.request_id == request_id:
            return self.busy
        return self.busy and self._active_request == request_id

    def release(self, now_ms: int) -> list[Command]:
        """What had to come first has come."""
        self.withheld = False
        return self._pump(now_ms)

    # What the model tells

    def created(self, response_id: str, request_id: str, now_ms: int) -> list[Command]:
        self._move("created", now_ms)
        self.active_id, self._active_request = response_id, request_id
        self._instructions = ""
        if self._requested is not None and self._requested.request_id == request_id:
            self._instructions, self._requested = self._requested.instructions, None
        elif request_id and self._requested is not None:
            remember(self._doomed, self._requested.request_id)
        if request_id in self._doomed:
            return self._kill_active(cancel=True)
        self._answer_awaited_ms = None
        if not request_id and self.withheld:
            self._pending = self._pending or ""
            return self._kill_active(cancel=True)
        self.usual = ""
        if not request_id and now_ms - self._pending_since_ms > CROSSING_MS:
            self._pending = None
        return []

    def progressed(self, now_ms: int) -> None:
        """The model sent something of its response."""
        self._since_ms = now_ms

    def unheard(self, away: bool, now_ms: int) -> None:
        """The model cannot be heard for a while, or is heard again: then it has its full time."""
        self._away, self._since_ms = away, now_ms
        if self._answer_awaited_ms is not None:
            self._answer_awaited_ms = now_ms

    def complete(self, response_id: str) -> bool:
        """True when the response came to its own end before anybody interrupted it."""
        return response_id in self._complete

    def finished(self, response_id: str, now_ms: int, *, completed: bool) -> list[Command]:
        if completed and response_id not in self._dead:
            remember(self._complete, response_id)
        if self.state is not ResponseState.ACTIVE or self.active_id not in ("", response_id):
            return []
        self._move("finished", now_ms)
        if response_id not in self._dead:
            self.stalls = 0
        return self._pump(now_ms)

    def conflicted(self, request_id: str, now_ms: int) -> None:
        """Our request was refused because a response is running; ask again when that is done."""
        if self._requested is None or self._requested.request_id != request_id:
            return
        if request_id not in self._doomed:
            self._owe(self._requested.instructions)
        self._requested = None
        if self.state is ResponseState.REQUESTED:
            self.active_id = ""
            self._move("conflict", now_ms)

    def caller_started(self) -> None:
        self._caller_has_floor = True
        self._answer_awaited_ms = None

    def caller_stopped(self, now_ms: int) -> list[Command]:
        self._caller_has_floor = False
        if not self.settings.server_answers:
            return self.want(self._pending or "", now_ms)
        self._answer_awaited_ms = now_ms
        return []

    def caller_silent(self, now_ms: int) -> list[Command]:
        """What the caller said was no turn: nothing is owed for it."""
        self._caller_has_floor = False
        return self._pump(now_ms)

    def interrupt(self, *, by_us: bool = False) -> list[Command]:
        """The caller took the floor: whatever was asked for or is running is dead. `by_us`: we end
        it, and the model hears of it from us alone."""
        self._pending = None
        if self._requested is not None:
            remember(self._doomed, self._requested.request_id)
        if self.state is ResponseState.ACTIVE and self.active_id not in self._dead:
            return self._kill_active(cancel=by_us or not self.settings.server_cancels)
        return []

    def leg_lost(self, now_ms: int, *, go_on: str) -> None:
        """The session is gone, with what it owed: that is asked of the next one. `go_on`: the
        instructions where an answer broke off; "" where none of it had come. They stand in for a
        wish without any that waits: the answer to them sees everything anyhow."""
        owed: str | None = None
        if self.withheld:
            owed = None if self._answer_awaited_ms is None else ""
        elif self._requested is not None and self.busy:
            owed = self._requested.instructions
        elif self.state is ResponseState.ACTIVE and self.busy:
            owed = go_on or self._instructions
        elif self._answer_awaited_ms is not None:
            owed = ""
        if owed is not None:
            self._pending = self._pending or owed
        if self.state is ResponseState.ACTIVE and self.active_id:
            remember(self._dead, self.active_id)
        self._requested = self._answer_awaited_ms = None
        self._away = False
        self.nobody_answers = True
        if self.state is not ResponseState.IDLE:
            self._move("lost", now_ms)

    def leg_taken(self, now_ms: int) -> list[Command]:
        """A session carries the call: ask it for what is owed."""
        self.nobody_answers = False
        return self._pump(now_ms)

    @property
    def due_ms(self) -> int | None:
        if self._away:
            return None
        due = []
        if self._answer_awaited_ms is not None:
            due.append(self._answer_awaited_ms + self.settings.answer_timeout_ms)
        if self.state is ResponseState.REQUESTED:
            due.append(self._since_ms + self.settings.answer_timeout_ms)
        elif self.state is ResponseState.ACTIVE:
            due.append(self._since_ms + self.settings.stall_timeout_ms)
        return min(due, default=None)

    def expire(self, now_ms: int) -> list[Command]:
        """Act on what did not happen in time. Check `given_up` afterwards."""
        commands: list[Command] = []
        if self._away:
            return commands
        s = self.settings
        if self.state is ResponseState.REQUESTED and now_ms >= self._since_ms + s.answer_timeout_ms:
            if self.busy and self._requested is not None:
                commands += self._stalled(self._requested.instructions)
            self._requested = None
            self._move("silence", now_ms)
        if self.state is ResponseState.ACTIVE and now_ms >= self._since_ms + s.stall_timeout_ms:
            if self.active_id not in self._dead:
                commands += self._stalled("")
            self._move("silence", now_ms)
        if self._answer_awaited_ms is not None and (
            now_ms >= self._answer_awaited_ms + s.answer_timeout_ms
        ):
            self._answer_awaited_ms = None
            if self._pending is None and not self.busy:
                commands += self._stalled("")
                self._pending = ""
        return commands if self.given_up else commands + self._pump(now_ms)

    def _stalled(self, instructions: str) -> list[Command]:
        self.stalls += 1
        self._requested = None
        self._owe(instructions)
        if self.state is ResponseState.ACTIVE and self.active_id not in self._dead:
            return self._kill_active(cancel=True)
        return []

    def _owe(self, instructions: str) -> None:
        """Ask again; not for what comes before all else, which somebody watches over."""
        if not self.withheld:
            self._pending = instructions

    def _kill_active(self, *, cancel: bool) -> list[Command]:
        if not self.active_id:
            return []
        remember(self._dead, self.active_id)
        if not cancel:
            return []
        return [CancelResponse(f"cancel-{self.active_id}", self.active_id)]

    def _pump(self, now_ms: int) -> list[Command]:
        if self._pending is None or self.withheld or not self.free:
            return []
        wished, self._pending = self._pending or self.usual, None
        self.usual = ""
        return [self._request(wished, now_ms)]

    def _request(self, instructions: str, now_ms: int) -> CreateResponse:
        self._requests += 1
        self._requested = CreateResponse(f"create-{self._requests}", instructions)
        self._move("want", now_ms)
        return self._requested

    def _move(self, happening: str, now_ms: int) -> None:
        self.state = TRANSITIONS[self.state, happening]
        self._since_ms = now_ms
