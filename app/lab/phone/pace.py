"""How long TwiML's own sounds last; they are timed, not synthesised. Tests set them to 0."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    say_ms_per_char: int = 60
    play_ms: int = 2000
    pause_factor: float = 1.0
    """Of a <Pause>'s length."""
