"""What voice detection costs a worker: many calls' frames and ticks in order, no waiting.

CPU time of the process, so that a busy machine spoils it little; the middle of three runs.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.speech.vad.changes import VoiceChange
from app.speech.vad.engine import VoiceEngine
from bench.vad_lines import talking_line
from telecodecs import FRAME_BYTES, FRAME_MS

TICK_MS: Final = 10
TALKING: Final = 0.4
RUNS: Final = 3
LINES: Final = 20
"""Different callers; with more calls each is heard several times, at other times."""


@dataclass(frozen=True, slots=True)
class Cost:
    calls: int
    cpu_ms: float
    """Per second of one call."""
    inferred_share: float
    """Of all windows."""
    batch: float
    """Windows in one inference."""


def cost(
    make: Callable[[], VoiceEngine], calls: int, duration_s: int, noise_dbfs: float | None
) -> Cost:
    """`noise_dbfs`: of the line between the words. Calls take turns, so that each tick brings the
    frames of half of them."""
    frames = [_frames(seed, duration_s, noise_dbfs) for seed in range(min(calls, LINES))]
    runs = [_run(make(), frames, calls) for _ in range(RUNS)]
    return sorted(runs, key=lambda run: run.cpu_ms)[len(runs) // 2]


def _run(engine: VoiceEngine, frames: Sequence[Sequence[bytes]], calls: int) -> Cost:
    told: list[VoiceChange] = []
    feeds = [engine.open(told.append).feed for _ in range(calls)]
    n_frames = len(frames[0])
    # A call that shares a line with another hears it at another time.
    schedule = [
        [(feed, frames[call % len(frames)], call * 37) for call, feed in enumerate(feeds)][half::2]
        for half in range(FRAME_MS // TICK_MS)
    ]
    began_s = time.process_time()
    for at in range(n_frames):
        for half in schedule:
            for feed, line, shift in half:
                feed(line[(at + shift) % n_frames])
            if engine.due:
                engine.run()
    cpu_s = time.process_time() - began_s
    call_s = calls * n_frames * FRAME_MS / 1000
    windows = call_s * 1000 * 8 / engine.window_bytes
    batch = engine.inferred_windows / max(1, engine.batches)
    return Cost(calls, cpu_s * 1000 / call_s, engine.inferred_windows / windows, batch)


def _frames(seed: int, duration_s: int, noise_dbfs: float | None) -> list[bytes]:
    ulaw = talking_line(seed, duration_s, TALKING, noise_dbfs)
    return [ulaw[at : at + FRAME_BYTES] for at in range(0, len(ulaw), FRAME_BYTES)]
