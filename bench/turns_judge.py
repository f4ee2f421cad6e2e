"""What one call of `bench.turns floor` shows, by what was really played and really said.

The caller's onset is that of the sound itself on the carrier's clock; what was heard of the answer
is read from the sound that the telephone played, never from the bot's own account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from app.lab.phone.truth import Played
from app.lab.realtime.log import SessionLog
from app.lab.speech.coded import decode_coded
from bench.turns_cases import Case, answer
from bench.turns_stage import FIRST, Held
from telecodecs.g711 import BYTES_PER_MS, FRAME_BYTES, FRAME_MS

REPEATED_MS: Final = 200
SKIPPED_MS: Final = 40
WHOLE_MS: Final = 40
"""An answer of which less than this is missing was heard to its end."""
_SAMPLE_BYTES: Final = 3 * FRAME_BYTES
"""So much of a stretch finds its place in a voice."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the answer that was heard without a pause, in ms of the answer."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    case: Case
    ended: bool
    """The answer was not heard to its end."""
    answered: bool
    """The bot said something else after it."""
    onset_to_silence_ms: float | None = None
    """From the caller's onset to the last frame of the answer, network delay included."""
    notice_to_silence_ms: float | None = None
    """From our detection to the same, less the one-way delay."""
    stretches: tuple[Stretch, ...] = ()
    told_ms: int | None = None
    """What the model remembers of an answer that was cut; None: it was not cut."""
    claims: tuple[str, ...] = ()
    """What was decided of each."""
    not_understood: bool = False
    """The bot asked the caller to repeat what nobody had heard."""
    problems: tuple[str, ...] = ()
    lag_ms: float = 0.0
    again: bool = False
    """The machine was too busy the first time."""

    @property
    def stopped(self) -> bool:
        """What a true interruption wants."""
        return self.ended and self.answered

    @property
    def held(self) -> bool:
        """The answer paused and went on."""
        return len(self.stretches) > 1

    @property
    def resumed_well(self) -> bool:
        """Each time at the heard word."""
        return all(
            before.to_ms - REPEATED_MS <= after.from_ms <= before.to_ms + SKIPPED_MS
            for before, after in pairwise(self.stretches)
        )

    @property
    def heard_ms(self) -> int:
        """How far into the answer the caller heard it."""
        return max((stretch.to_ms for stretch in self.stretches), default=0)

    @property
    def truncation_error_ms(self) -> int | None:
        return None if self.told_ms is None else abs(self.told_ms - self.heard_ms)


def judge(case: Case, held: Held) -> Outcome:
    """Compare what happened with what should have."""
    if not held.report.streams or held.session is None:
        return Outcome(case, False, False, problems=(f"{case.name}: no stream or no session",))
    played, whole = held.stream.played, answer(case)
    next_ms = next_answer_ms(played)
    stretches = tuple(stretches_of(played, whole, next_ms, coded=not case.by_voice))
    heard_ms = max((one.to_ms for one in stretches), default=0)
    ended = heard_ms < len(whole) // BYTES_PER_MS - WHOLE_MS
    silent_ms = played.last_heard_ms if next_ms is None else played.last_heard_before(next_ms)
    claims = held.timeline.get("claims", [])
    return Outcome(
        case,
        ended,
        next_ms is not None,
        _since_onset(held, silent_ms) if ended else None,
        _since_notice(held, claims, silent_ms) if ended else None,
        stretches,
        _told_ms(held.session) if ended else None,
        tuple(claim["decision"] for claim in claims),
        any("did not catch" in text for text in held.asked),
        tuple(_problems(case, held)),
        held.report.max_lag_ms,
        held.again,
    )


def next_answer_ms(played: Played) -> float | None:
    """When, on the carrier's clock, the bot was first heard with another answer."""
    runs = [run for run in decode_coded(played.audio()) if run.stream_id > FIRST]
    return played.first_ms + runs[0].offset_bytes / BYTES_PER_MS if runs else None


def stretches_of(
    played: Played, whole: bytes, next_ms: float | None, *, coded: bool
) -> list[Stretch]:
    """What was heard of the answer `whole`, until `next_ms`."""
    end = len(played.frames)
    if next_ms is not None:
        end = min(end, int((next_ms - played.first_ms) // FRAME_MS))
    frames = played.frames[:end]
    return _coded_stretches(frames) if coded else _voice_stretches(frames, whole)


def _coded_stretches(frames: Sequence[bytes | None]) -> list[Stretch]:
    """What fades in after a pause cannot be decoded: it lies before the run that follows."""
    bot = b"".join((frame or b"").ljust(FRAME_BYTES, b"\xff") for frame in frames)
    runs = [run for run in decode_coded(bot) if run.stream_id == FIRST]
    found: list[Stretch] = []
    before = 0
    for run in runs:
        first = run.offset_bytes
        faded = _sounding(frames, before, first) if found else 0
        found.append(Stretch(run.start_ms - faded // BYTES_PER_MS, run.end_ms))
        before = first + (run.end_ms - run.start_ms) * BYTES_PER_MS
    return found


def _sounding(frames: Sequence[bytes | None], first: int, end: int) -> int:
    """Bytes of the bot between two places of the sound."""
    spans = ((at * FRAME_BYTES, frames[at]) for at in range(first // FRAME_BYTES, len(frames)))
    return sum(max(0, min(end, at + len(frame)) - max(first, at)) for at, frame in spans if frame)


def _voice_stretches(frames: Sequence[bytes | None], whole: bytes) -> list[Stretch]:
    """A frame and more of a resumed stretch fades in: its place is found by what follows."""
    found: list[Stretch] = []
    for piece in _pieces(frames):
        expected = found[-1].to_ms * BYTES_PER_MS if found else 0
        fading = 0 if not found else 2 * FRAME_BYTES
        sample = piece[fading : fading + _SAMPLE_BYTES]
        place = _nearest(whole, sample, expected)
        start = expected if place is None else place - fading
        end = min(len(whole), start + len(piece))
        found.append(Stretch(start // BYTES_PER_MS, end // BYTES_PER_MS))
    return found


def _pieces(frames: Sequence[bytes | None]) -> list[bytes]:
    pieces: list[bytes] = [b""]
    for frame in frames:
        if frame:
            pieces[-1] += frame
        elif pieces[-1]:
            pieces.append(b"")
    return [piece for piece in pieces if piece]


def _nearest(whole: bytes, sample: bytes, expected: int) -> int | None:
    """Where the sample lies in the answer, nearest to where it should; None: nowhere."""
    places: list[int] = []
    at = whole.find(sample) if sample else -1
    while at >= 0:
        places.append(at)
        at = whole.find(sample, at + 1)
    return min(places, key=lambda place: abs(place - expected), default=None)


def _since_onset(held: Held, silent_ms: float | None) -> float | None:
    if silent_ms is None or not held.stream.spoken:
        return None
    # The lab's carrier sends a frame when it begins to sound, a real one when it is complete.
    return silent_ms - held.stream.spoken[0].onset_ms + FRAME_MS


def _since_notice(
    held: Held, claims: Sequence[dict[str, object]], silent_ms: float | None
) -> float | None:
    noticed = [claim["noticed_ms"] for claim in claims if claim["decision"] == "yield"]
    if silent_ms is None or not noticed or not isinstance(noticed[-1], int):
        return None
    played = held.stream.played
    tick = max(0, min(len(played.ticked_s) - 1, int((silent_ms - played.first_ms - 1) // FRAME_MS)))
    silent_s = played.ticked_s[tick] + (silent_ms - played.carrier_ms(tick)) / 1000
    since_ms = silent_s * 1000 - held.watch.monotonic_ms(noticed[-1])
    return since_ms - held.act.impairments.delay_ms


def _told_ms(session: SessionLog) -> int:
    """Of the first answer: what the model remembers of it."""
    item = next(iter(session.items.values()), None)
    if item is None or item.deleted:
        return 0
    return item.audio_ms if item.truncated_ms is None else item.truncated_ms


def _problems(case: Case, held: Held) -> list[str]:
    found = [f"{case.name}: {error}" for error in held.report.errors]
    if held.report.unfinished:
        found.append(f"{case.name}: {len(held.report.unfinished)} steps unfinished")
    if held.session is not None:
        found += [f"{case.name}: the model refused: {e.message}" for e in held.session.errors]
    if not held.timeline:
        found.append(f"{case.name}: the app left no record")
    return found
