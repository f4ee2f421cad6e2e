"""An agent's table [recording]: who records its calls, and whether the caller is asked."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Whether calls are recorded. While a private number is typed, they are not."""

    by: Literal["off", "own", "twilio"] = "off"
    """"own": a WAV file in the call's folder, the caller left and the agent right. "twilio": Twilio
    records and keeps it."""
    consent: Literal["none", "announce", "ask"] = "none"
    """"announce": one of the agent's notices says it. "ask": nothing is recorded before the tool
    recording_consent, which the agent must list, says that the caller agreed."""
    format: Literal["ulaw", "pcm"] = "ulaw"
    """Of our own files: 8-bit μ-law, 16 kB a second, or 16-bit PCM, twice that."""
    keep_days: Annotated[int, Field(ge=0, le=3_650)] = 30
    """Our own recordings that are older are deleted, in days. 0: they are kept."""
