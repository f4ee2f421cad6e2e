"""The playout of a call whose model's side holds the telephone: it plays what it says, cuts it when
the caller speaks, and tells us. No audio comes here; the account is kept by answers, not by bytes.

    expected --began--> playing --ended--> over
    expected, playing --cut--> cut --told, or not in time--> over
    expected, playing --overdue--> over

An answer is expected as soon as words of it come. How much of a cut one was heard says the model's
side (`ItemTruncated`); where it does not in time, our clock does, from the beginning to the cut.
How long words take that nobody has timed yet is estimated by their letters (word_lengths.py).
A cut opens the next generation, as in playout.py; the verdict has the same form.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from app.call.axis import BYTES_PER_MS, FRAME_BYTES, ItemHeard
from app.call.commands import Command
from app.call.earliest import earliest
from app.call.generation import Settled, SettledBy
from app.call.playout import Playout
from app.call.playout_settings import PlayoutSettings
from app.call.word_lengths import words_of

BEGIN_WAIT_MS = 10_000
"""Words whose sound has not begun after so long will have none."""
END_WAIT_MS = 8_000
"""So long, and half as long again as its words take, an answer may play."""


class AnswerState(StrEnum):
    EXPECTED = "expected"
    PLAYING = "playing"
    CUT = "cut"
    OVER = "over"


TRANSITIONS: dict[tuple[AnswerState, str], AnswerState] = {
    (AnswerState.EXPECTED, "began"): AnswerState.PLAYING,
    (AnswerState.PLAYING, "ended"): AnswerState.OVER,
    (AnswerState.EXPECTED, "cut"): AnswerState.CUT,
    (AnswerState.PLAYING, "cut"): AnswerState.CUT,
    (AnswerState.CUT, "settled"): AnswerState.OVER,
    (AnswerState.EXPECTED, "overdue"): AnswerState.OVER,
    (AnswerState.PLAYING, "overdue"): AnswerState.OVER,
}


@dataclass(slots=True)
class Answer:
    """One response, as far as the caller hears it."""

    response_id: str
    since_ms: int
    """When it began to be in its present state, or, while expected, when words came last."""
    state: AnswerState = AnswerState.EXPECTED
    items: dict[str, float] = field(default_factory=dict)
    """In their order, with how long their words take, in ms."""
    began_ms: int | None = None
    cut_ms: int = 0
    truncated: tuple[str, int] | None = None
    """The item that was cut, and how many ms of it were heard."""

    @property
    def words_ms(self) -> float:
        return sum(self.items.values())

    @property
    def due_ms(self) -> int:
        """When something should have been heard of it."""
        if self.state is AnswerState.PLAYING:
            return self.since_ms + END_WAIT_MS + round(1.5 * self.words_ms)
        return self.since_ms + BEGIN_WAIT_MS

    def move(self, happening: str, now_ms: int) -> None:
        self.state, self.since_ms = TRANSITIONS[self.state, happening], now_ms

    def whole(self) -> list[ItemHeard]:
        """Its items, all heard."""
        return [self._item(item_id, ms, ms) for item_id, ms in self.items.items()]

    def heard(self, now_ms: int) -> Iterator[ItemHeard]:
        """Its items as far as they were heard, by the model's word or by the clock."""
        if self.truncated is not None and self.truncated[0] in self.items:
            yield from self._as_told(*self.truncated)
            return
        left_ms = 0.0 if self.began_ms is None else float(now_ms - self.began_ms)
        for item_id, ms in self.items.items():
            yield self._item(item_id, min(left_ms, ms), ms)
            left_ms = max(0.0, left_ms - ms)

    def _as_told(self, cut_id: str, heard_ms: int) -> Iterator[ItemHeard]:
        before = True
        for item_id, ms in self.items.items():
            if item_id == cut_id:
                before = False
                yield self._item(item_id, heard_ms, max(ms, heard_ms + 100))
            else:
                yield self._item(item_id, ms if before else 0, ms)

    def _item(self, item_id: str, heard_ms: float, received_ms: float) -> ItemHeard:
        received = max(FRAME_BYTES, round(received_ms) * BYTES_PER_MS)
        heard = received if heard_ms >= received_ms else round(heard_ms) * BYTES_PER_MS
        return ItemHeard(self.response_id, item_id, 0, heard, received)


class ServedPlayout(Playout):
    """See the module's text. It takes no audio: what concerns bytes, marks, sounds and holding has
    no effect here."""

    served = True

    def __init__(self, settings: PlayoutSettings | None = None) -> None:
        super().__init__(settings)
        self._open: dict[str, Answer] = {}
        """By response, oldest first: those that play or are expected."""
        self._cut: dict[int, list[Answer]] = {}
        """By generation, those whose verdict is awaited."""
        self._number = 0

    # What is told

    def says(self, response_id: str, item_id: str, text: str, now_ms: int) -> None:
        """Words came, to be heard after those before."""
        answer = self._answer(response_id, now_ms)
        answer.items[item_id] = answer.items.get(item_id, 0.0) + words_ms(text)
        if answer.state is AnswerState.EXPECTED:
            answer.since_ms = now_ms

    def began(self, response_id: str, now_ms: int) -> None:
        answer = self._answer(response_id, now_ms)
        if answer.state is AnswerState.EXPECTED:
            answer.move("began", now_ms)
            answer.began_ms = now_ms

    def ended(self, response_id: str, now_ms: int) -> list[ItemHeard]:
        """The items that were heard to their end."""
        answer = self._open.get(response_id)
        if answer is None or answer.state is not AnswerState.PLAYING:
            return []
        del self._open[response_id]
        answer.move("ended", now_ms)
        self._wait_anew(now_ms)
        return answer.whole()

    def lasted_ms(self, response_id: str, now_ms: int) -> int:
        """How long it has been playing."""
        answer = self._open.get(response_id)
        if answer is None or answer.began_ms is None:
            return 0
        return now_ms - answer.began_ms

    def truncated(self, item_id: str, heard_ms: int) -> bool:
        """The model's side says how much was heard of an item. False: it is none that plays or was
        cut."""
        for answer in [*self._open.values(), *(a for cut in self._cut.values() for a in cut)]:
            if item_id in answer.items:
                answer.truncated = (item_id, heard_ms)
                return True
        return False

    def plays(self, response_id: str) -> bool:
        """It is heard now, or is expected to be."""
        return response_id in self._open

    # Verdicts

    def verdicts(self, now_ms: int) -> list[Settled]:
        """Of generations that were cut: by the model's word, or by the clock when that has not come
        in time."""
        timeout_ms = self.settings.fence_timeout_ms
        known = [
            number
            for number, answers in self._cut.items()
            if any(answer.truncated is not None for answer in answers)
            or any(now_ms - answer.cut_ms >= timeout_ms for answer in answers)
        ]
        return [self._verdict(number, now_ms) for number in known]

    def _verdict(self, number: int, now_ms: int) -> Settled:
        answers = self._cut.pop(number)
        told = any(answer.truncated is not None for answer in answers)
        begun = any(answer.began_ms is not None for answer in answers)
        by: SettledBy = "model" if told else "clock" if begun else "unsent"
        for answer in answers:
            answer.move("settled", now_ms)
        items = [item for answer in answers for item in answer.heard(answer.cut_ms)]
        heard = sum(item.heard_bytes for item in items)
        received = sum(item.received_bytes for item in items)
        return Settled(number, by, heard, received, received, tuple(items))

    def overdue(self, now_ms: int) -> list[Answer]:
        """Answers of which should have been heard what was not; they count no more. Those that
        began were heard, as far as anybody knows."""
        late = [answer for answer in self._waiting if now_ms >= answer.due_ms]
        for answer in late:
            del self._open[answer.response_id]
            answer.move("overdue", now_ms)
        if late:
            self._wait_anew(now_ms)
        return late

    @property
    def _waiting(self) -> list[Answer]:
        """Whoever plays, else whoever comes next: the others wait for them."""
        playing = [a for a in self._open.values() if a.state is AnswerState.PLAYING]
        return playing or list(self._open.values())[:1]

    def _wait_anew(self, now_ms: int) -> None:
        for answer in self._open.values():
            if answer.state is AnswerState.EXPECTED:
                answer.since_ms = now_ms

    def _answer(self, response_id: str, now_ms: int) -> Answer:
        if response_id not in self._open:
            self._open[response_id] = Answer(response_id, now_ms)
        return self._open[response_id]

    # See `Playout`

    @property
    def generation(self) -> int:
        return self._number

    @property
    def cut_generation(self) -> int:
        return self._number

    @property
    def unplayed(self) -> bool:
        return bool(self._open)

    @property
    def cuttable(self) -> bool:
        return bool(self._open)

    @property
    def fenced(self) -> bool:
        return bool(self._cut)

    @property
    def play_end_ms(self) -> int:
        """By the length of the words."""
        end_ms = 0.0
        for answer in self._open.values():
            began_ms = answer.since_ms if answer.began_ms is None else answer.began_ms
            end_ms = max(end_ms, began_ms) + answer.words_ms
        return round(end_ms)

    @property
    def unsent_ms(self) -> int:
        return 0

    @property
    def due_ms(self) -> int | None:
        timeout_ms = self.settings.fence_timeout_ms
        fences_ms = [a.cut_ms + timeout_ms for cut in self._cut.values() for a in cut]
        return earliest((*fences_ms, *(answer.due_ms for answer in self._waiting)))

    @property
    def in_midstream(self) -> bool:
        return False

    def received_of(self, response_id: str) -> int:
        answer = self._open.get(response_id)
        return 0 if answer is None else round(answer.words_ms) * BYTES_PER_MS

    def items_of(self, response_id: str) -> list[str]:
        answer = self._open.get(response_id)
        return [] if answer is None else list(answer.items)

    def receive(
        self, response_id: str, item_id: str, content_index: int, n_bytes: int, now_ms: int
    ) -> list[Command]:
        return []

    def finish(self, now_ms: int) -> list[Command]:
        return []

    def release(self, now_ms: int) -> list[Command]:
        return []

    def cut(self, now_ms: int) -> tuple[list[Command], Settled | None]:
        """What is heard now, or was to be, is dead. The verdict at once where it is known."""
        number, answers = self._number, list(self._open.values())
        self._number += 1
        self._open = {}
        if not answers:
            return [], None
        for answer in answers:
            answer.move("cut", now_ms)
            answer.cut_ms = now_ms
        self._cut[number] = answers
        begun = any(answer.began_ms is not None for answer in answers)
        told = any(answer.truncated is not None for answer in answers)
        return [], None if begun and not told else self._verdict(number, now_ms)

    def begin_sound(self, now_ms: int) -> list[Command]:
        return []

    def end_sound(self, now_ms: int) -> list[Command]:
        return []

    def hold(self, now_ms: int) -> list[Command]:
        return []

    def expire(self, now_ms: int) -> list[Settled]:
        return self.verdicts(now_ms)

    def close(self, now_ms: int) -> list[Settled]:
        _, settled = self.cut(now_ms)
        verdicts = [self._verdict(number, now_ms) for number in list(self._cut)]
        return [*verdicts, *([settled] if settled is not None else [])]


def words_ms(text: str) -> float:
    """How long these words take to say, about."""
    return sum(word.spoken_ms + word.pause_ms for word in words_of(text))
