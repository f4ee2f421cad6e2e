"""What a call of `bench.relay` came to, and all of them together."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from app.bridge.journal import replay
from bench.relay_account import (
    Answers,
    Break,
    answers_in,
    breaks_in,
    forgotten,
    latencies_ms,
    lost_frames,
    origin_s,
    planted,
    told_twice,
)
from bench.relay_figures import Target, none_of, p95_words_within
from bench.relay_heard import word_errors
from bench.relay_stage import Held
from bench.relay_takes import Piece, pieces_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call, judged."""

    held: Held
    pieces: list[Piece]
    origin_s: float
    """When the playout's clock began."""
    lost: list[tuple[int, int, float]]
    breaks: list[Break]
    answers: Answers
    forgotten: list[str]
    checked: int
    """Facts that were looked for in a context."""
    told_twice: int
    tool_twice: int
    errors: list[str]
    legs: list[dict[str, Any]]
    word_errors: list[int]
    """Of each line that was cut: how many words too many (or, below 0, too few) the record has."""
    replays: bool
    latencies_ms: list[float]
    problems: list[str] = field(default_factory=list)

    @property
    def as_scripted(self) -> bool:
        return self.held.report.as_scripted

    @property
    def changes(self) -> int:
        """How often another session took over."""
        return sum(leg["cause"] not in (None, "start") for leg in self.legs)


def judge(held: Held) -> Outcome:
    """Everything that can be read from the call afterwards."""
    plan, voice = held.act.plan, held.voice
    played = held.report.streams[0].played
    began_s = origin_s(played)
    pieces = pieces_of(played.audio())
    end_s = played.ticked_s[-1] if played.ticked_s else began_s
    carried = [session for session in held.sessions if session.appends]
    tokens = [run.token for run in held.runs]
    record = json.loads(held.timeline.read_text()) if held.timeline.exists() else {}
    outcome = Outcome(
        held=held,
        pieces=pieces,
        origin_s=began_s,
        lost=lost_frames(voice.sent, (bytes(s.caller_audio) for s in carried), end_s),
        breaks=breaks_in(pieces),
        answers=answers_in(plan, pieces, voice.spoken, held.said, (began_s, end_s)),
        forgotten=[
            text for s in carried[1:] for text in forgotten(s, plan, voice.spoken, held.runs)
        ],
        checked=sum(planted(plan, voice.spoken, s.appends[0].at_s) for s in carried[1:]),
        told_twice=sum(len(told_twice(session, plan)) for session in carried),
        tool_twice=len(tokens) - len(set(tokens)),
        errors=[
            f"{error.code}: {error.message}"
            for session in held.sessions
            for error in session.errors
            if error.code != "session_expired"
        ],
        legs=record.get("legs", []),
        word_errors=word_errors(plan, record.get("transcript", []), pieces),
        replays=held.journal.exists() and replay(held.journal)[1] is None,
        latencies_ms=list(latencies_ms(pieces, voice.spoken, began_s).values()),
    )
    outcome.problems.extend(_problems(outcome))
    return outcome


def _problems(o: Outcome) -> Iterable[str]:
    """In words, with the call and the place."""
    report, call = o.held.report, f"call {o.held.act.plan.call}"
    if not report.as_scripted:
        left = [type(step).__name__ for step in report.unfinished[:2]]
        why = [error.detail for error in report.errors] or left or [report.ended_by]
        yield f"{call}: not as scripted: {'; '.join(map(str, why))}"
    for stream, ms, at_s in o.lost[:3]:
        yield f"{call}: frame {stream}/{ms} sent at {at_s - o.origin_s:.2f} s reached no session"
    for gap in o.breaks:
        where = f"answer {gap.stream} at {gap.at_ms / 1000:.2f} s"
        yield f"{call}: {gap.ms:.0f} ms of silence in {where}"
    if o.answers.unsaid:
        yield f"{call}: {o.answers.unsaid} words were left out of answers that nobody cut"
    for number in o.answers.unanswered:
        yield f"{call}: utterance {number} was not answered"
    for stream in o.answers.twice:
        yield f"{call}: answer {stream} was begun twice"
    if o.answers.greetings != 1:
        yield f"{call}: greeted {o.answers.greetings} times"
    for text in o.forgotten:
        yield f"{call}: not in the next context: {text.split()[0]}"
    for error in o.errors:
        yield f"{call}: {error}"
    if o.told_twice:
        yield f"{call}: {o.told_twice} utterances stand twice in a session"
    if o.tool_twice:
        yield f"{call}: a tool ran twice"
    if not o.replays:
        yield f"{call}: the event log does not replay"


def lags_ms(outcomes: Iterable[Outcome]) -> tuple[float, float]:
    """How late the telephones' clocks were: at worst, and in the middle."""
    lags = [outcome.held.report.max_lag_ms for outcome in outcomes]
    return (max(lags), median(lags)) if lags else (0.0, 0.0)


def word_targets(outcomes: Sequence[Outcome]) -> tuple[Target, Target]:
    """What the words of the answers came to."""
    unsaid = sum(outcome.answers.unsaid for outcome in outcomes)
    errors = [n for outcome in outcomes for n in outcome.word_errors]
    return (
        none_of("words left out of answers that nobody cut", unsaid),
        p95_words_within("heard words in the record, off by", 1, errors),
    )
