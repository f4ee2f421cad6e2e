"""The account of one call of `bench.relay`: what was lost, doubled, broken or forgotten.

Pure functions over what the telephone played, what it sent, what the sessions heard and saw.
Instants with `_s` are `time.monotonic`; `at_ms` is the playout's own clock: milliseconds since the
stream's first tick.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from app.lab.phone.truth import Played
from app.lab.realtime.log import SessionLog
from app.lab.speech.coded import decode_coded
from bench.relay_agent import ToolRun
from bench.relay_brain import Said
from bench.relay_takes import FRAME_MS, Piece, again, beginnings, heard_in, takes_of
from bench.relay_talk import GREETING, PREAMBLE, Plan, Spoken

TAIL_S: Final = 0.7
"""What the telephone sent so shortly before the end of a stream may not reach a model any more."""
SETTLED_S: Final = 1.2
"""A session that lived for so long after the caller's words has understood them."""
EXCUSED_S: Final = 9.0
"""Longest time from the making of an answer until all answers of that response have begun."""
CUT_S: Final = 1.0
"""Words of the caller this soon after an answer's last sound may have kept the rest from coming."""
LAST_S: Final = 5.0
"""An answer may be missing when the call ended so soon after the words, or after their tool."""


@dataclass(frozen=True, slots=True)
class Break:
    """A silence inside an answer."""

    stream: int
    at_ms: float
    ms: float


def breaks_in(pieces: Sequence[Piece], longer_than_ms: float = FRAME_MS) -> list[Break]:
    """Silences in what belongs together: the stream goes on where it stopped, or a little before.

    Another answer between the two makes it no break: the speaker turned to something else.
    """
    found: list[Break] = []
    for before, after in pairwise(pieces):
        silence_ms = after.at_ms - before.until_ms
        goes_on = after.stream == before.stream and after.start_ms > before.start_ms
        if goes_on and silence_ms > longer_than_ms:
            found.append(Break(after.stream, before.until_ms, silence_ms))
    return found


def origin_s(played: Played) -> float:
    """When the playout's clock began; a tick that came late does not move it."""
    return min((at_s - i * FRAME_MS / 1000 for i, at_s in enumerate(played.ticked_s)), default=0.0)


def lost_frames(
    sent: Iterable[tuple[int, int, float]], heard: Iterable[bytes], until_s: float
) -> list[tuple[int, int, float]]:
    """Frames of the caller that no session heard. `until_s`: when the stream ended."""
    covered: dict[int, set[int]] = defaultdict(set)
    for audio in heard:
        for run in decode_coded(audio):
            covered[run.stream_id].update(range(-(-run.start_ms // 20), run.end_ms // 20))
    return [
        frame
        for frame in sent
        if frame[2] < until_s - TAIL_S and frame[1] // 20 not in covered[frame[0]]
    ]


def told_twice(session: SessionLog, plan: Plan) -> list[int]:
    """Utterances that stand more than once in what a session remembers."""
    counts: Counter[int] = Counter()
    for turn in session.turns():
        if turn.role == "user":
            counts.update(u.number for u in plan.utterances if plan.token(u.number) in turn.text)
    return [number for number, count in counts.items() if count > 1]


def forgotten(
    session: SessionLog, plan: Plan, spoken: Iterable[Spoken], runs: Iterable[ToolRun]
) -> list[str]:
    """Facts from before a session took over that its context does not hold."""
    if not session.appends:
        return []
    taken_s, context = session.appends[0].at_s, session.context()
    ended_s = session.dropped_s or session.closed_s or float("inf")
    missing = [
        plan.text(said.utterance)
        for said in spoken
        if said.ended_s < taken_s
        and said.ended_s + SETTLED_S < ended_s
        and plan.utterances[said.utterance].fact not in context
    ]
    for run in runs:
        result = plan.result(int(run.token[4:6]))
        ours = run.token.startswith(f"c{plan.call:02}")
        before = run.ended_s is not None and run.ended_s + 0.1 < taken_s
        if ours and before and result not in context:
            missing.append(result)
    return missing


def planted(plan: Plan, spoken: Iterable[Spoken], taken_s: float) -> int:
    """How many of the caller's facts a session that took over then must know."""
    return sum(said.ended_s < taken_s for said in spoken)


@dataclass(frozen=True, slots=True)
class Answers:
    """How often what was to be said was said."""

    unanswered: tuple[int, ...]
    twice: tuple[int, ...]
    """Coded streams that were begun again after more than `AGAIN_WORDS` had been heard."""
    greetings: int
    again: tuple[int, ...]
    """Where an answer was gone on with or begun again, how many words the caller heard again."""
    unsaid: int
    """Words of answers that nobody interrupted and that were never heard whole."""


def answers_in(
    plan: Plan,
    pieces: Sequence[Piece],
    spoken: Sequence[Spoken],
    said: Sequence[Said],
    span_s: tuple[float, float],
) -> Answers:
    """`pieces`: of all streams of the call, in order. `span_s`: when the playout's clock began, and
    when the call ended."""
    end_s = span_s[1]
    by_stream: dict[int, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_stream[piece.stream].append(piece)
    unanswered = [
        words.utterance
        for words in spoken
        if not by_stream.get(words.utterance) and not _excused(plan, words, spoken, said, end_s)
    ]
    takes = {stream: takes_of(plan, stream, found) for stream, found in by_stream.items()}
    whole = [
        stream
        for stream in by_stream
        if stream < PREAMBLE and not _cut(by_stream[stream], spoken, span_s)
    ]
    return Answers(
        tuple(unanswered),
        tuple(s for s in takes if s != GREETING and beginnings(takes[s]) > 1),
        beginnings(takes.get(GREETING, ())),
        tuple(n for stream in takes.values() for n in again(stream)),
        sum(plan.utterances[s].answer_words - len(heard_in(takes[s])) for s in whole),
    )


def _excused(
    plan: Plan, words: Spoken, spoken: Sequence[Spoken], said: Sequence[Said], end_s: float
) -> bool:
    """Whether the caller spoke into the answer before it came to sound, or hung up before it."""
    utterance = plan.utterances[words.utterance]
    if end_s - words.ended_s < LAST_S + utterance.tool_ms / 1000:
        return True
    kinds = ("tool",) if utterance.tool_ms else ("answer", "again", "continue")
    made = [s.at_s for s in said if s.utterance == words.utterance and s.kind in kinds]
    later = [other for other in spoken if other.began_s > words.ended_s]
    if not made and utterance.tool_ms == 0:
        # The next words came before the model began to think: both are answered after those.
        return any(other.began_s < words.ended_s + 1.0 for other in later) and bool(
            [s for s in said if s.utterance > words.utterance]
        )
    return any(-1.0 < other.began_s - at_s < EXCUSED_S for other in later for at_s in made)


def _cut(heard: Sequence[Piece], spoken: Iterable[Spoken], span_s: tuple[float, float]) -> bool:
    """Whether the caller spoke into this answer, or hung up in it: then it need not be whole."""
    first_s = span_s[0] + heard[0].at_ms / 1000
    last_s = span_s[0] + heard[-1].until_ms / 1000 + CUT_S
    return last_s > span_s[1] or any(first_s < s.ended_s and s.began_s < last_s for s in spoken)


def latencies_ms(
    pieces: Sequence[Piece], spoken: Iterable[Spoken], began_s: float
) -> Mapping[int, float]:
    """By utterance: from the caller's last word to the first sound of its answer. Those that were
    answered before the caller was through have none."""
    found: dict[int, float] = {}
    for words in spoken:
        streams = (words.utterance, PREAMBLE + words.utterance)
        first = next((p.at_ms for p in pieces if p.stream in streams), None)
        if first is not None:
            wait_ms = first - (words.ended_s - began_s) * 1000
            if wait_ms > 0:
                found[words.utterance] = wait_ms
    return found
