"""One call of the carrier, and all of them: what is known of each, and who asks for which."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.lab.carrier.parties import Party
from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.rest_order import CallOrder
from app.lab.phone.rest_wire import call_resource


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


@dataclass(eq=False, slots=True)
class CarrierCall:
    """Times are Unix ms."""

    identity: CallIdentity
    order: CallOrder
    party: Party
    created_ms: int
    queue_ms: int
    """How long it will have waited before it is dialled, in its own time."""
    pace: float
    status: CallStatus = "queued"
    dialled_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    answered_by: str = ""
    sequence: int = 0
    """Of the next status callback."""

    @property
    def dialled_at(self) -> datetime | None:
        return None if self.dialled_ms is None else moment(self.dialled_ms)

    @property
    def ended_at(self) -> datetime | None:
        return None if self.ended_ms is None else moment(self.ended_ms)

    @property
    def talked_s(self) -> int:
        """In its own seconds."""
        if self.answered_ms is None or self.ended_ms is None:
            return 0
        return round((self.ended_ms - self.answered_ms) / 1000 * self.pace)

    def resource(self) -> Mapping[str, object]:
        return call_resource(
            self.identity,
            self.status,
            created=moment(self.created_ms),
            updated=datetime.now(UTC),
            dialled=self.dialled_at,
            answered=None if self.answered_ms is None else moment(self.answered_ms),
            ended=self.ended_at,
            pace=self.pace,
            answered_by=self.answered_by,
            queue_ms=self.queue_ms,
        )


class Calls:
    """All calls, by SID and by number."""

    def __init__(self) -> None:
        self._by_sid: dict[str, CarrierCall] = {}
        self._by_to: dict[str, list[CarrierCall]] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def __iter__(self) -> Iterator[CarrierCall]:
        """Oldest first."""
        return iter(self._by_sid.values())

    def add(self, call: CarrierCall) -> None:
        self._by_sid[call.identity.call_sid] = call
        self._by_to.setdefault(call.identity.to, []).append(call)

    def get(self, call_sid: str) -> CarrierCall | None:
        return self._by_sid.get(call_sid)

    def to(self, number: str) -> list[CarrierCall]:
        """Oldest first."""
        return self._by_to.get(number, [])

    def newest_first(self, to: str | None, before_ms: float) -> Iterator[CarrierCall]:
        """Created up to `before_ms`; only those to a number, if one is named."""
        calls = list(self._by_sid.values()) if to is None else self.to(to)
        return (call for call in reversed(calls) if call.created_ms <= before_ms)
