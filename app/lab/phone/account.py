"""One Twilio account: what its calls, its REST API and its messages have in common.

account = Account(account_sid=..., auth_token=..., people={"+15550100007": Callee(...)})
line = PhoneLine(voice_url, account=account)
async with TwilioRest(account=account) as rest:
    ...
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from app.lab.phone.agenda import Agenda
from app.lab.phone.call import LiveCall
from app.lab.phone.conference import Conferences
from app.lab.phone.identity import CallStatus
from app.lab.phone.impairments import Impairments
from app.lab.phone.messages import Messages
from app.lab.phone.notices import Notices
from app.lab.phone.pace import Pace
from app.lab.phone.people import Callee, Directory, bare, find
from app.lab.phone.queues import Queues
from app.lab.phone.recording import Recordings
from app.lab.phone.report import CallReport, LineEvent

OnEvent: TypeAlias = Callable[[LineEvent], None]


def ignore_event(event: LineEvent) -> None:
    """The default listener."""


@dataclass(eq=False, slots=True)
class PlacedCall:
    """A call that the account knows, from its beginning on."""

    live: LiveCall
    task: "asyncio.Task[CallReport]"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def status(self) -> CallStatus:
        return self.live.status


class Account:
    """Calls of lines and of the REST API that share it can be bridged, steered and recorded."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        people: Directory | None = None,
        numbers: Iterable[str] = (),
        verified: Iterable[str] = (),
        services: Iterable[str] = (),
        blocked_prefixes: tuple[str, ...] = (),
        impairments: Impairments | None = None,
        pace: Pace | None = None,
        on_event: OnEvent = ignore_event,
        keeps_calls: bool = True,
    ) -> None:
        """`people`: who is at an address. `numbers`: owned; those that lines are called at are
        added by themselves, and, if none is given, those that REST calls come from. `verified`:
        further caller ids. `services`: messaging services; none: any is taken.
        `blocked_prefixes`: numbers that geo permissions forbid, such as "+44". `keeps_calls`: also
        those that are over, with their reports and recordings."""
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.people: Directory = people if people is not None else {}
        self.numbers = set(numbers)
        self._strict = bool(self.numbers)
        self.verified = set(verified)
        self.blocked_prefixes = blocked_prefixes
        self.impairments = impairments or Impairments()
        self.pace = pace or Pace()
        self.on_event = on_event
        self.keeps_calls = keeps_calls
        self.notices = Notices(auth_token)
        self.calls: dict[str, PlacedCall] = {}
        """By SID, oldest first."""
        self.recordings = Recordings(self.notices)
        self.conferences = Conferences(account_sid, self.notices)
        self.queues = Queues()
        self.kept: dict[str, dict[str, dict[str, object]]] = {}
        """What the REST API keeps besides: path of a kind -> SID -> the thing."""
        self.messages = Messages(self, tuple(services))
        self._agenda: Agenda | None = None

    def clock(self) -> Agenda:
        """One for all calls; a new one when the account is used in another event loop."""
        if self._agenda is None or self._agenda.loop is not asyncio.get_running_loop():
            self._agenda = Agenda()
        return self._agenda

    def callee(self, address: str) -> Callee:
        """Who is there."""
        return find(self.people, address)

    def blocks(self, address: str) -> bool:
        """Whether geo permissions forbid it."""
        return address.startswith(self.blocked_prefixes) if self.blocked_prefixes else False

    def may_show(self, caller_id: str) -> bool:
        """Whether a call may go out under this number."""
        return caller_id in self.numbers or caller_id in self.verified

    def may_call_from(self, number: str) -> bool:
        """Whether REST calls may come from it. An account that was given no numbers learns them."""
        if not self._strict and number.startswith("+"):
            self.numbers.add(number)
        return not number.startswith("+") or self.may_show(number)

    async def report(self, call_sid: str) -> CallReport:
        """Wait for a call's end. Raises KeyError for a call that there never was."""
        task = self.calls[call_sid].task
        return task.result() if task.done() else await asyncio.shield(task)

    async def reports_to(self, address: str) -> list[CallReport]:
        """Of all calls made to this address so far, once they are over, oldest first."""
        return [await self.report(sid) for sid in self.calls_to(address)]

    def calls_to(self, address: str) -> list[str]:
        """SIDs of all calls made to this address, oldest first."""
        wanted = bare(address)
        return [
            sid for sid, placed in self.calls.items() if bare(placed.live.identity.to) == wanted
        ]

    def forget(self, call_sid: str) -> None:
        """A call, and its recordings."""
        self.calls.pop(call_sid, None)
        for recording in self.recordings.of_call(call_sid):
            del self.recordings.by_sid[recording.sid]

    async def close(self) -> None:
        """Hang up what still runs and wait for its end."""
        running = [placed for placed in self.calls.values() if not placed.task.done()]
        for placed in running:
            placed.live.hang_up("rest")
        await asyncio.gather(*(placed.task for placed in running))
        await self.notices.settled()
