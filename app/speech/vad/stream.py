"""One call's audio on its way to the detector: collected, gated, cut into windows.

Positions are bytes of μ-law on the stream's axis. The detector may run behind it (`_next`), and
after a silence it hears the windows before the sound again to find its feet; what was already
judged (`_judged`) is not judged twice.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from app.speech.vad.changes import VoiceChange, VoiceStarted, VoiceStopped
from app.speech.vad.gate import Gate
from app.speech.vad.hearing import Hearing
from telecodecs import BYTES_PER_MS, ULAW_SILENCE, ulaw_dbfs

Listener: TypeAlias = Callable[[VoiceChange], None]
_SURPLUS_BYTES: Final = 2048
"""Audio that is done with goes in pieces of this size."""


class VoiceStream:
    """Made by `VoiceEngine.open`. Raises nothing; what it finds comes when the engine runs."""

    __slots__ = (
        "_asleep",
        "_audio",
        "_base",
        "_context",
        "_due",
        "_gate",
        "_hearing",
        "_judged",
        "_news",
        "_next",
        "_quiet_windows",
        "_warm_up",
        "_window",
        "fed_bytes",
        "gated_windows",
        "listener",
        "slot",
    )

    def __init__(
        self,
        slot: int,
        listener: Listener,
        hearing: Hearing,
        gate: Gate | None,
        due: "dict[VoiceStream, None]",
        news: "list[tuple[VoiceStream, VoiceChange]]",
        *,
        window_bytes: int,
        context_bytes: int,
        warm_up_windows: int,
    ) -> None:
        """`due`: where it enters itself with a complete window; `news`: where it puts changes."""
        self.slot = slot
        self.listener = listener
        self._news = news
        self._hearing = hearing
        self._gate = gate
        self._due = due
        self._window = window_bytes
        self._context = context_bytes
        self._warm_up = warm_up_windows * window_bytes if gate is not None else 0
        self.fed_bytes = 0
        self.gated_windows = 0
        self._judged = 0
        self._begin()

    def _begin(self) -> None:
        """As if a long silence came before."""
        before = self._context + self._warm_up
        self._audio = bytearray(ULAW_SILENCE * before)
        self._base = self.fed_bytes - before
        self._next = self._judged = self.fed_bytes
        self._asleep = self._gate is not None
        self._quiet_windows = 0

    # What the call's bridge calls

    def feed(self, ulaw: bytes) -> None:
        """The next caller audio, of any length, in order."""
        self._audio += ulaw
        self.fed_bytes += len(ulaw)
        if self.fed_bytes - self._next >= self._window:
            self._due[self] = None

    def silence(self, n_bytes: int) -> None:
        """Time that passed without audio from the carrier."""
        self.feed(ULAW_SILENCE * n_bytes)

    @property
    def in_voice(self) -> bool:
        """Whether somebody speaks, as far as was told."""
        return self._hearing.in_voice

    @property
    def voiced_ms(self) -> int:
        """How much voice there was since the present voice began, or in the one that stopped."""
        return self._hearing.voiced_ms

    # What the engine calls

    @property
    def is_due(self) -> bool:
        """Whether a window is complete."""
        return self.fed_bytes - self._next >= self._window

    def next_window(self) -> bytes | None:
        """The next window to infer with its context; None: there is none now. Clear silence is
        dealt with on the way."""
        while self.is_due:
            if self._next == self._judged and self._is_gated():
                self.gated_windows += 1
                self.take(0.0)
                continue
            at = self._next - self._base
            return bytes(self._audio[at - self._context : at + self._window])
        return None

    def take(self, probability: float) -> None:
        """The verdict on the next window: on what `next_window` gave, or the gate's."""
        self._next += self._window
        if self._next > self._judged:
            self._judged = self._next
            change = self._hearing.hear(probability, self._judged // BYTES_PER_MS)
            if change is not None:
                self._tell(change == "began")
        surplus = self._next - self._base - self._context - self._warm_up
        if surplus > _SURPLUS_BYTES:
            del self._audio[:surplus]
            self._base += surplus

    def forget(self) -> None:
        """Begin anew at the present place of the axis."""
        self._hearing.reset()
        self._begin()

    def _is_gated(self) -> bool:
        """Whether the gate is closed over the next window. A sound that opens it goes back."""
        if self._gate is None:
            return False
        at = self._next - self._base
        if self._gate.is_silence(self._audio[at : at + self._window]):
            self._quiet_windows += 1
            self._asleep = self._asleep or self._quiet_windows > self._gate.hold_windows
            return self._asleep
        self._quiet_windows = 0
        if self._asleep:
            self._asleep = False
            self._next -= self._warm_up
        return False

    def _tell(self, began: bool) -> None:
        axis_ms = self.fed_bytes // BYTES_PER_MS
        hearing = self._hearing
        change: VoiceChange
        if began:
            level_dbfs = self._level_dbfs(hearing.began_ms * BYTES_PER_MS)
            change = VoiceStarted(hearing.began_ms, axis_ms, level_dbfs)
        else:
            change = VoiceStopped(hearing.ended_ms, axis_ms, hearing.voiced_ms)
        self._news.append((self, change))

    def _level_dbfs(self, start: int) -> float:
        return ulaw_dbfs(bytes(self._audio[max(0, start - self._base) : self._judged - self._base]))
