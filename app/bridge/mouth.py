"""What the caller hears: bot audio, sounds and marks, from the heart's commands to the carrier.

The bytes of what the heart has not released yet wait here. Our own ears and the recording are told
of what is sent, and when it will play.
"""

from collections.abc import Sequence

from app.bridge.audio_store import AudioStore
from app.bridge.carrier_writer import CarrierWriter
from app.bridge.ears import Ears
from app.bridge.hold_sound import sound
from app.bridge.ports import Dialect
from app.bridge.recording import Recording
from app.call.commands import (
    Command,
    KeepAudio,
    KeepSilence,
    ReplayAudio,
    SendAudio,
    SendClear,
    SendMark,
    SendSound,
)
from app.call.playout import Playout
from app.carriers.line import Frame


class Mouth:
    """One per call; `playout` is only read."""

    def __init__(
        self,
        playout: Playout,
        writer: CarrierWriter,
        dialect: Dialect,
        ears: Ears | None,
        recording: Recording | None,
    ) -> None:
        self._playout = playout
        self._writer = writer
        self._dialect = dialect
        self._ears = ears
        self._recording = recording
        self._store = AudioStore()

    def carry_out(self, command: Command, audio: bytes | None) -> bool:
        """False for what is not for the caller's ear. `audio`: what came with the event."""
        match command:
            case SendAudio(generation, start, end):
                self._send(self._store.take(generation, start, end), start, generation)
            case SendSound(start, end):
                self._send(sound(start, end), start, self._playout.generation)
            case KeepAudio(generation):
                self._store.keep(generation, audio or b"")
            case KeepSilence(generation, n_bytes):
                self._store.keep_silence(generation, n_bytes)
            case ReplayAudio(generation, source, start, end, fade_bytes):
                self._store.replay(source, start, end, generation, fade_bytes)
            case SendMark(name):
                self._write(self._dialect.mark(name))
            case SendClear():
                self._write(self._dialect.clear())
                if self._ears is not None:
                    self._ears.cleared()
            case _:
                return False
        return True

    def idle(self, now_ms: int) -> None:
        """Whatever the line needs while nothing is said."""
        self._write(self._dialect.idle(now_ms))

    def _write(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self._writer.write(frame)

    def _send(self, ulaw: bytes, start: int, generation: int) -> None:
        """`start`: its position in the generation."""
        self._write(self._dialect.audio(ulaw))
        if self._ears is None and self._recording is None:
            return
        playout = self._playout
        plays_at_ms = playout.plays_at_ms(start)
        if self._ears is not None:
            self._ears.played(ulaw, plays_at_ms)
        if self._recording is not None and generation == playout.generation:
            self._recording.bot(playout.present, start, ulaw, plays_at_ms)
