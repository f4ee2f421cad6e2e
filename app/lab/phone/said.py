"""When the caller was really heard to speak: the measure of any bot's reaction.

Times are those at which samples went out towards the carrier. A frame that the network lost counts
as if it had gone out, because the caller spoke it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from app.lab.speech.span import audible_span

UtteranceKind: TypeAlias = Literal[
    "speech",
    "interruption",
    "backchannel",
    "cough",
    "breath",
    "noise",
    "hesitation",
    "spelling",
    "hold",
]
"""`interruption`: means to take the floor; `backchannel`, `cough`, `breath` and `noise` do not;
`hesitation` and `spelling` have pauses inside; `hold`: asks to wait, then is silent."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance of the caller. In a stream's report times are on the stream's own clock, in the
    call's report on the line's clock (ms since the call was answered)."""

    kind: UtteranceKind
    text: str
    began_ms: float
    """Its first frame, which may be silent."""
    onset_ms: float
    """Its first sample above -45 dBFS."""
    end_ms: float
    """The end of its last sample above -45 dBFS, or of the stream if that came first."""
    pauses_ms: tuple[tuple[float, float], ...] = ()
    """(from, to) of the pauses that the caller made inside it, from sound to sound."""

    def later(self, ms: float) -> "Spoken":
        pauses = tuple((begin + ms, end + ms) for begin, end in self.pauses_ms)
        return replace(
            self,
            began_ms=self.began_ms + ms,
            onset_ms=self.onset_ms + ms,
            end_ms=self.end_ms + ms,
            pauses_ms=pauses,
        )


def spoken(
    kind: UtteranceKind, text: str, began_ms: float, pieces: Sequence[tuple[int, bytes]]
) -> Spoken | None:
    """`pieces`: μ-law and when each begins, in ms since `began_ms`. None if nothing is audible."""
    spans = [
        (began_ms + at_ms + span[0], began_ms + at_ms + span[1])
        for at_ms, audio in pieces
        if (span := audible_span(audio)) is not None
    ]
    if not spans:
        return None
    pauses = tuple((one[1], next_[0]) for one, next_ in pairwise(spans))
    return Spoken(kind, text, began_ms, spans[0][0], spans[-1][1], pauses)


def heard_between(utterances: Sequence[Spoken], from_ms: float, to_ms: float) -> tuple[Spoken, ...]:
    """Those that began to sound in this span; what goes on after it is cut at its end."""
    return tuple(
        replace(
            one,
            end_ms=min(one.end_ms, to_ms),
            pauses_ms=tuple((b, min(e, to_ms)) for b, e in one.pauses_ms if b < to_ms),
        )
        for one in utterances
        if from_ms <= one.onset_ms < to_ms
    )
