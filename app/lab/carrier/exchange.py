"""The life of the carrier's calls: they wait for their turn, ring, are answered or not, and end.

    queued -> initiated -> ringing -> in-progress -> completed
                        -> busy, failed     ringing -> no-answer, busy
    queued, initiated, ringing --ended by us--> canceled;  in-progress --> completed

Calls above the calls per second wait in a queue (Twilio docs, "Calls per second"). Time is a
`Clock`; `pace` says how much faster than real time it passes in calls.
"""

from collections.abc import Callable
from typing import Final, Protocol

from app.lab.carrier.calls import CarrierCall
from app.lab.carrier.parties import FINDS, Party
from app.lab.phone.agenda import Clock
from app.lab.phone.identity import ENDED, CallIdentity, CallStatus
from app.lab.phone.rest_order import CallOrder

SETUP_S: Final = 0.8
"""From `initiated` until it rings, or is found busy or not to exist."""
SIP_CODES: Final = {"rejects": "603", "fails": "404"}


class Follower(Protocol):
    """Told of what happens to a call, after it has happened."""

    def became(self, call: CarrierCall) -> None:
        """It has another status."""
        ...

    def detected(self, call: CarrierCall, took_ms: int) -> None:
        """Machine detection has come to a result: `call.answered_by`."""
        ...


class Exchange:
    """`per_s`: calls dialled in a second of the calls' own time; 0: any number."""

    def __init__(
        self,
        clock: Clock,
        now_ms: Callable[[], int],
        follower: Follower,
        *,
        pace: float = 1.0,
        per_s: float = 0.0,
    ) -> None:
        self._clock = clock
        self._now_ms = now_ms
        self._follower = follower
        self._pace = pace
        self._gap_s = 1 / per_s / pace if per_s else 0.0
        self._next_s = float("-inf")

    def place(self, identity: CallIdentity, order: CallOrder, party: Party) -> CarrierCall:
        """From now on there is such a call."""
        now_s = self._clock.now_s()
        turn_s = max(now_s, self._next_s)
        self._next_s = turn_s + self._gap_s
        waits_ms = round((turn_s - now_s) * self._pace * 1000)
        call = CarrierCall(identity, order, party, self._now_ms(), waits_ms, self._pace)
        self._clock.at(turn_s, lambda: self._dial(call))
        return call

    def end(self, call: CarrierCall, status: CallStatus) -> None:
        """By REST. One that is over stays as it is."""
        if call.status not in ENDED:
            self._becomes(call, status)

    def _dial(self, call: CarrierCall) -> None:
        if call.status != "queued":
            return
        call.dialled_ms = self._now_ms()
        self._becomes(call, "initiated")
        at_once: dict[str, CallStatus] = {"fails": "failed", "busy": "busy"}
        self._next(call, SETUP_S, at_once.get(call.party.does, "ringing"), self._rings)

    def _rings(self, call: CarrierCall) -> None:
        party, limit_s = call.party, call.order.ring_limit_ms / 1000
        if party.does == "rings_out" or party.ring_s > limit_s:
            self._next(call, limit_s, "no-answer")
        elif party.does == "rejects":
            self._next(call, party.ring_s, "busy")
        else:
            self._next(call, party.ring_s, "in-progress", self._talks)

    def _talks(self, call: CarrierCall) -> None:
        call.answered_ms = self._now_ms()
        limit_s = call.order.time_limit_s
        talk_s = call.party.talk_s if limit_s is None else min(limit_s, call.party.talk_s)
        self._next(call, talk_s, "completed")
        self._detect(call)

    def _detect(self, call: CarrierCall) -> None:
        asked = call.order.detection
        if asked is None:
            return
        took_s, found = asked.takes_ms / 1000, FINDS.get(call.party.does, "human")
        if found == "unknown":
            took_s = 5.0
        elif found.startswith("machine"):
            took_s += call.party.greeting_s if asked.message_end else 0
            found = found if asked.message_end else "machine_start"

        def tell() -> None:
            if call.status == "in-progress":
                call.answered_by = found
                self._follower.detected(call, round(took_s * 1000))

        self._later(took_s, tell)

    def _next(
        self,
        call: CarrierCall,
        after_s: float,
        status: CallStatus,
        then: Callable[[CarrierCall], None] | None = None,
    ) -> None:
        """Unless something else becomes of it before. `then`: run before anybody is told."""
        before = call.status

        def become() -> None:
            if call.status == before:
                self._becomes(call, status, then if status in ("ringing", "in-progress") else None)

        self._later(after_s, become)

    def _becomes(
        self,
        call: CarrierCall,
        status: CallStatus,
        then: Callable[[CarrierCall], None] | None = None,
    ) -> None:
        call.status = status
        if status in ENDED:
            call.ended_ms = self._now_ms()
        if then is not None:
            then(call)
        self._follower.became(call)

    def _later(self, after_s: float, action: Callable[[], None]) -> None:
        self._clock.at(self._clock.now_s() + after_s / self._pace, action)
