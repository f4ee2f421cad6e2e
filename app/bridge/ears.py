"""Our own voice detection on a call's line, and the echo of the bot's voice told from a caller's.

Each caller frame goes to the worker's voice engine, which hears all calls at once on the tick of
the clock of all calls. What begins while the bot is heard is compared with what was played: as long
as it is the bot's own voice, the heart learns nothing of it.
"""

import logging
from typing import Protocol

from app.bridge.pacer import Pacer
from app.call import events
from app.speech.echo import AGAIN_MS, WINDOW_MS, EchoJudge
from app.speech.vad.changes import VoiceChange, VoiceStarted
from app.speech.vad.engine import VoiceEngine

logger = logging.getLogger(__name__)

FAULTS_A_LINE = 1_000
"""A detector that fails at every tick is told of every 10 s."""
ECHO_TAIL_MS = 900
"""How long after its end the bot's voice may still come back."""


class Line(Protocol):
    """What the ears of a call must know of it."""

    def heard(self, event: events.Event) -> None:
        """Tell the heart."""
        ...

    def now_ms(self) -> int:
        """The call clock."""
        ...

    def caller_audio(self, newest_ms: int) -> bytes:
        """The newest caller audio, as μ-law."""
        ...


class Hearing:
    """One per worker: ticks the engine while a call has ears."""

    due_at_s = 0.0
    """Due at every tick of the pacer."""

    def __init__(self, engine: VoiceEngine, pacer: Pacer) -> None:
        self._engine = engine
        self._pacer = pacer
        self._doubtful: dict[Ears, None] = {}
        self._faults = 0

    def open(self, line: Line, echo_share: float) -> "Ears":
        """`echo_share`: from this share on, 0 to 1, a voice is the bot's own that came back."""
        if not len(self._engine):
            self._pacer.add(self)
        return Ears(self._engine, line, self, echo_share)

    def close(self, ears: "Ears") -> None:
        self._doubtful.pop(ears, None)
        if not len(self._engine):
            self._pacer.remove(self)

    def doubt(self, ears: "Ears") -> None:
        """What these hear is an echo so far; look again."""
        self._doubtful[ears] = None

    def believe(self, ears: "Ears") -> None:
        self._doubtful.pop(ears, None)

    def on_due(self) -> None:
        """Called by the clock of all calls: a fault here must not stop it."""
        try:
            if self._engine.due:
                self._engine.run()
            for ears in list(self._doubtful):
                ears.look_again()
        except Exception:
            if self._faults % FAULTS_A_LINE == 0:
                logger.exception("voice detection failed; calls go on without it for a moment")
            self._faults += 1


class Ears:
    """One per call."""

    def __init__(
        self, engine: VoiceEngine, line: Line, hearing: Hearing, echo_share: float
    ) -> None:
        self._engine = engine
        self._echo_from = echo_share
        self._line = line
        self._hearing = hearing
        self._echo = EchoJudge()
        self._play_end_ms = 0
        self._doubted: events.VoiceStarted | None = None
        self._again_ms = 0
        self._stream = engine.open(self._changed)
        self.feed, self.silence = self._stream.feed, self._stream.silence

    def close(self) -> None:
        self._engine.close(self._stream)
        self._hearing.close(self)

    def played(self, ulaw: bytes, at_ms: int) -> None:
        """The carrier was sent this, and will play it from `at_ms` on."""
        self._play_end_ms = max(self._play_end_ms, at_ms) + len(ulaw) // 8
        self._echo.played(ulaw, at_ms)

    def cleared(self) -> None:
        now_ms = self._line.now_ms()
        self._play_end_ms = min(self._play_end_ms, now_ms)
        self._echo.cleared(now_ms)

    def look_again(self) -> None:
        """A voice that was an echo when it began: is it still?"""
        now_ms = self._line.now_ms()
        if self._doubted is None or now_ms < self._again_ms:
            return
        if self._echo_share(now_ms) >= self._echo_from:
            self._again_ms = now_ms + AGAIN_MS
            return
        # What goes on is no echo any more. It must begin anew to count, or the echo before it would
        # count as well, and a breath would pass for a voice.
        self._trust()
        self._engine.reset(self._stream)

    def _trust(self) -> None:
        self._doubted = None
        self._hearing.believe(self)

    def _changed(self, change: VoiceChange) -> None:
        if not isinstance(change, VoiceStarted):
            if self._doubted is not None:
                self._trust()
                return
            self._line.heard(events.VoiceStopped(change.ended_ms, change.axis_ms, change.voiced_ms))
            return
        now_ms = self._line.now_ms()
        share = self._echo_share(now_ms)
        began = events.VoiceStarted(change.began_ms, change.axis_ms, change.level_dbfs, share)
        if share >= self._echo_from:
            self._doubted, self._again_ms = began, now_ms + AGAIN_MS
            self._hearing.doubt(self)
        self._line.heard(began)

    def _echo_share(self, now_ms: int) -> float:
        """0 where the bot was not heard lately."""
        if now_ms > self._play_end_ms + ECHO_TAIL_MS:
            return 0.0
        return self._echo.judge(self._line.caller_audio(WINDOW_MS), now_ms).share
