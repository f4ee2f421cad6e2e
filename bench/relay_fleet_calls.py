"""What a call of a whole installation came to, over all its streams and sessions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.lab.realtime.log import SessionLog
from bench.relay_account import (
    TAIL_S,
    Answers,
    Break,
    answers_in,
    breaks_in,
    forgotten,
    lost_frames,
    origin_s,
    planted,
)
from bench.relay_brain import Said
from bench.relay_figures import percentile
from bench.relay_fleet import FleetCall, FleetRun
from bench.relay_model import call_of
from bench.relay_takes import Piece, pieces_of
from bench.relay_talk import Spoken

UNDERSTOOD_S: Final = 1.0
"""From the caller's last word until the model has understood it: half a second is its patience."""
WINDOW_S: Final = 6.0
"""After an event, and before it: gaps in the one and in the other are compared."""


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """One call, judged. Times in ms count from the first stream's first tick."""

    call: FleetCall
    pieces: list[Piece]
    origin_s: float
    lost: list[tuple[int, int, float]]
    """Frames sent on an open stream that no session heard, those around a change of streams left
    out."""
    breaks: list[Break]
    answers: Answers
    forgotten: list[str]
    checked: int
    cut: frozenset[int]
    """Utterances into which the end of a stream fell, or which had just ended then: nobody had
    understood them yet."""
    said: list[Said]
    errors: list[str]

    @property
    def went_on(self) -> bool:
        """The caller said all, and hung up. A stream that broke with its worker is no fault."""
        report = self.call.report
        return report.ended_by == "caller" and not report.unfinished and not report.errors

    @property
    def streams(self) -> int:
        return len(self.call.report.streams)

    def ms_at(self, at_s: float) -> float:
        return (at_s - self.origin_s) * 1000

    def next_word_ms(self, at_s: float) -> float | None:
        """From an instant to the first word that began after it; None when none did."""
        at_ms = self.ms_at(at_s)
        return next((p.at_ms - at_ms for p in self.pieces if p.at_ms > at_ms), None)

    def speaking(self, from_s: float, to_s: float) -> bool:
        """Whether the caller spoke then."""
        return any(s.began_s < to_s and s.ended_s > from_s for s in self.call.voice.spoken)

    def breaks_within(self, from_s: float, to_s: float) -> list[Break]:
        return [b for b in self.breaks if self.ms_at(from_s) <= b.at_ms < self.ms_at(to_s)]


def judge_all(run: FleetRun) -> list[FleetOutcome]:
    """Every call that had a stream; one that had none is not as scripted either."""
    sessions: dict[int, list[SessionLog]] = {}
    for session in sorted(run.known.sessions, key=lambda log: log.opened_s):
        number = call_of(session)
        if number is not None:
            sessions.setdefault(number, []).append(session)
    return [
        _judge(call, sessions.get(call.plan.call, []), run)
        for call in run.calls
        if call.report.streams and call.report.streams[0].played.ticked_s
    ]


def _judge(call: FleetCall, sessions: Sequence[SessionLog], run: FleetRun) -> FleetOutcome:
    plan, spoken = call.plan, call.voice.spoken
    streams = [s.played for s in call.report.streams if s.played.ticked_s]
    spans = [(origin_s(played), played.ticked_s[-1]) for played in streams]
    began_s, end_s = spans[0][0], spans[-1][1]
    pieces = [
        piece
        for played, (first_s, _) in zip(streams, spans, strict=True)
        for piece in pieces_of(played.audio(), (first_s - began_s) * 1000)
    ]
    said = [s for s in run.known.said if s.call == plan.call]
    runs = [r for r in run.runs if r.token.startswith(plan.token(0)[:3])]
    cut = _cut_words(spoken, [end for _, end in spans[:-1]])
    known = [words for words in spoken if words.utterance not in cut]
    heard = lost_frames(call.voice.sent, (bytes(s.caller_audio) for s in sessions), end_s)
    return FleetOutcome(
        call=call,
        pieces=pieces,
        origin_s=began_s,
        lost=[frame for frame in heard if not _at_a_seam(frame[2], spans)],
        breaks=breaks_in(pieces),
        answers=answers_in(plan, pieces, spoken, said, (began_s, end_s)),
        forgotten=[text for s in sessions[1:] for text in forgotten(s, plan, known, runs)],
        checked=sum(planted(plan, known, s.appends[0].at_s) for s in sessions[1:]),
        cut=cut,
        said=said,
        errors=[f"{e.code}: {e.message}" for s in sessions for e in s.errors],
    )


def _cut_words(spoken: Sequence[Spoken], ends_s: Sequence[float]) -> frozenset[int]:
    return frozenset(
        words.utterance
        for words in spoken
        if words.unsent_frames
        or any(words.began_s < end_s < words.ended_s + UNDERSTOOD_S for end_s in ends_s)
    )


def _at_a_seam(at_s: float, spans: Sequence[tuple[float, float]]) -> bool:
    """Whether a frame was sent as its stream was ending: a dead worker's socket took it."""
    return any(end_s - TAIL_S <= at_s <= end_s + 0.1 for _, end_s in spans[:-1])


def extra_breaks(outcomes: Iterable[FleetOutcome], at_s: float, to_s: float) -> tuple[int, int]:
    """Gaps inside answers from an event on, and in as long a time before it: the machine's own."""
    held = list(outcomes)
    span_s = max(WINDOW_S, to_s - at_s + WINDOW_S)
    after = sum(len(o.breaks_within(at_s, at_s + span_s)) for o in held)
    before = sum(len(o.breaks_within(at_s - span_s, at_s)) for o in held)
    return after, before


def unanswered(outcome: FleetOutcome) -> list[int]:
    """Utterances that were not answered; those that the end of a stream cut are counted apart."""
    return [number for number in outcome.answers.unanswered if number not in outcome.cut]


def problems_in(outcomes: Iterable[FleetOutcome]) -> list[str]:
    """In words, with the call."""
    found: list[str] = []
    for outcome in outcomes:
        report, name = outcome.call.report, f"call {outcome.call.plan.call}"
        if not outcome.went_on:
            left = [type(step).__name__ for step in report.unfinished[:2]]
            why = [error.detail for error in report.errors] or left or [report.ended_by]
            verbs = [verb.name for verb in report.verbs]
            found.append(f"{name}: not as scripted: {'; '.join(map(str, why))} ({verbs})")
        found += [f"{name}: utterance {n} was not answered" for n in unanswered(outcome)]
        found += [f"{name}: not in the next context: {t.split()[0]}" for t in outcome.forgotten]
        found += [f"{name}: {error}" for error in outcome.errors]
        if outcome.lost:
            at_s = outcome.ms_at(outcome.lost[0][2]) / 1000
            found.append(f"{name}: {len(outcome.lost)} frames lost from {at_s:.2f} s on")
    return found


def lags_of(run: FleetRun) -> tuple[float, float]:
    lags = [call.report.max_lag_ms for call in run.calls]
    return max(lags, default=0.0), percentile(lags, 0.5)
