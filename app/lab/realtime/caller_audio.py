"""The input audio buffer: one axis of caller audio per session, and the turns cut out of it."""

from dataclasses import dataclass
from typing import TypeAlias

from app.lab.realtime.conversation import check_whole_samples
from app.lab.realtime.formats import AudioFormat
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.vad import FRAME_MS, ONSET_FRAMES, Sense, VadSettings, VoiceDetector

SHORTEST_COMMIT_MS = 100


@dataclass(frozen=True, slots=True)
class Started:
    audio_start_ms: int
    """On the session's axis; includes the prefix padding."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The words decide how long this pause may last: `CallerAudio.decide`."""

    number: int
    audio: bytes
    """The turn so far."""


@dataclass(frozen=True, slots=True)
class Stopped:
    audio_end_ms: int
    """On the session's axis; includes the silence that was waited for."""
    audio: bytes
    """The turn, from the start that was reported to this end."""


Heard: TypeAlias = Started | Paused | Stopped


class CallerAudio:
    """Bytes in wire format go in, speech boundaries and the turns between them come out.

    `memory` receives every byte in order and is never cut: positions are offsets in it.
    """

    def __init__(
        self,
        memory: bytearray,
        audio_format: AudioFormat,
        vad: VadSettings | None,
        sense: Sense | None = None,
    ):
        self._memory = memory
        self._format = audio_format
        self._sense = sense or Sense()
        self._detector = None if vad is None else VoiceDetector(vad, self._sense)
        self._axis_start = len(memory)
        self._axis_start_ms = 0
        self._buffer_start = len(memory)
        self._speech_start = len(memory)
        self._next_frame = len(memory)
        self._unsaid: Started | None = None
        """Speech that is noticed, but not reported yet ..."""
        self._say_at = 0
        """... until the audio has come to this position."""
        self._pauses = 0

    @property
    def axis_ms(self) -> int:
        """Milliseconds of caller audio written in this session."""
        return self._at_ms(len(self._memory))

    @property
    def vad(self) -> VadSettings | None:
        return None if self._detector is None else self._detector.settings

    @property
    def speaking(self) -> bool:
        """Whether a start was reported and no stop yet."""
        return self._detector is not None and self._detector.speaking and self._unsaid is None

    def configure(self, audio_format: AudioFormat, vad: VadSettings | None) -> None:
        """Settings that did not change keep the detector's state; a new format empties the
        buffer, since its bytes cannot be joined to the old ones."""
        if audio_format is not self._format:
            self._axis_start_ms = self.axis_ms
            self._axis_start = len(self._memory)
            self._format = audio_format
            self.clear()
        if vad != self.vad:
            self._detector = None if vad is None else VoiceDetector(vad, self._sense)
            self._next_frame = len(self._memory)
            self._unsaid = None

    def append(self, audio: bytes) -> list[Heard]:
        """Raises `RequestRefused` for half a 16-bit sample."""
        check_whole_samples(audio, self._format, "audio")
        self._memory += audio
        if self._detector is None:
            return []
        return self._listen(self._detector)

    def decide(self, pause: int, unfinished: float) -> list[Heard]:
        """How unfinished the words before this pause sound, 0 to 1: so much of the longest wait
        it may last. Nothing happens when it is over already."""
        detector = self._detector
        if detector is None or pause != self._pauses or not detector.asked:
            return []
        shortest_ms, longest_ms = detector.settings.silence_ms, detector.settings.longest_wait_ms
        assert longest_ms is not None
        wait_ms = shortest_ms + round(unfinished * (longest_ms - shortest_ms))
        return self._stop(self._next_frame) if detector.wait(wait_ms) else []

    def _listen(self, detector: VoiceDetector) -> list[Heard]:
        heard: list[Heard] = []
        size, level_dbfs = self._format.frame_bytes, self._format.level_dbfs
        while (end := self._next_frame + size) <= len(self._memory):
            change = detector.feed(level_dbfs(bytes(self._memory[self._next_frame : end])))
            self._next_frame = end
            match change:
                case "started":
                    self._begin_speech(detector.settings, end)
                case "paused":
                    self._pauses += 1
                    heard.append(
                        Paused(self._pauses, bytes(self._memory[self._speech_start : end]))
                    )
                case "stopped":
                    heard += self._stop(end)
            if self._unsaid is not None and end >= self._say_at:
                heard += self._say()
        return heard

    def _begin_speech(self, settings: VadSettings, now: int) -> None:
        lookback_ms = ONSET_FRAMES * FRAME_MS + settings.prefix_padding_ms
        start = now - lookback_ms * self._format.bytes_per_ms
        self._speech_start = max(start, self._buffer_start)
        self._unsaid = Started(self._at_ms(self._speech_start))
        self._say_at = now + self._sense.notice_delay_ms * self._format.bytes_per_ms

    def _say(self) -> list[Heard]:
        said, self._unsaid = self._unsaid, None
        return [] if said is None else [said]

    def _stop(self, end: int) -> list[Heard]:
        audio = bytes(self._memory[self._speech_start : end])
        self._buffer_start = end
        return [*self._say(), Stopped(self._at_ms(end), audio)]

    def take_since(self, start_ms: int) -> bytes:
        """Everything from `start_ms` on (an idle timeout's silence)."""
        start = self._axis_start + (start_ms - self._axis_start_ms) * self._format.bytes_per_ms
        return self._take_from(max(start, self._buffer_start))

    def commit(self) -> bytes:
        """The whole buffer. Raises `RequestRefused` when it holds less than 100 ms."""
        held_ms = (len(self._memory) - self._buffer_start) / self._format.bytes_per_ms
        if held_ms < SHORTEST_COMMIT_MS:
            raise RequestRefused(
                "input_audio_buffer_commit_empty",
                "The input audio buffer is too small to commit: expected at least "
                f"{SHORTEST_COMMIT_MS}ms of audio, but it holds {held_ms:.2f}ms.",
            )
        return self._take_from(self._buffer_start)

    def _take_from(self, start: int) -> bytes:
        audio = bytes(self._memory[start:])
        self.clear()
        return audio

    def clear(self) -> None:
        """Forget what was not committed. The axis goes on: it counts all that was written."""
        self._buffer_start = self._next_frame = len(self._memory)
        self._unsaid = None
        if self._detector is not None:
            self._detector.reset()

    def _at_ms(self, position: int) -> int:
        return self._axis_start_ms + (position - self._axis_start) // self._format.bytes_per_ms
