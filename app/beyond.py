"""What outlives a call or a worker."""

from dataclasses import dataclass

from app.live import Live
from app.outgoing.outgoing import Outgoing
from app.speech.phrase_book import PhraseBook


@dataclass(frozen=True, slots=True)
class Beyond:
    """What outlives a call or a worker. Without it each process is on its own."""

    live: Live | None = None
    phrases: PhraseBook | None = None
    outgoing: Outgoing | None = None


ALONE = Beyond()
