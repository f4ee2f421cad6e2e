"""The two voices of one measured call, each written at one end and checked at the other.

Both ends of every call live in the load generator, so one clock dates a byte's departure and its
arrival. Times are seconds of that clock; audio is μ-law, 8 bytes a millisecond.
"""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.load_tape import TapeReader, origin_of, piece

FRAME_BYTES = 160
FRAME_MS = 20


def _no_times() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class Latencies:
    """In seconds."""

    to_model_s: "array[float]" = field(default_factory=_no_times)
    """Each caller frame: from the phone's send to its last byte at the model."""
    to_phone_s: "array[float]" = field(default_factory=_no_times)
    """Each answer: from the model's first audio delta to its first byte at the phone."""


class Samples:
    """Where all calls put their latencies while somebody wants them."""

    def __init__(self) -> None:
        self.now: Latencies | None = None

    @contextmanager
    def opened(self) -> Iterator[Latencies]:
        self.now = taken = Latencies()
        try:
            yield taken
        finally:
            self.now = None


class CallerVoice:
    """From the phone to the model."""

    def __init__(self, number: int, samples: Samples) -> None:
        self.reader = TapeReader(origin_of(number))
        self.frames = 0
        self._samples = samples
        self._sent_s = array("d")

    def next_frame(self, now_s: float) -> bytes:
        frame = piece(self.reader.origin, self.frames * FRAME_BYTES, FRAME_BYTES)
        self.frames += 1
        self._sent_s.append(now_s)
        return frame

    def heard(self, audio: bytes, now_s: float) -> None:
        """What an append brought to the model."""
        before = self.reader.position
        self.reader.read(audio)
        if self._samples.now is not None:
            whole = range(before // FRAME_BYTES, self.reader.position // FRAME_BYTES)
            latencies = (now_s - self._sent_s[frame] for frame in whole)
            self._samples.now.to_model_s.extend(latencies)

    @property
    def missing_bytes(self) -> int:
        """Sent and not at the model, or not yet."""
        return self.reader.lost + self.frames * FRAME_BYTES - self.reader.position


@dataclass(slots=True)
class Answer:
    """One answer on the bot voice's axis, in bytes."""

    start: int
    end: int
    began_s: float
    """When its first audio left the model."""


class BotVoice:
    """From the model to the phone. An answer's last frame may be filled up with silence."""

    def __init__(self, number: int, samples: Samples) -> None:
        self.reader = TapeReader(origin_of(number + 30_000))
        self.sent = 0
        self.answers = 0
        self.wrong_silence = 0
        """Bytes of silence anywhere but in the last frame of an answer."""
        self._samples = samples
        self._open: list[Answer] = []
        """Answers that were not heard to their end, oldest first."""
        self._filling = 0
        """Bytes of silence that may still fill the answer that was heard last."""

    def begin(self, n_bytes: int, now_s: float) -> None:
        """The model starts to say an answer of this length."""
        self._open.append(Answer(self.sent, self.sent + n_bytes, now_s))
        self.answers += 1

    def next_piece(self, n_bytes: int) -> bytes:
        """The next bytes of what the model says."""
        said = piece(self.reader.origin, self.sent, n_bytes)
        self.sent += n_bytes
        return said

    @property
    def within_answer(self) -> bool:
        """True when the phone has heard a part of an answer and not all of it."""
        return bool(self._open) and self._open[0].start < self.reader.position < self._open[0].end

    def heard(self, audio: bytes, now_s: float, *, dry_at_s: float) -> None:
        """What a media message brought. `dry_at_s`: when the phone's buffer runs dry, or ran.

        An answer that began while another was still played waits for it by design, so its latency
        is not counted.
        """
        if self._samples.now is not None and self._open:
            answer = self._open[0]
            if self.reader.position == answer.start and dry_at_s <= answer.began_s:
                self._samples.now.to_phone_s.append(now_s - answer.began_s)
        before = self.reader.silence
        self.reader.read(audio)
        self._finish_answers()
        added = self.reader.silence - before
        if added:
            self.wrong_silence += max(0, added - self._filling)
            self._filling = max(0, self._filling - added)

    def _finish_answers(self) -> None:
        while self._open and self._open[0].end <= self.reader.position:
            answer = self._open.pop(0)
            self._filling = (answer.start - answer.end) % FRAME_BYTES

    @property
    def missing_bytes(self) -> int:
        """Said and not at the phone, or not yet."""
        return self.reader.lost + self.sent - self.reader.position


class LoadCall:
    """One call of the load: its number, its voices."""

    def __init__(self, number: int, samples: Samples) -> None:
        self.number = number
        self.over = False
        """The caller has hung up."""
        self.caller = CallerVoice(number, samples)
        self.bot = BotVoice(number, samples)

    @property
    def lost_bytes(self) -> int:
        """Known to be lost: later ones have come."""
        return self.caller.reader.lost + self.bot.reader.lost

    @property
    def wrong_bytes(self) -> int:
        """Bytes repeated, invented, or silent where there must be speech; both ways."""
        readers = (self.caller.reader, self.bot.reader)
        return self.bot.wrong_silence + sum(r.repeated + r.foreign for r in readers)
