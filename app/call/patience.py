"""How long the agent waits for a caller who says nothing, and how long a call may last.

Nobody speaks, thinks or runs a tool: the line is quiet. After a while of that the caller is asked
whether they are still there; counting begins anew when the question has been played. When all
questions went unanswered the call is given up. A caller who asked for a moment is left alone for
longer. Whatever the caller says or presses is an answer, also in the middle of a question.

    quiet --after_ms--> prompt, prompt ... --after_ms--> give_up
    any --caller_spoke--> the first prompt again
    any --max_call_ms - warn_before_ms--> warn --warn_before_ms--> too_long

`give_up` and `too_long` come once; a caller who speaks takes back the former, never the latter.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.call.earliest import earliest

LapseKind: TypeAlias = Literal["nothing", "prompt", "give_up", "warn", "too_long"]


@dataclass(frozen=True, slots=True)
class PatienceSettings:
    """Times in ms; texts are instructions to the model. Raises `ValueError` for values that
    contradict each other."""

    prompts: tuple[str, ...] = (
        "The caller has said nothing for a while. Ask in a few words whether they are still there.",
        "The caller still says nothing. Say in one short sentence that you cannot hear them and "
        "that you will have to end the call soon.",
    )
    """What is said when the caller is silent, one after the other. None: the call is given up
    after the first silence."""
    give_up: str = (
        "The caller does not answer any more. Say goodbye in one short sentence, and that they are "
        "welcome to call again."
    )
    warning: str = (
        "This call must end in a short while. Tell the caller so in one short sentence and go on "
        "with what matters most."
    )
    too_long: str = (
        "The time for this call is over. Say so kindly in one short sentence and say goodbye."
    )
    after_ms: int = 8_000
    """Quiet before each prompt, and before the call is given up. 0: silence is never broken."""
    hold_ms: int = 180_000
    """How long a caller who asked for a moment is left alone."""
    max_call_ms: int = 0
    """Longest call. 0: as long as it takes."""
    warn_before_ms: int = 60_000
    """How long before its end the caller is told. 0: not at all."""

    def __post_init__(self) -> None:
        least = min(self.after_ms, self.hold_ms, self.max_call_ms, self.warn_before_ms)
        if least < 0:
            raise ValueError(
                "expected after_ms, hold_ms, max_call_ms and warn_before_ms of at least 0, got "
                f"{self.after_ms}, {self.hold_ms}, {self.max_call_ms} and {self.warn_before_ms}"
            )
        if self.max_call_ms and self.warn_before_ms >= self.max_call_ms:
            raise ValueError(
                f"expected warn_before_ms below max_call_ms, which is {self.max_call_ms}, got "
                f"{self.warn_before_ms}; 0 gives no warning"
            )


@dataclass(frozen=True, slots=True)
class Lapse:
    """What is to be done because time has passed."""

    kind: LapseKind
    instructions: str = ""
    """What the agent is to say."""
    stage: int = 0
    """Which prompt, from 1."""


NOTHING: Final = Lapse("nothing")


class Patience:
    """One per call. Times are call-clock milliseconds."""

    __slots__ = (
        "_began_ms",
        "_gave_up",
        "_hold_until_ms",
        "_quiet_since_ms",
        "_stage",
        "_too_long",
        "_warned",
        "settings",
    )

    def __init__(self, settings: PatienceSettings | None = None) -> None:
        self.settings = settings or PatienceSettings()
        self._began_ms: int | None = None
        self._quiet_since_ms: int | None = None
        self._hold_until_ms: int | None = None
        self._stage = 0
        """Prompts since the caller last spoke."""
        self._gave_up = False
        self._warned = False
        self._too_long = False

    @property
    def holding(self) -> bool:
        """The caller asked for a moment and has not come back. Stays true when `hold_ms` is over,
        until they do."""
        return self._hold_until_ms is not None

    def begin(self, now_ms: int) -> None:
        """The call is there: its length counts from here. Only the first time counts."""
        if self._began_ms is None:
            self._began_ms = now_ms

    def idle(self, now_ms: int, *, quiet: bool) -> None:
        """Tell after every step whether the line is quiet: all was played, nobody speaks, no
        answer is awaited, no tool runs, no keys are gathered."""
        if not quiet:
            self._quiet_since_ms = None
        elif self._quiet_since_ms is None:
            self._quiet_since_ms = now_ms

    def caller_spoke(self, now_ms: int) -> None:
        """The caller took the floor or pressed a key. A noise is no answer: tell nothing of it."""
        self._stage = 0
        self._gave_up = False
        self._count_anew(now_ms)

    def caller_holds(self, now_ms: int) -> None:
        """The caller asked for a moment."""
        self.caller_spoke(now_ms)
        self._hold_until_ms = now_ms + self.settings.hold_ms

    def caller_back(self, now_ms: int) -> None:
        """The caller said something that is no wish for a moment."""
        self.caller_spoke(now_ms)
        self._hold_until_ms = None

    @property
    def due_ms(self) -> int | None:
        """When `expire` has something to say."""
        return earliest((self._silence_due_ms, self._warn_due_ms, self._end_due_ms))

    def expire(self, now_ms: int) -> Lapse:
        """One thing at a time, the last word first. Nothing new comes before `due_ms`."""
        s = self.settings
        if _reached(self._end_due_ms, now_ms):
            self._too_long = True
            return Lapse("too_long", s.too_long)
        if _reached(self._warn_due_ms, now_ms):
            self._warned = True
            self._count_anew(now_ms)
            return Lapse("warn", s.warning)
        if _reached(self._silence_due_ms, now_ms):
            return self._silent(now_ms)
        return NOTHING

    def _silent(self, now_ms: int) -> Lapse:
        self._count_anew(now_ms)
        if self._stage < len(self.settings.prompts):
            self._stage += 1
            return Lapse("prompt", self.settings.prompts[self._stage - 1], self._stage)
        self._gave_up = True
        return Lapse("give_up", self.settings.give_up)

    def _count_anew(self, now_ms: int) -> None:
        # A prompt that the model never speaks must not be asked for at every step.
        if self._quiet_since_ms is not None:
            self._quiet_since_ms = now_ms

    @property
    def _silence_due_ms(self) -> int | None:
        never = not self.settings.after_ms or self._gave_up or self._too_long
        if never or self._quiet_since_ms is None:
            return None
        due_ms = self._quiet_since_ms + self.settings.after_ms
        return due_ms if self._hold_until_ms is None else max(due_ms, self._hold_until_ms)

    @property
    def _warn_due_ms(self) -> int | None:
        s = self.settings
        done = self._warned or self._gave_up or self._too_long
        if done or self._began_ms is None or not s.max_call_ms or not s.warn_before_ms:
            return None
        return self._began_ms + s.max_call_ms - s.warn_before_ms

    @property
    def _end_due_ms(self) -> int | None:
        if self._too_long or self._began_ms is None or not self.settings.max_call_ms:
            return None
        return self._began_ms + self.settings.max_call_ms


def _reached(due_ms: int | None, now_ms: int) -> bool:
    return due_ms is not None and now_ms >= due_ms
