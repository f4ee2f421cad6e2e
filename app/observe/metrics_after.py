"""What is counted of webhooks and of the records that are written when a call is over. A value
outside a label's list is not counted."""

from typing import Protocol

from prometheus_client import CollectorRegistry

from app.observe import metrics_families as families
from app.observe.metrics_kinds import count


class Backlog(Protocol):
    """See `app.outgoing.store.Backlog`."""

    @property
    def waiting(self) -> int: ...

    @property
    def dead(self) -> int: ...

    @property
    def oldest_s(self) -> float | None: ...


class WebhookMetrics:
    """Fits `app.outgoing.watch.Watch`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = families.WEBHOOK_ATTEMPTS.make(registry)
        self._ended = families.WEBHOOKS_ENDED.make(registry)
        self._kept = families.WEBHOOKS_KEPT.make(registry)
        self._oldest = families.WEBHOOK_OLDEST.make(registry)

    def attempted(self, outcome: str) -> None:
        """An endpoint was sent a message, or could not be."""
        count(self._attempts, families.WEBHOOK_ATTEMPTS, outcome)

    def ended(self, end: str) -> None:
        """A message needs no further attempt, or gets none."""
        count(self._ended, families.WEBHOOKS_ENDED, end)

    def backlog(self, backlog: Backlog, now_s: float) -> None:
        """What is on disk. `now_s`: Unix seconds."""
        self._kept.labels("waiting").set(backlog.waiting)
        self._kept.labels("dead").set(backlog.dead)
        oldest_s = backlog.oldest_s
        self._oldest.set(0.0 if oldest_s is None else max(0.0, now_s - oldest_s))


class AfterMetrics:
    """Told of every call that was to be written down."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._extractions = families.EXTRACTIONS.make(registry)
        self._requests = families.EXTRACTION_REQUESTS.make(registry)
        self._duration = families.EXTRACTION_DURATION.make(registry)

    def extracted(self, status: str, asked: int, seconds: float) -> None:
        """`asked`: requests to the text model; `seconds`: how long all of it took."""
        count(self._extractions, families.EXTRACTIONS, status)
        self._requests.inc(asked)
        if asked:
            self._duration.observe(seconds)
