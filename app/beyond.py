"""What outlives a call or a worker."""

from dataclasses import dataclass

from app.dial_book import DialBook
from app.live import Live
from app.outgoing.outgoing import Outgoing
from app.records.do_not_call import DoNotCall
from app.records.keeper import RecordKeeper
from app.speech.phrase_book import PhraseBook


@dataclass(frozen=True, slots=True)
class Beyond:
    """What outlives a call or a worker. Without it each process is on its own."""

    live: Live | None = None
    phrases: PhraseBook | None = None
    outgoing: Outgoing | None = None
    do_not_call: DoNotCall | None = None
    records: RecordKeeper | None = None
    dials: DialBook | None = None
    """Told of the calls that campaigns have placed; None: there are none."""


ALONE = Beyond()
