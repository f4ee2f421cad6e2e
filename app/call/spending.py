"""What a call may cost: at a share of its cap it is noted, at the cap the call goes on as the
operator wants: as it is, with the cheapest model of the list, or not at all.

The last model of an agent's list counts as the cheapest: the operator orders it.
"""

from app.call.commands import Command
from app.call.endings import EndReason
from app.call.machines import Machines
from app.call.phases import Phase

GOODBYE = (
    "This call must end now. Tell the caller so kindly in one short sentence, say how they can "
    "reach you again if you know, and say goodbye. Call no tool."
)


class Spending:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._warned = self._acted = False

    @property
    def at_work(self) -> bool:
        return bool(self._m.settings.spend.cap_usd) and not self._acted

    def look(self, now_ms: int) -> list[Command]:
        """After each step, while `at_work`."""
        m, s = self._m, self._m.settings.spend
        cost_usd = m.bill.usd
        if not self._warned and not cost_usd < s.cap_usd * s.warn_share:
            self._warned = True
            share = round(100 * s.warn_share)
            m.scribe.timeline.note(now_ms, "spend", f"{share} % of what the call may cost")
        # A cost that is no number is over any cap.
        if cost_usd < s.cap_usd:
            return []
        self._acted = True
        m.scribe.timeline.note(now_ms, "spend", f"the call has cost its cap: {s.then}")
        if s.then == "downgrade":
            return m.handover.downgrade(now_ms)
        if s.then == "end" and m.phase is not Phase.GOODBYE:
            m.begin_goodbye(EndReason.SPENT, now_ms)
            return m.responses.want(GOODBYE, now_ms)
        return []
