"""Our own recording of one stream: the caller left, the bot right, in step on the carrier's clock.

The caller stands where Twilio dated each frame, the bot where the ledger says that it was heard,
cut where an interruption cut it. Both are written `LAG_MS` behind the call, when all of that is
known, by the one thread that writes all recordings. The media path never waits: a disk that is full
or too slow ends the recording, not the call. The file is a valid WAV at every instant.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from app.bridge.recorder_tracks import BotSide, Sent, Track
from app.call.generation import Generation
from telecodecs import BYTES_PER_MS, ULAW_SILENCE, StereoWavWriter, WavEncoding

LAG_MS: Final = 2_500
"""Longer than any fence, and than keys that may come to be private wait to be told apart."""
COMMIT_EVERY_MS: Final = 1_000
BACKLOG_MS: Final = 30_000
"""So much may wait for a slow disk."""

PauseCause: TypeAlias = Literal["private digits", "asked"]


class Pen:
    """The one thread of the process that writes recordings. Each has one write under way at most,
    so what waits is bounded."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="recordings")

    def write(self, job: Callable[[], None]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._executor, job)


@dataclass(slots=True)
class Pause:
    """Silence on the recording. Times on the call's clock."""

    from_ms: int
    why: PauseCause
    to_ms: int | None = None


class Recorder:
    """One per stream. Belongs to one event loop. `from_ms`: the call's clock at its first sample.

    `on_fault` is told once when it ends before the call does, with what happened. `on_open` is run
    in the pen's thread before the file is made; it may raise `OSError`.
    """

    def __init__(
        self,
        path: Path,
        pen: Pen,
        now_ms: Callable[[], int],
        *,
        from_ms: int = 0,
        encoding: WavEncoding = "ulaw",
        on_fault: Callable[[str], None] = lambda what: None,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.from_ms = from_ms
        self.pauses: list[Pause] = []
        self.fault = ""
        """Why it ended before the call did."""
        self._pen = pen
        self._now_ms = now_ms
        self._encoding = encoding
        self._on_fault = on_fault
        self._on_open = on_open
        self._caller, self._bot_track = Track(), Track()
        self._bot = BotSide(self._bot_track)
        self._skew_ms: int | None = None
        """How far the carrier's clock is ahead of the call's; None before the first frame."""
        self._kept_from_ms: int | None = None
        """What is newer may come to be private, and must not be written yet."""
        self._committed = 0
        self._next_ms = from_ms + COMMIT_EVERY_MS
        self._file: StereoWavWriter | None = None
        self._writing: asyncio.Future[None] | None = None

    # What is heard

    def caller(self, ulaw: bytes, end_ms: int) -> None:
        """See `app.bridge.caller_path.Tape`."""
        if self.fault:
            return
        start_ms = end_ms - len(ulaw) // BYTES_PER_MS
        if self._skew_ms is None:
            self._skew_ms = start_ms - self._now_ms()
        self._caller.put((start_ms - self._skew_ms - self.from_ms) * BYTES_PER_MS, ulaw)

    def bot(self, generation: Generation, start: int, ulaw: bytes, guess_ms: int) -> None:
        """The carrier was sent this. `guess_ms`: when it plays, by our own clock."""
        if not self.fault:
            self._bot.sent(Sent(generation, start, ulaw, guess_ms))

    def marked(self) -> None:
        """The carrier said how far it has played."""
        if self._skew_ms is not None:
            self._bot.settle(self.from_ms, self._skew_ms)

    # What must not be heard

    def pause(self, from_ms: int, why: PauseCause) -> None:
        """Silence on both sides from there on, also in the past as far as it is not written."""
        if not self.paused:
            self.pauses.append(Pause(from_ms, why))

    def resume(self, at_ms: int) -> None:
        if self.paused:
            self.pauses[-1].to_ms = at_ms

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].to_ms is None

    def keep_back(self, from_ms: int | None) -> None:
        """Do not write what is newer, or (None) write again."""
        self._kept_from_ms = from_ms

    # Writing

    def tick(self, now_ms: int) -> None:
        """Call it several times a second."""
        if now_ms < self._next_ms or self.fault:
            return
        self._next_ms = now_ms + COMMIT_EVERY_MS
        until_ms = now_ms - LAG_MS
        if self._kept_from_ms is not None:
            until_ms = min(until_ms, self._kept_from_ms)
        until = (until_ms - self.from_ms) * BYTES_PER_MS
        if self._writing is not None and not self._writing.done():
            if until - self._committed > BACKLOG_MS * BYTES_PER_MS:
                self._fail("the disk is too slow")
            return
        if self._skew_ms is None or until <= self._committed or self._write_failed():
            return
        self._bot.settle(self.from_ms, self._skew_ms)
        self._bot.settle_by_clock(self.from_ms, until)
        self._commit(until)

    async def close(self) -> None:
        """The call is over and its ledger is settled: write what is left. Raises nothing."""
        await self._written()
        if self._skew_ms is not None and not self.fault:
            self._bot.settle(self.from_ms, self._skew_ms)
            self._bot.settle_by_clock(self.from_ms, self._caller.end)
            self._commit(max(self._caller.end, self._bot_track.end, self._committed))
            await self._written()
        self.resume(self.to_ms)
        if self._file is not None:
            self._writing = self._pen.write(self._file.close)
            await self._written()

    @property
    def to_ms(self) -> int:
        """Up to where it was written, on the call's clock."""
        return self.from_ms + self._committed // BYTES_PER_MS

    def as_json(self) -> dict[str, object]:
        """For the record."""
        return {
            "by": "own",
            "file": self.path.name if self._file is not None else None,
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "pauses": [asdict(pause) for pause in self.pauses],
            "fault": self.fault,
        }

    def _commit(self, until: int) -> None:
        start, self._committed = self._committed, until
        left, right = self._caller.take(until), self._bot_track.take(until)
        for from_, to in self._silent_spans(start, until):
            silence = ULAW_SILENCE * (to - from_)
            left = left[: from_ - start] + silence + left[to - start :]
            right = right[: from_ - start] + silence + right[to - start :]
        if left:
            self._writing = self._pen.write(lambda: self._append(left, right))

    def _silent_spans(self, start: int, until: int) -> list[tuple[int, int]]:
        """Of a stretch of the axis, what lies within pauses."""
        spans = []
        for pause in self.pauses:
            from_ = max(start, (pause.from_ms - self.from_ms) * BYTES_PER_MS)
            end = until if pause.to_ms is None else (pause.to_ms - self.from_ms) * BYTES_PER_MS
            if from_ < min(until, end):
                spans.append((from_, min(until, end)))
        return spans

    def _append(self, left: bytes, right: bytes) -> None:
        """In the pen's thread."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._on_open()
            self._file = StereoWavWriter(self.path, self._encoding, mode=0o600)
        self._file.write(left, right)

    async def _written(self) -> None:
        if self._writing is not None:
            await asyncio.wait({self._writing})
            self._write_failed()

    def _write_failed(self) -> bool:
        writing, self._writing = self._writing, None
        error = None if writing is None or not writing.done() else writing.exception()
        if error is None:
            return bool(self.fault)
        self._fail(_reason(error))
        return True

    def _fail(self, what: str) -> None:
        if not self.fault:
            self.fault = what
            self._on_fault(what)


def _reason(error: BaseException) -> str:
    """Without a path: it may name a user of the machine."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return type(error).__name__
