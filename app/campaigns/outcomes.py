"""What can come of one dial, in the field's words, and what each means for the contact."""

from enum import StrEnum


class Outcome(StrEnum):
    ANSWERED = "answered"
    """A person talked with the agent."""
    MESSAGE_LEFT = "message_left"
    """A machine took the whole message."""
    MACHINE = "machine"
    """A machine answered, and no message was left."""
    FAX = "fax"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    """The person, or their network, refused the call."""
    INVALID_NUMBER = "invalid_number"
    FAILED = "failed"
    """The carrier could not place it; nobody's phone rang."""
    ABANDONED = "abandoned"
    """A person answered and heard nothing for two seconds or more."""
    CANCELED = "canceled"
    """We took it back while it rang."""


RANG: frozenset[Outcome] = frozenset(set(Outcome) - {Outcome.FAILED, Outcome.INVALID_NUMBER})
"""These count as attempts on the person; the others did not reach them."""
LIVE: frozenset[Outcome] = frozenset({Outcome.ANSWERED, Outcome.ABANDONED})
"""A person answered: the base of the abandonment rate."""
