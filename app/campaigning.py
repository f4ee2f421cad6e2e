"""Outbound campaigns as the settings want them: who joins the database, the carrier and Redis."""

from app.campaigns.meter import Meter
from app.campaigns.pacing import Pacing
from app.campaigns.permits import AccountLimits
from app.live import Live
from app.records.database import Database
from app.settings import Settings


def pacing_of(settings: Settings, live: Live, database: Database) -> Pacing:
    """The pacing of this process; who dials runs `pacing.run()` beside it."""
    limits = AccountLimits(
        calls_per_second=settings.calls_per_second,
        number_calls_per_second=settings.number_calls_per_second,
        at_once=settings.calls_at_once,
        kept_free=settings.calls_kept_free,
    )
    return Pacing(live.pace, Meter(database), limits, live.capacity)
