"""How a lab model behaves: its pace, and how it misbehaves when a test asks it to."""

import random
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

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
    transcribes_created_items: bool = True
    """Audio in items that the client made is transcribed too. The vendor does not say whether it
    does; the model hears that audio in any case."""

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

    def dice(self, session_number: int) -> random.Random:
        return random.Random(f"{self.seed}/{session_number}")
