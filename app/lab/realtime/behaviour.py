"""How a lab model behaves: its pace, and how it misbehaves when a test asks it to."""

import random
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.lab.realtime.vad import Sense

Nonsense: TypeAlias = Literal["not_json", "unknown_event", "missing_fields", "binary"]
FaultyKind: TypeAlias = Literal["any", "conversation", "out_of_band"]
REFUSALS: Final = frozenset({400, 401, 403, 404, 429, 500, 502, 503})


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One session's pace and faults. The same seed and session number give the same pace.

    The defaults are a healthy model. Responses are numbered from 1 within a session.
    """

    seed: int = 0

    # Pace.
    connect_delay_ms: int = 0
    """Before the upgrade is answered."""
    think_ms: int = 150
    """From the moment the caller was understood to the first output item."""
    speed: float = 6.0
    """How much faster than real time audio is sent."""
    text_step_ms: int = 20
    """Between the words of a text answer."""
    delta_min_ms: int = 100
    """Shortest piece of audio per delta; the last one of an item may be shorter."""
    delta_max_ms: int = 400
    transcript_lead_ms: int = 300
    """How far the transcript runs ahead of the audio."""
    late_deltas: int = 0
    """How many more pieces of a cancelled answer are already on their way."""
    transcription_delay_ms: int = 0
    """Holds back the transcription events of the caller's speech, never the answer."""
    transcription_jitter_ms: int = 0
    """Up to so much more, a different amount for each turn: transcripts may overtake another."""
    transcribes_created_items: bool = True
    """Audio in items that the client made is transcribed too. The vendor does not say whether it
    does; the model hears that audio in any case."""

    # The ear for turns.
    speech_started_delay_ms: int = 0
    """Speech is noticed after so much more audio; the position reported is the true one."""
    vad_half_dbfs: float = -40.0
    """The level that a `threshold` of 0.5 stands for; each 0.1 is 4 dB. The voice detection goes by
    level alone: lower than the line's noise it takes that for speech."""
    vad_noise_margin_db: float | None = None
    """Speech must be that much louder than the line's noise of the last 2 s as well. None: the
    noise does not count. A small margin takes some noise for speech, a large one misses voices."""
    semantic_doubt: float = 0.5
    """How unfinished words sound, 0 to 1, that the ear did not understand."""

    # The connection.
    refuse_key: bool = False
    """Answer every key with HTTP 401."""
    refuse_status: int | None = None
    """Answer every upgrade with this HTTP status: 400, 401, 403, 404, 429, 500, 502 or 503."""
    reset_connect: bool = False
    """Take TCP connections and reset them instead of answering."""
    hang_connect: bool = False
    """Take TCP connections and never answer the upgrade."""
    session_cap_s: float = 3600.0
    """Then error `session_expired` and close 1001; also the session's `expires_at`."""
    drop_after_s: float | None = None
    """Then the TCP connection is aborted without a close frame."""

    # The answers.
    wrong_format: bool = False
    """Audio formats asked for are silently ignored: the session stays at PCM 24 kHz."""
    mute: bool = False
    """`response.created`, then nothing until somebody cancels."""
    response_error: str | None = None
    """Responses end as `failed` with this error code."""
    rate_limited: bool = False
    """Responses fail with `rate_limit_exceeded`; `rate_limits.updated` says 0 remaining."""
    faulty_responses: frozenset[int] = frozenset()
    """Which responses the three faults above apply to; empty: all of them."""
    faulty_kind: FaultyKind = "any"
    """Whether they apply to the conversation's own responses only, or to those beside it."""
    transcription_fails: bool = False

    # Nonsense.
    nonsense: tuple[Nonsense, ...] = ()
    """Kinds of garbage, sent in turn ..."""
    nonsense_every: int = 3
    """... after every n-th server event ..."""
    nonsense_replaces: bool = False
    """... or instead of it."""

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError(f"speed: expected more than 0 times real time, got {self.speed}")
        if not 0 < self.delta_min_ms <= self.delta_max_ms:
            raise ValueError(
                "delta_min_ms and delta_max_ms: expected 0 < min <= max, "
                f"got {self.delta_min_ms} and {self.delta_max_ms}"
            )
        for name in ("speech_started_delay_ms", "transcription_jitter_ms"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not 0 <= self.semantic_doubt <= 1:
            raise ValueError(f"semantic_doubt: expected 0 to 1, got {self.semantic_doubt}")
        if self.refuse_status is not None and self.refuse_status not in REFUSALS:
            known = ", ".join(str(status) for status in sorted(REFUSALS))
            raise ValueError(f"refuse_status: expected one of {known}, got {self.refuse_status}")
        if self.nonsense_every < 1:
            raise ValueError(f"nonsense_every: expected 1 or more, got {self.nonsense_every}")

    def faulty(self, response_number: int, *, out_of_band: bool = False) -> bool:
        """Whether the response faults apply to this response (1-based)."""
        kind: FaultyKind = "out_of_band" if out_of_band else "conversation"
        if self.faulty_kind not in ("any", kind):
            return False
        return not self.faulty_responses or response_number in self.faulty_responses

    @property
    def sense(self) -> Sense:
        """How the voice detection of a session hears."""
        return Sense(self.vad_half_dbfs, self.vad_noise_margin_db, self.speech_started_delay_ms)

    def dice(self, session_number: int) -> random.Random:
        return random.Random(f"{self.seed}/{session_number}")
