"""The sections of `bench.vad`: what is measured, how it is shown, what must hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from app.speech.vad.detectors import voice_engine
from app.speech.vad.engine import VoiceEngine
from app.speech.vad.silero import SileroScorer
from bench.relay_figures import Target, none_of, percentile, table
from bench.vad_accuracy import Heard, hear
from bench.vad_cost import Cost, cost
from bench.vad_lines import SPEECH_DBFS, Line, sounds_line, speech_line
from bench.vad_sounds import NOISES, SINGLE_SOUNDS

Make = Callable[[], VoiceEngine]
OURS: Final = "silero"
DETECTORS: Final[Mapping[str, Make]] = {
    OURS: lambda: voice_engine("silero"),
    "silero, no gate": lambda: VoiceEngine(SileroScorer()),
    "webrtc": lambda: voice_engine("webrtc"),
    "energy": lambda: voice_engine("energy"),
}
SNRS_DB: Final = (20, 10, 5)
STEADY: Final = frozenset({"white", "pink", "street", "ringback", "DTMF", "breath"})
"""Noises that hold no voices and no tunes: here nothing may be taken for a caller."""
COST_LIMIT_MS: Final = 1.0
CALLS: Final = (1, 10, 50, 100)
LINE_NOISES_DBFS: Final = (None, -65.0, -55.0, -50.0, -45.0, -40.0)
"""White noise, always there. The gate is closed between words up to -55 dBFS, never from -50."""
_NOISE_NAMES: Final = tuple("none" if at is None else f"{at:.0f} dBFS" for at in LINE_NOISES_DBFS)


@dataclass(frozen=True, slots=True)
class Found:
    targets: tuple[Target, ...]
    tables: tuple[Table, ...]


def accuracy(*, quick: bool) -> Found:
    """Every detector on every noise."""
    noises = ("white", "street") if quick else tuple(NOISES)
    conditions = [("clean", "", 0), *((n, n, snr) for n in noises for snr in SNRS_DB)]
    lines = [
        speech_line(f"{name} {snr} dB" if noise else name, 7, noise=noise, snr_db=snr)
        for name, noise, snr in conditions
    ]
    found = {name: hear(make(), lines) for name, make in DETECTORS.items()}
    tables = tuple(_heard_table(name, heard) for name, heard in found.items())
    return Found(_accuracy_targets(found[OURS]), tables)


def sounds(*, quick: bool) -> Found:
    """Coughs, hums and knocks at the level of speech: how often, and how long, each is voice."""
    lines = [sounds_line(kind, 3, count=20 if quick else 100) for kind in SINGLE_SOUNDS]
    found = {name: hear(make(), lines) for name, make in DETECTORS.items()}
    rows = [
        [line.name, *(_as_voice(heard[number]) for heard in found.values())]
        for number, line in enumerate(lines)
    ]
    title = "Taken for voice: share, p50 and p90 of the voice in ms"
    return Found((), (table(title, ("sound", *found), rows),))


def quiet(*, quick: bool) -> Found:
    """Callers far from the telephone: what the gate costs them."""
    gains_db = (0, -20) if quick else (0, -10, -15, -20, -25, -30)
    lines = [
        speech_line(f"speech at {SPEECH_DBFS + gain:.0f} dBFS", 7, gain_db=gain)
        for gain in gains_db
    ]
    gated, whole = (hear(DETECTORS[name](), lines) for name in (OURS, "silero, no gate"))
    tables = (_heard_table(OURS, gated), _heard_table("silero, no gate", whole))
    at_40 = gains_db.index(-20)
    limit_ms = whole[at_40].delay_ms(0.9)
    slower = gated[at_40].delay_ms(0.9)
    return Found(
        (
            none_of("onsets missed at -40 dBFS with the gate", gated[at_40].missed),
            none_of("voices split at -40 dBFS with the gate", gated[at_40].splits),
            _within("p90 of onsets at -40 dBFS, no slower than without it", limit_ms, slower),
        ),
        tables,
    )


def cost_of_all(*, quick: bool) -> Found:
    """CPU for each second of a call."""
    duration_s = 5 if quick else 20
    costs = {
        name: [cost(make, calls, duration_s, -65.0) for calls in CALLS]
        for name, make in DETECTORS.items()
    }
    rows = [[name, *(f"{run.cpu_ms:.2f}" for run in runs)] for name, runs in costs.items()]
    calls = tuple(f"{count} calls" for count in CALLS)
    title = "CPU ms per call-second; callers speak 40 % of the time on a line at -65 dBFS"
    noisy = [cost(DETECTORS[OURS], CALLS[-1], duration_s, floor) for floor in LINE_NOISES_DBFS]
    by_noise = table(
        f"silero with its gate, {CALLS[-1]} calls, by the line's own noise",
        ("noise", "CPU ms per call-second", "windows inferred", "in a batch"),
        [_cost_row(name, run) for name, run in zip(_NOISE_NAMES, noisy, strict=True)],
    )
    limits = tuple(
        _within(f"CPU per call-second at {CALLS[-1]} calls, {what}", COST_LIMIT_MS, run, ".2f")
        for what, run in (
            ("quiet lines", costs[OURS][-1].cpu_ms),
            ("the costliest noise", max(run.cpu_ms for run in noisy)),
        )
    )
    return Found(limits, (table(title, ("detector", *calls), rows), by_noise))


def _cost_row(name: str, run: Cost) -> list[str]:
    return [name, f"{run.cpu_ms:.2f}", f"{run.inferred_share:.0%}", f"{run.batch:.0f}"]


def _heard_table(name: str, lines: Sequence[Heard]) -> Table:
    columns = ("p50 ms", "p90 ms", "began p50", "ended p50", "split", "missed", "false/min")
    return table(f"Onsets: {name}", ("line", *columns), [_heard_row(heard) for heard in lines])


def _heard_row(heard: Heard) -> list[str]:
    return [
        heard.line.name,
        f"{heard.delay_ms(0.5):.0f}",
        f"{heard.delay_ms(0.9):.0f}",
        f"{percentile(heard.began_errors_ms, 0.5):+.0f}",
        f"{percentile(heard.ended_errors_ms, 0.5):+.0f}",
        f"{heard.splits}",
        f"{heard.missed} of {len(heard.line.sounds)}",
        f"{heard.false_per_min:.1f}",
    ]


def _as_voice(heard: Heard) -> str:
    share = len(heard.voiced_ms) / len(heard.line.sounds)
    spread = [f"{percentile(heard.voiced_ms, part):.0f}" for part in (0.5, 0.9)]
    return f"{share:.0%} {'/'.join(spread)}" if heard.voiced_ms else "0%"


def _accuracy_targets(lines: Sequence[Heard]) -> tuple[Target, ...]:
    clean = [heard for heard in lines if heard.line.name == "clean"]
    at_10 = [heard for heard in lines if _is_steady(heard.line, 10)]
    return (
        *_targets("clean", clean, p90_ms=200, missed_share=0.0, false_per_min=0.0),
        *_targets("steady noise, 10 dB", at_10, p90_ms=250, missed_share=0.01, false_per_min=0.5),
    )


def _targets(
    what: str, lines: Sequence[Heard], *, p90_ms: float, missed_share: float, false_per_min: float
) -> tuple[Target, ...]:
    """The worst of the lines counts."""
    missed = max(heard.missed / len(heard.line.sounds) for heard in lines)
    return (
        _within(f"{what}: onset p50", 150.0, max(heard.delay_ms(0.5) for heard in lines)),
        _within(f"{what}: onset p90", p90_ms, max(heard.delay_ms(0.9) for heard in lines)),
        _within(f"{what}: share missed", missed_share, missed, ".3f"),
        _within(
            f"{what}: false starts a minute",
            false_per_min,
            max(heard.false_per_min for heard in lines),
            ".2f",
        ),
    )


def _is_steady(line: Line, snr_db: int) -> bool:
    return any(line.name == f"{noise} {snr_db} dB" for noise in STEADY)


def _within(what: str, limit: float, found: float, form: str = ".0f") -> Target:
    return Target(what, f"<= {limit:{form}}", f"{found:{form}}", found <= limit)
