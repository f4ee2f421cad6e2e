"""How soon and how surely each detector hears a caller, and what it takes for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.speech.vad.changes import VoiceChange, VoiceStarted, VoiceStopped
from app.speech.vad.engine import VoiceEngine
from bench.relay_figures import percentile
from bench.vad_lines import Line
from telecodecs import FRAME_BYTES

EARLY_MS: Final = 60.0
"""A start may be told this long before a sound is loud enough to count as begun: a soft onset."""
LATE_MS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One line through one detector."""

    line: Line
    delays_ms: tuple[float, ...]
    """From a sound's onset to the frame with which it was told, for the sounds that were heard."""
    began_errors_ms: tuple[float, ...]
    """`began_ms` less the onset."""
    voiced_ms: tuple[float, ...]
    """How much voice each of these sounds was said to hold."""
    ended_errors_ms: tuple[float, ...]
    """`ended_ms` of the last voice in a sound less its end."""
    splits: int
    """Voices that stopped and began again within one sound."""
    false_starts: int
    """Told when there was no sound."""

    @property
    def missed(self) -> int:
        return len(self.line.sounds) - len(self.delays_ms)

    @property
    def false_per_min(self) -> float:
        return self.false_starts * 60_000 / self.line.other_ms

    def delay_ms(self, share: float) -> float:
        return percentile(self.delays_ms, share)


def hear(engine: VoiceEngine, lines: Sequence[Line]) -> list[Heard]:
    """All lines at once, in frames of 20 ms, each frame heard as it comes."""
    told: list[list[VoiceChange]] = [[] for _ in lines]
    streams = [engine.open(changes.append) for changes in told]
    for at in range(0, max(len(line.ulaw) for line in lines), FRAME_BYTES):
        for stream, line in zip(streams, lines, strict=True):
            if at < len(line.ulaw):
                stream.feed(line.ulaw[at : at + FRAME_BYTES])
        while engine.due:
            engine.run()
    for stream in streams:
        engine.close(stream)
    return [compare(line, changes) for line, changes in zip(lines, told, strict=True)]


def compare(line: Line, changes: Sequence[VoiceChange]) -> Heard:
    """What was told beside what was there. A start within a sound that was already heard is
    neither another hit nor false."""
    starts = [change for change in changes if isinstance(change, VoiceStarted)]
    stops = [change for change in changes if isinstance(change, VoiceStopped)]
    delays: list[float] = []
    began: list[float] = []
    voiced: list[float] = []
    ended: list[float] = []
    splits = 0
    right: set[int] = set()
    for sound in line.sounds:
        inside = [
            number
            for number, start in enumerate(starts)
            if sound.onset_ms - EARLY_MS <= start.axis_ms <= sound.end_ms + LATE_MS
        ]
        right.update(inside)
        if inside:
            first = starts[inside[0]]
            delays.append(first.axis_ms - sound.onset_ms)
            began.append(first.began_ms - sound.onset_ms)
            theirs = stops[inside[0] : inside[-1] + 1]
            voiced.append(sum(stop.voiced_ms for stop in theirs))
            ended += [stop.ended_ms - sound.end_ms for stop in theirs[-1:]]
            splits += len(inside) - 1
    return Heard(
        line=line,
        delays_ms=tuple(delays),
        began_errors_ms=tuple(began),
        voiced_ms=tuple(voiced),
        ended_errors_ms=tuple(ended),
        splits=splits,
        false_starts=len(starts) - len(right),
    )
