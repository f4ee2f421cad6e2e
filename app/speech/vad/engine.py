"""Voice detection for all calls of a worker: streams collect, one run a tick hears what they have.

`feed` costs next to nothing and infers nothing. Whoever ticks for the worker calls `run`, which
puts the complete windows of all streams into one batch, then tells the listeners what changed.
"""

from typing import Final

from app.speech.vad.changes import VoiceChange
from app.speech.vad.gate import Gate
from app.speech.vad.hearing import Hearing, HearingSettings
from app.speech.vad.scorer import Scorer
from app.speech.vad.stream import Listener, VoiceStream
from telecodecs import BYTES_PER_MS

WARM_UP_WINDOWS: Final = 2
"""Heard again before the sound that opened the gate. The detector keeps what it remembers over the
silence: begun anew, it finds the next onset about 70 ms later (p90)."""
ROUNDS: Final = 4
"""Windows of one stream in one run. After a stall the rest waits for the next runs, so that no tick
takes long; at a tick of 10 ms this catches up more than ten times as fast as people speak."""


class VoiceEngine:
    """One per worker, on one thread."""

    def __init__(
        self, scorer: Scorer, settings: HearingSettings | None = None, gate: Gate | None = None
    ) -> None:
        """`gate` None: everything is inferred, silence too."""
        self._scorer = scorer
        self.window_bytes = scorer.window_bytes
        self._settings = settings or HearingSettings()
        self._gate = gate
        self._streams: set[VoiceStream] = set()
        self._due: dict[VoiceStream, None] = {}
        self._news: list[tuple[VoiceStream, VoiceChange]] = []
        self.inferred_windows = 0
        self.batches = 0

    @property
    def due(self) -> bool:
        """Whether `run` has something to do."""
        return bool(self._due)

    def __len__(self) -> int:
        """Open streams."""
        return len(self._streams)

    def open(self, listener: Listener) -> VoiceStream:
        """A stream for one call. `listener` is called from `run`, and must not raise."""
        scorer = self._scorer
        stream = VoiceStream(
            scorer.open(),
            listener,
            Hearing(self._settings, scorer.window_bytes // BYTES_PER_MS),
            self._gate,
            self._due,
            self._news,
            window_bytes=scorer.window_bytes,
            context_bytes=scorer.context_bytes,
            warm_up_windows=WARM_UP_WINDOWS,
        )
        self._streams.add(stream)
        return stream

    def close(self, stream: VoiceStream) -> None:
        """The call is over; its listener is not called again. Closing twice does nothing."""
        if stream in self._streams:
            self._streams.remove(stream)
            self._due.pop(stream, None)
            self._scorer.close(stream.slot)

    def reset(self, stream: VoiceStream) -> None:
        """Forget what was heard, also a voice that goes on, of which no stop will be told. The
        axis goes on."""
        self._due.pop(stream, None)
        stream.forget()
        self._scorer.reset(stream.slot)

    def run(self) -> None:
        """Hear what is complete, then tell what changed. Raises what the detector raises."""
        for _ in range(ROUNDS):
            if not self._due:
                break
            self._round()
        while self._news:
            stream, change = self._news.pop(0)
            if stream in self._streams:
                stream.listener(change)

    def _round(self) -> None:
        """One window of each stream that has one."""
        streams: list[VoiceStream] = []
        windows: list[bytes] = []
        for stream in self._due:
            window = stream.next_window() if stream in self._streams else None
            if window is not None:
                streams.append(stream)
                windows.append(window)
        self._due.clear()
        if not streams:
            return
        self.inferred_windows += len(streams)
        self.batches += 1
        scores = self._scorer.score([stream.slot for stream in streams], windows)
        for stream, score in zip(streams, scores, strict=True):
            stream.take(score)
            if stream.is_due:
                self._due[stream] = None
