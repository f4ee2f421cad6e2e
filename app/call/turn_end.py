"""When the caller's turn is over, where we decide it: by silence, and by what was said.

    idle --voice--> speaking --stopped--> paused --commit, after the least silence--> waiting
    waiting --words--> judging (is it complete, as far as a text model can tell?)
    judging --complete--> idle: the turn is over at once
    judging --incomplete--> patient: the caller thinks, and is waited for longest
    paused, waiting, judging, patient --voice--> speaking: the same turn goes on
    waiting, judging, patient --end, in time--> idle: the turn is over
    any but idle --drop--> idle: that was no turn

At the least silence what was said is committed, so that its words become known; a turn with pauses
is made of several pieces, each an item of the model's. The longer waits begin at the end of the
caller's voice too, so what the words take is not added to them; a judge who was asked is waited
for.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias


class TurnState(StrEnum):
    IDLE = "idle"
    SPEAKING = "speaking"
    PAUSED = "paused"
    WAITING = "waiting"
    JUDGING = "judging"
    PATIENT = "patient"


_S = TurnState
TRANSITIONS: dict[tuple[TurnState, str], TurnState] = {
    (_S.IDLE, "voice"): _S.SPEAKING,
    (_S.SPEAKING, "stopped"): _S.PAUSED,
    (_S.SPEAKING, "drop"): _S.IDLE,
    (_S.PAUSED, "voice"): _S.SPEAKING,
    (_S.PAUSED, "commit"): _S.WAITING,
    (_S.PAUSED, "drop"): _S.IDLE,
    (_S.WAITING, "voice"): _S.SPEAKING,
    (_S.WAITING, "words"): _S.JUDGING,
    (_S.WAITING, "complete"): _S.IDLE,
    (_S.WAITING, "incomplete"): _S.PATIENT,
    (_S.WAITING, "end"): _S.IDLE,
    (_S.WAITING, "drop"): _S.IDLE,
    (_S.JUDGING, "voice"): _S.SPEAKING,
    (_S.JUDGING, "complete"): _S.IDLE,
    (_S.JUDGING, "incomplete"): _S.PATIENT,
    (_S.JUDGING, "end"): _S.IDLE,
    (_S.JUDGING, "drop"): _S.IDLE,
    (_S.PATIENT, "voice"): _S.SPEAKING,
    (_S.PATIENT, "end"): _S.IDLE,
    (_S.PATIENT, "drop"): _S.IDLE,
}
"""`complete` and `incomplete` in `waiting`: the same words were judged before."""


@dataclass(frozen=True, slots=True)
class TurnEndSettings:
    """Raises `ValueError` for waits that contradict each other."""

    min_silence_ms: int = 300
    """No turn ends sooner after the caller's voice."""
    more_silence_ms: int = 500
    """Waited in addition while nothing says that the turn is complete."""
    max_silence_ms: int = 2_000
    """Longest silence, for a turn that was judged incomplete."""
    judge: bool = False
    """A text model is asked whether what was said is complete."""
    ahead: bool = False
    """The answer is asked for when what was said is committed, and taken back if more comes."""
    judge_wait_ms: int = 500
    """How long its verdict may take; until then the turn does not end."""

    def __post_init__(self) -> None:
        if self.min_silence_ms < 1 or min(self.more_silence_ms, self.judge_wait_ms) < 0:
            raise ValueError(
                "expected min_silence_ms >= 1, more_silence_ms >= 0 and judge_wait_ms >= 0, got "
                f"{self.min_silence_ms}, {self.more_silence_ms} and {self.judge_wait_ms}"
            )
        if self.max_silence_ms < self.usual_silence_ms:
            raise ValueError(
                f"expected max_silence_ms >= min_silence_ms + more_silence_ms, got "
                f"{self.max_silence_ms} < {self.min_silence_ms} + {self.more_silence_ms}"
            )

    @property
    def usual_silence_ms(self) -> int:
        """The silence that ends a turn of which nothing is known."""
        return self.min_silence_ms + self.more_silence_ms


@dataclass(frozen=True, slots=True)
class Commit:
    """Make what was said since the last commit an item: `committed` and `words` will tell."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Ask whether this is complete: `judged` will tell."""

    request_id: str
    text: str
    """What the caller said in this turn so far."""


@dataclass(frozen=True, slots=True)
class End:
    """The turn is over: answer it."""

    why: Literal["complete", "silence", "longest", "no_words"]
    """It was judged complete; nothing more was said in time; so too, although it was judged
    incomplete; and no words were known to be judged."""
    silence_ms: int
    """From the end of the caller's voice to this decision."""
    pieces: int
    """How many commits the turn is made of."""
    item_ids: tuple[str, ...]
    """The items of those that are known."""
    words_ms: int | None
    """From the end of the voice until all words were known."""
    verdict: bool | None
    """What the judge said of all that was said; None: nothing, or not in time."""
    verdict_ms: int | None
    """From the question to the answer."""
    text: str = field(default="", compare=False)
    """What is known of what was said."""


Step: TypeAlias = Commit | Judge | End


class TurnEnd:
    """One per call. Times are call-clock milliseconds."""

    def __init__(self, settings: TurnEndSettings | None = None) -> None:
        self.settings = settings or TurnEndSettings()
        self.state = TurnState.IDLE
        self._questions = 0
        self._unnamed: list[bool] = []
        """Of the commits whose items are not known yet, oldest first, whether they belong to this
        turn."""
        self._forget()

    def _forget(self) -> None:
        self._ended_ms = 0
        """When the caller's voice ended last."""
        self._pieces = 0
        self._words: dict[str, str | None] = {}
        """By item, in the order of the commits. None: not known yet."""
        self._words_ms: int | None = None
        self._question = Judge("", "")
        """The newest one, if it has a text."""
        self._asked_ms = 0
        self._verdict_due_ms = 0
        """Until then it is waited for."""
        self._verdict: bool | None = None
        """The answer to it."""
        self._verdict_ms: int | None = None

    @property
    def voice(self) -> bool:
        return self.state is TurnState.SPEAKING

    @property
    def text(self) -> str:
        """What is known of what the caller said in this turn."""
        return " ".join(words for words in self._words.values() if words)

    # What happens

    def voice_started(self, now_ms: int) -> tuple[Step, ...]:
        """The caller is heard. What was due before is decided first."""
        steps = self.expire(now_ms)
        if not self.voice:
            self._move("voice")
        return steps

    def voice_stopped(self, ended_at_ms: int, now_ms: int) -> tuple[Step, ...]:
        """The caller's voice ended at `ended_at_ms`, as was noticed by now."""
        if not self.voice:
            return ()
        self._move("stopped")
        self._ended_ms = min(ended_at_ms, now_ms)
        self._words_ms = None
        return self.expire(now_ms)

    def committed(self, item_id: str) -> None:
        """A commit has become this item; they are told in the order of the commits."""
        if self._unnamed and self._unnamed.pop(0):
            self._words[item_id] = None

    def not_committed(self, now_ms: int) -> tuple[Step, ...]:
        """The oldest commit that `committed` has not told of was refused: it was too short."""
        steps = self.expire(now_ms)
        if self._unnamed and self._unnamed.pop(0):
            self._pieces -= 1
        return (*steps, *self._ask(now_ms))

    def words(self, item_id: str, text: str, now_ms: int) -> tuple[Step, ...]:
        """The words of an item are known; "" where it has none. Items of other turns count for
        nothing, and so does what is said of an item later."""
        steps = self.expire(now_ms)
        if item_id in self._words and self._words[item_id] is None:
            self._words[item_id] = text.strip()
        return (*steps, *self._ask(now_ms))

    def judged(self, request_id: str, complete: bool | None, now_ms: int) -> tuple[Step, ...]:
        """The answer to `Judge`; None: there is no verdict. One that is out of date counts for
        nothing."""
        steps = self.expire(now_ms)
        asked = bool(request_id) and request_id == self._question.request_id
        if not asked or self._verdict is not None:
            return steps
        if complete is None:
            self._verdict_due_ms = now_ms
            return (*steps, *self.expire(now_ms))
        self._verdict, self._verdict_ms = complete, now_ms - self._asked_ms
        if self.state is not TurnState.JUDGING:
            return steps
        return (*steps, *self._rule(complete, now_ms), *self.expire(now_ms))

    def drop(self) -> None:
        """What was heard was no turn: it does not end."""
        if self.state is not TurnState.IDLE:
            self._close("drop")

    # Time

    @property
    def due_ms(self) -> int | None:
        """When `expire` has something to decide."""
        match self.state:
            case TurnState.IDLE | TurnState.SPEAKING:
                return None
            case TurnState.PAUSED:
                return self._ended_ms + self.settings.min_silence_ms
            case TurnState.WAITING:
                return self._ended_ms + self.settings.usual_silence_ms
            case TurnState.JUDGING:
                s = self.settings
                usual_ms = self._ended_ms + s.usual_silence_ms
                return min(max(usual_ms, self._verdict_due_ms), self._ended_ms + s.max_silence_ms)
            case TurnState.PATIENT:
                return self._ended_ms + self.settings.max_silence_ms

    def expire(self, now_ms: int) -> tuple[Step, ...]:
        """Decide what is due."""
        steps: list[Step] = []
        while (due_ms := self.due_ms) is not None and now_ms >= due_ms:
            if self.state is TurnState.PAUSED:
                self._move("commit")
                self._pieces += 1
                self._unnamed.append(True)
                steps.append(Commit())
            else:
                steps.append(self._end(self._why, "end", now_ms))
        return tuple(steps)

    @property
    def _why(self) -> Literal["silence", "longest", "no_words"]:
        if self.state is TurnState.PATIENT:
            return "longest"
        asks = self.settings.judge and self.state is TurnState.WAITING
        return "no_words" if asks else "silence"

    @property
    def _known(self) -> bool:
        """The words of every piece are."""
        return self._pieces == sum(words is not None for words in self._words.values())

    def _ask(self, now_ms: int) -> tuple[Step, ...]:
        """Once all words of all pieces are known: the judge is asked, if there is one."""
        if self.state is not TurnState.WAITING or not self._known:
            return ()
        self._words_ms = now_ms - self._ended_ms
        text = self.text
        if not self.settings.judge or not text:
            return ()
        if text == self._question.text and self._verdict is not None:
            return (*self._rule(self._verdict, now_ms), *self.expire(now_ms))
        self._move("words")
        self._questions += 1
        self._question, self._asked_ms = Judge(f"turn-{self._questions}", text), now_ms
        self._verdict_due_ms = now_ms + self.settings.judge_wait_ms
        self._verdict = self._verdict_ms = None
        return (self._question,)

    def _rule(self, complete: bool, now_ms: int) -> tuple[Step, ...]:
        if complete:
            return (self._end("complete", "complete", now_ms),)
        self._move("incomplete")
        return ()

    def _end(
        self,
        why: Literal["complete", "silence", "longest", "no_words"],
        happening: str,
        now_ms: int,
    ) -> End:
        all_judged = self._known and self._question.text == self.text
        end = End(
            why,
            now_ms - self._ended_ms,
            self._pieces,
            tuple(self._words),
            self._words_ms,
            self._verdict if all_judged else None,
            self._verdict_ms if all_judged else None,
            self.text,
        )
        self._close(happening)
        return end

    def _close(self, happening: str) -> None:
        self._move(happening)
        self._unnamed = [False] * len(self._unnamed)
        self._forget()

    def _move(self, happening: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
