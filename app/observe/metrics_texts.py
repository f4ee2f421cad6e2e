"""What is counted of text messages. A value outside a label's list is not counted."""

from prometheus_client import CollectorRegistry

from app.observe import metrics_families as families
from app.observe.metrics_kinds import count


class TextMetrics:
    """Fits `app.text.ports.Watch`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._received = families.TEXTS_RECEIVED.make(registry)
        self._sent = families.TEXTS_SENT.make(registry)
        self._delivered = families.TEXTS_DELIVERED.make(registry)
        self._turns = families.TEXT_TURNS.make(registry)
        self._turn = families.TEXT_TURN.make(registry)
        self._silences = families.TEXT_SILENCES.make(registry)

    def received(self, kind: str) -> None:
        """A message came in."""
        count(self._received, families.TEXTS_RECEIVED, kind)

    def sent(self, how: str) -> None:
        """A message was to be sent."""
        count(self._sent, families.TEXTS_SENT, how)

    def turn(self, end: str, seconds: float) -> None:
        """A turn is over."""
        count(self._turns, families.TEXT_TURNS, end)
        self._turn.observe(seconds)

    def silent(self, why: str) -> None:
        """A turn gets no answer."""
        count(self._silences, families.TEXT_SILENCES, why)

    def delivered(self, state: str) -> None:
        """Twilio told what became of a message."""
        count(self._delivered, families.TEXTS_DELIVERED, state)
