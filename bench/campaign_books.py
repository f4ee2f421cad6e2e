"""The books of dialling in memory, for a simulated clock: what `app.live.pace.RedisPace` keeps in
Redis, with the same answers (tests/bench/test_campaign_books.py asks both the same questions).
The decisions are not here: both are given the same function."""

from collections.abc import Callable, Collection, Mapping, Sequence

from app.live.names import SLOT_TTL_S
from app.live.pace import Books, Decide, Hold, NumberBook, Slot, campaign_of, slot_of

LEASE_US = SLOT_TTL_S * 1_000_000


class BooksHere:
    """Fits `app.campaigns.pacing.Ledger`. `clock_us`: the simulated one."""

    def __init__(self, clock_us: Callable[[], int], *, leases: bool = True) -> None:
        """`leases` of False: slots live until they are given back, and need no renewal."""
        self._clock_us, self._leases = clock_us, leases
        self._since_us: int | None = None
        self._account_us = 0
        self._campaigns_us: dict[str, int] = {}
        self._numbers: dict[str, NumberBook] = {}
        self._slots: dict[str, dict[str, int]] = {}
        self._taken = 0

    async def take(
        self, campaign_id: str, numbers: Sequence[str], decide: Decide, name: str = ""
    ) -> Slot | Hold:
        now_us = self._clock_us()
        if self._since_us is None:
            self._since_us = self._account_us = now_us
            return Hold(0, "the books of dialling are begun")
        decided = decide(self._books(self._since_us, now_us, campaign_id, numbers))
        if isinstance(decided, Hold):
            return decided
        self._account_us = decided.account_us
        self._campaigns_us[campaign_id] = decided.campaign_us
        self._numbers[decided.number] = decided.book
        self._taken += 1
        slot = slot_of(campaign_id, name or str(self._taken))
        self._slots.setdefault(campaign_id, {})[slot] = now_us + LEASE_US
        return Slot(slot, decided.number)

    async def bind(self, slot: str, call_id: str) -> None:
        """Nothing counts streams here."""

    async def free(self, slot: str) -> None:
        self._slots.get(campaign_of(slot), {}).pop(slot, None)

    async def keep(self, slots: Collection[str]) -> set[str]:
        kept = {slot for slot in slots if slot in self._slots.get(campaign_of(slot), ())}
        for slot in kept:
            self._slots[campaign_of(slot)][slot] = self._clock_us() + LEASE_US
        return kept

    def _books(self, since_us: int, now_us: int, campaign_id: str, numbers: Sequence[str]) -> Books:
        living = {campaign: self._living(slots, now_us) for campaign, slots in self._slots.items()}
        return Books(
            now_us=now_us,
            since_us=since_us,
            account_us=self._account_us,
            campaign_us=self._campaigns_us.get(campaign_id, since_us),
            calls=sum(living.values()),
            campaign_calls=living.get(campaign_id, 0),
            numbers={
                number: self._numbers.get(number) or NumberBook(since_us) for number in numbers
            },
        )

    def _living(self, slots: Mapping[str, int], now_us: int) -> int:
        return sum(end_us > now_us for end_us in slots.values()) if self._leases else len(slots)
