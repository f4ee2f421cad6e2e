"""What a call has cost so far: all legs, summaries and verdicts, as far as prices are known."""

from app.call.events import Usage
from app.call.prices import Prices, cost_usd


class Bill:
    """One per call. US dollars."""

    def __init__(self) -> None:
        self.usd = 0.0
        self.leg_usd = 0.0
        """Of the leg that carries the call, with the summaries that were written meanwhile."""

    def pay(self, prices: Prices | None, usage: Usage | None) -> float | None:
        """The price of what was used, added to the call's; None: it is not known."""
        if prices is None or usage is None:
            return None
        cost = cost_usd(prices, usage)
        self.usd += cost
        return cost

    def pay_of_leg(self, prices: Prices | None, usage: Usage | None) -> None:
        """The same, of the leg that carries the call."""
        self.leg_usd += self.pay(prices, usage) or 0.0

    def leg_taken(self) -> None:
        """Another leg carries the call."""
        self.leg_usd = 0.0
