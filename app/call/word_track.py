"""Which words of an item lie in which part of its audio.

The vendor sends text and audio in turn, each in pieces, without a word on how they belong together.
What is known of it:

1. The words' order, and roughly how long each takes to say (word_lengths.py).
2. When the item is complete, its text ends where its audio ends.
3. Text mostly runs a fairly constant time ahead of the audio (the lead): a piece that came when so
   much audio had come says where in the audio it lies, once lead and pace are known.
4. A voice keeps its pace and its lead from one item to the next.

Pace and lead are fitted to all of this at the cut: least squares, with what is known of the voice
as one more observation of each. Text that does not come as (3) says (all at once, or ever further
ahead) is told from the fit, and then only its length counts. `python -m bench.words` measures it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.call.axis import BYTES_PER_MS
from app.call.word_lengths import Word, words_of

ONSET_MS = 180
"""Silence before the first word ..."""
TAIL_MS = 120
"""... and behind the last one."""
END_ERROR_MS = 70
"""How well the end of the words is known from the end of the audio."""
PIECE_ERROR_MS = 200
"""How well a word's time is known from when it came ..."""
PIECES = 5
"""... and how many pieces say all that many of them can: their errors are alike."""
NEAR_MS = 600
"""A word is moved by the pieces that came so near to it ..."""
STIFFNESS = 1.0
"""... as if so many others said that it is where pace and lead put it."""
STRAY_MS = 450
"""Text that is so far from where pace and lead put it does not run along with the audio ..."""
STRAY_SHARE = 0.4
"""... nor does text that makes the voice so much faster or slower than it is."""
LEARNED_SHARE = 0.7
"""How much of what an item says of the pace is taken for the voice's ..."""
TELLING_MS = 1_500
"""... if its words take so long: a short answer is said in any way."""
SURE_MS = 150
"""Whoever goes on from what came says about half a word more again, and hardly ever leaves one out
(the second table of `python -m bench.words`)."""
LEAST_SLOWNESS = 0.1
"""Audio that is too short for its text is not said backwards."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a voice speaks and how far its text runs ahead, with the usual error of each."""

    slowness: float = 1.0
    """How long its words take, as a multiple of what `words_of` says."""
    slowness_error: float = 0.15
    lead_ms: float = 400.0
    lead_error_ms: float = 500.0
    along: bool = True
    """The text ran along with the audio, as far as is known."""

    def learned(self, slowness: float, lead_ms: float, *, along: bool) -> "Pace":
        """After one more item."""
        new = self.slowness + LEARNED_SHARE * (slowness - self.slowness)
        return Pace(new, 0.11, lead_ms, 150.0 if along else 500.0, along)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of text that begins `text_ms` into the words came `audio_ms` into the sound."""

    text_ms: float
    audio_ms: float


@dataclass(frozen=True, slots=True)
class _Timed:
    """A word and when it would begin and end if the voice were the usual one."""

    word: Word
    began_ms: float
    ended_ms: float


class WordTrack:
    """One per item of the agent's, told of its text and audio in their order of arrival."""

    __slots__ = ("_arrived", "_done", "_pace", "_pieces", "_received")

    def __init__(self, pace: Pace | None = None) -> None:
        """`pace`: as learned from an earlier item of the same voice."""
        self._pace = pace or Pace()
        self._pieces: list[str] = []
        self._arrived: list[int] = []
        """For each piece, how many bytes of audio had come before it."""
        self._received = 0
        self._done = False

    def text(self, text: str) -> None:
        """A piece of the transcript came."""
        self._pieces.append(text)
        self._arrived.append(self._received)

    def audio(self, n_bytes: int) -> None:
        """A piece of the audio came: μ-law, 8 bytes a millisecond."""
        self._received += n_bytes

    def done(self) -> None:
        """All text and all audio of the item have come."""
        self._done = True

    def came(self) -> tuple[str, str]:
        """The words whose audio has come to their end as good as certainly, and the rest: whoever
        goes on from there says a word again rather than leave one out."""
        return self.heard(self._received - SURE_MS * BYTES_PER_MS, self._received)

    @property
    def pace(self) -> Pace:
        """What the next item of this voice should start from; the same where this one taught
        nothing."""
        words = _timed(self._text)
        if not self._done or not self._received or not words or words[-1].ended_ms < TELLING_MS:
            return self._pace
        slowness, lead_ms, pieces = self._fit(words, self._received, complete=True)
        along = bool(pieces) or (self._pace.along and not self._placed(words))
        return self._pace.learned(slowness, lead_ms, along=along)

    def heard(
        self, heard_bytes: int, received_bytes: int, *, complete: bool = False
    ) -> tuple[str, str]:
        """The words that were said to their end within the first `heard_bytes` of the
        `received_bytes` that had come, and the rest. `complete`: nothing was to come any more."""
        text, complete = self._text, complete or self._done
        if heard_bytes <= 0 or received_bytes <= 0:
            return "", text.strip()
        if complete and heard_bytes >= received_bytes:
            return text.strip(), ""
        words = _timed(text)
        slowness, lead_ms, pieces = self._fit(words, received_bytes, complete=complete)
        heard_ms, cut = _sound_ms(heard_bytes), 0
        for timed in words:
            moved_ms = _moved_ms(timed.ended_ms, slowness, lead_ms, pieces)
            if slowness * timed.ended_ms + moved_ms > heard_ms:
                break
            cut = timed.word.end
        return text[:cut].strip(), text[cut:].strip()

    @property
    def _text(self) -> str:
        return "".join(self._pieces)

    def _fit(
        self, words: Sequence[_Timed], received_bytes: int, *, complete: bool
    ) -> tuple[float, float, Sequence[_Piece]]:
        """Slowness, lead in ms, and the pieces that speak for them."""
        end = None
        if complete and words:
            end = _Piece(words[-1].ended_ms, _sound_ms(received_bytes) - TAIL_MS)
        pieces = self._placed(words) if complete or self._pace.along else []
        slowness, lead_ms = _solved(self._pace, pieces, end)
        if pieces and _stray(self._pace, slowness, lead_ms, pieces):
            pieces = []
            slowness, lead_ms = _solved(self._pace, pieces, end)
        return slowness, lead_ms, pieces

    def _placed(self, words: Sequence[_Timed]) -> list[_Piece]:
        """The first of the pieces that came between two of audio. Those before any audio say
        nothing of the pace: there may be any amount of them."""
        placed: list[_Piece] = []
        index = at = last = 0
        for text, arrived in zip(self._pieces, self._arrived, strict=True):
            while index < len(words) and words[index].word.end <= at:
                index += 1
            if arrived > last and index < len(words):
                placed.append(_Piece(words[index].began_ms, _sound_ms(arrived)))
                last = arrived
            at += len(text)
        return placed


def _timed(text: str) -> list[_Timed]:
    timed: list[_Timed] = []
    at_ms = 0.0
    for word in words_of(text):
        timed.append(_Timed(word, at_ms, at_ms + word.spoken_ms))
        at_ms += word.spoken_ms + word.pause_ms
    return timed


def _sound_ms(n_bytes: int) -> float:
    """How long the voice sounds within the first bytes of an item."""
    return n_bytes / BYTES_PER_MS - ONSET_MS


def _solved(pace: Pace, pieces: Sequence[_Piece], end: _Piece | None) -> tuple[float, float]:
    """Slowness and lead of least squared error: `audio_ms = slowness * text_ms - lead_ms` for each
    piece, `audio_ms = slowness * text_ms` for the end."""
    weight = 1 / (PIECE_ERROR_MS**2 * max(1.0, len(pieces) / PIECES))
    ss, sy = pace.slowness_error**-2, pace.slowness * pace.slowness_error**-2
    ll, ly = pace.lead_error_ms**-2, pace.lead_ms * pace.lead_error_ms**-2
    sl = 0.0
    for piece in pieces:
        ss += weight * piece.text_ms**2
        sl -= weight * piece.text_ms
        ll += weight
        sy += weight * piece.text_ms * piece.audio_ms
        ly -= weight * piece.audio_ms
    if end is not None:
        ss += end.text_ms**2 / END_ERROR_MS**2
        sy += end.text_ms * end.audio_ms / END_ERROR_MS**2
    determinant = ss * ll - sl * sl
    slowness = max(LEAST_SLOWNESS, (sy * ll - ly * sl) / determinant)
    return slowness, (ss * ly - sl * sy) / determinant


def _stray(pace: Pace, slowness: float, lead_ms: float, pieces: Sequence[_Piece]) -> bool:
    """The text does not run along with the audio."""
    squares = sum(_off_ms(piece, slowness, lead_ms) ** 2 for piece in pieces)
    strange = abs(slowness - pace.slowness) > STRAY_SHARE * pace.slowness
    return strange or squares > len(pieces) * STRAY_MS**2


def _off_ms(piece: _Piece, slowness: float, lead_ms: float) -> float:
    """How much later the piece lies than slowness and lead say."""
    return piece.audio_ms + lead_ms - slowness * piece.text_ms


def _moved_ms(text_ms: float, slowness: float, lead_ms: float, pieces: Sequence[_Piece]) -> float:
    """How much later this place in the words lies than slowness says, by the pieces near it."""
    total_ms, total = 0.0, STIFFNESS
    for piece in pieces:
        near = 1 - abs(piece.text_ms - text_ms) / NEAR_MS
        if near > 0:
            total_ms += near * _off_ms(piece, slowness, lead_ms)
            total += near
    return total_ms / total
