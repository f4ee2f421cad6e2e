"""The bytes of the sound that plays while a slow tool runs."""

from app.speech.hold_tone import hold_tone


def sound(start: int, end: int) -> bytes:
    """A stretch of it, in μ-law: it goes round, counted from its beginning."""
    loop = hold_tone()
    first, n_bytes = start % len(loop), end - start
    rounds = 1 + (first + n_bytes - 1) // len(loop)
    return (loop * rounds)[first : first + n_bytes]
