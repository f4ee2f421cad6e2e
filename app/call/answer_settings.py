"""How long is waited for what, when a machine answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    silence_ms: int = 3_000
    """A machine that has been silent for so long is taken to record, though no beep was heard."""
    greeting_ms: int = 60_000
    """Longest wait for the end of a machine's greeting."""
    beep_within_ms: int = 60_000
    """So long after the answer a beep says that a machine answered, if nobody else has said who
    did ..."""
    beep_after_ms: int = 300
    """... and so much sound came before it: a beep alone may be anything."""
    person_ms: int = 700
    """Whoever speaks for so long into the message is a person; words are one at once."""
    echo_ms: int = 1_500
    """A second beep so soon after the first is the one that counts."""
    most_takes: int = 3
    """So often the message is begun at most."""
