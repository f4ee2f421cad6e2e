"""Conferences: who is in the room, who hears whom, when it starts and when it ends.

Source: shared notes on Twilio Voice, section 6. A conference starts with its second participant, if
one of them may start it; until then everybody hears the waiting music.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from app.lab.phone.call import LiveCall
from app.lab.phone.conference_events import ConferenceCallback, ConferenceTeller, LeaveReason
from app.lab.phone.course import HungUp
from app.lab.phone.identity import new_sid
from app.lab.phone.mixing import beep
from app.lab.phone.notices import Notices
from app.lab.phone.room import Room
from app.lab.phone.webhook import Method

Beep: TypeAlias = Literal["true", "false", "onEnter", "onExit"]
BEEPS: frozenset[str] = frozenset({"true", "false", "onEnter", "onExit"})

ConferenceStatus: TypeAlias = Literal["init", "in-progress", "completed"]

Sounds: TypeAlias = Callable[[str, Method, bool], Awaitable[None]]
"""(URL of TwiML, method, whether it repeats): heard on one leg, until cancelled if it repeats"""


@dataclass(frozen=True, slots=True)
class Attendance:
    """How a leg takes part."""

    label: str = ""
    muted: bool = False
    starts: bool = True
    ends: bool = False
    beep: Beep = "true"
    wait_url: str | None = None
    """None: the network's own music; "": silence."""
    wait_method: Method = "POST"
    coaches: str = ""
    """Call SID of the only participant who hears this one."""
    callback: ConferenceCallback | None = None


@dataclass(eq=False, slots=True)
class Participant:
    call: LiveCall
    how: Attendance
    sounds: Sounds
    muted: bool = False
    hold: bool = False
    hold_url: str = ""
    hold_method: Method = "GET"
    ends: bool = False
    gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    announcing: "set[asyncio.Task[None]]" = field(default_factory=set)
    joined: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def call_sid(self) -> str:
        return self.call.identity.call_sid


class Conference:
    """One conference from its first participant's coming to its last one's leaving."""

    def __init__(self, account_sid: str, name: str, notices: Notices) -> None:
        self.account_sid = account_sid
        self.name = name
        self.sid = new_sid("CF")
        self.status: ConferenceStatus = "init"
        self.created = datetime.now(UTC)
        self.updated = self.created
        self.reason_ended = ""
        self.ended_by = ""
        """Call SID of the participant whose leaving ended it."""
        self.participants: dict[str, Participant] = {}
        """By call SID, only those who are in it."""
        self.invited: dict[str, tuple[LiveCall, Attendance]] = {}
        """By call SID: called and not yet in it."""
        self.events = ConferenceTeller(account_sid, self.sid, name, notices)
        self._room = Room(self._carries)

    @property
    def over(self) -> bool:
        return self.status == "completed"

    async def attend(self, call: LiveCall, how: Attendance, sounds: Sounds) -> None:
        """Take part until the conference ends or the participant is removed."""
        one = Participant(call, how, sounds, muted=how.muted, ends=how.ends)
        self.invited.pop(call.identity.call_sid, None)
        if self.over:
            return
        with self._room.seated(call):
            self._enter(one)
            reason: LeaveReason = "participant_hung_up"
            try:
                await self._stay(one)
                reason = "conference_ended" if self.over else "participant_removed"
            finally:
                self._leave(one, reason)

    def remove(self, call_sid: str) -> None:
        """Raises KeyError for nobody of the participants."""
        one = self.participants[call_sid]
        one.gone = True
        one.changed.set()

    def change(
        self,
        one: Participant,
        *,
        muted: bool | None = None,
        hold: bool | None = None,
        ends: bool | None = None,
    ) -> None:
        """What REST may change of somebody who takes part."""
        if muted is not None and muted != one.muted:
            one.muted = muted
            self._tell(one, "participant-mute" if muted else "participant-unmute")
        if ends is not None and ends != one.ends:
            one.ends = ends
            self._tell(one, "participant-modify")
        if hold is not None and hold != one.hold:
            one.hold = hold
            one.changed.set()
            self._tell(one, "participant-hold" if hold else "participant-unhold")

    def announce(self, one: Participant, url: str, method: Method) -> None:
        """Let one participant hear TwiML; the others do not hear it."""
        task = asyncio.ensure_future(_whole(one.sounds(url, method, False)))
        one.announcing.add(task)
        task.add_done_callback(lambda done: self._announced(one, done))

    def end(self, reason: str, by: str = "") -> None:
        """Everybody has to leave."""
        if self.over:
            return
        self.status, self.reason_ended, self.ended_by = "completed", reason, by
        self.updated = datetime.now(UTC)
        for one in self.participants.values():
            one.gone = True
            one.changed.set()
        for call, _ in self.invited.values():
            call.hang_up("far_end", "canceled")
        self.events.ended(reason, by)

    def unanswered(self, call: LiveCall, how: Attendance) -> None:
        """Somebody who was called never came."""
        if self.invited.pop(call.identity.call_sid, None) is not None:
            self.events.left(call, how, "participant_unreachable", call.status)
            if not self.participants and not self.invited:
                self.end("last-participant-left", call.identity.call_sid)

    def _enter(self, one: Participant) -> None:
        self.participants[one.call_sid] = one
        self.events.adopt(one.how.callback)
        self._tell(one, "participant-join")
        if one.how.beep in ("true", "onEnter"):
            self._beep()
        others = len(self.participants) > 1
        if self.status == "init" and others and any(p.how.starts for p in self._present()):
            self.status = "in-progress"
            self.updated = datetime.now(UTC)
            self.events.started(one.call_sid)
            for each in self.participants.values():
                each.changed.set()

    async def _stay(self, one: Participant) -> None:
        while not one.gone:
            one.changed.clear()
            music = asyncio.ensure_future(self._music(one))
            try:
                await one.changed.wait()
            finally:
                music.cancel()
                await asyncio.wait({music})

    async def _music(self, one: Participant) -> None:
        """What somebody hears who waits or is on hold."""
        if one.hold:
            await self._play(one, one.hold_url or None, one.hold_method)
        elif self.status == "init":
            await self._play(one, one.how.wait_url, one.how.wait_method)

    async def _play(self, one: Participant, url: str | None, method: Method) -> None:
        if url:
            await one.sounds(url, method, True)
        elif url is None:
            one.call.hears("music")
            one.call.ambience.loop("music")
            try:
                await asyncio.Event().wait()
            finally:
                one.call.ambience.loop(None)

    def _leave(self, one: Participant, reason: LeaveReason) -> None:
        for task in one.announcing:
            task.cancel()
        del self.participants[one.call_sid]
        over = isinstance(one.call.interruption, HungUp)
        status = "completed" if over else one.call.status
        self.events.left(one.call, one.how, reason, status, muted=one.muted, hold=one.hold)
        if one.how.beep in ("true", "onExit") and not self.over:
            self._beep()
        kicked = "kicked" if reason == "participant_removed" else "left"
        if one.ends:
            self.end(f"participant-with-end-conference-on-exit-{kicked}", one.call_sid)
        elif not self.participants and not self.invited:
            self.end(f"last-participant-{kicked}", one.call_sid)

    def _present(self) -> tuple[Participant, ...]:
        return tuple(self.participants.values())

    def _beep(self) -> None:
        for one in self._present():
            one.call.ambience.play(beep())
            one.call.hears("beep")

    def _carries(self, source: LiveCall, target: LiveCall) -> bool:
        from_ = self.participants.get(source.identity.call_sid)
        to = self.participants.get(target.identity.call_sid)
        if self.status != "in-progress" or from_ is None or to is None:
            return False
        if from_.muted or from_.hold or to.hold:
            return False
        return from_.how.coaches in ("", to.call_sid)

    def _tell(self, one: Participant, event: str) -> None:
        self.events.of(one.call, one.how, event, muted=one.muted, hold=one.hold, ends=one.ends)

    def _announced(self, one: Participant, done: "asyncio.Task[None]") -> None:
        one.announcing.discard(done)
        if not done.cancelled():
            done.result()
            self._tell(one, "announcement-end")


async def _whole(sound: Awaitable[None]) -> None:
    await sound


class Conferences:
    """All conferences of an account. A name means the one that is not over."""

    def __init__(self, account_sid: str, notices: Notices) -> None:
        self._account_sid = account_sid
        self._notices = notices
        self.by_sid: dict[str, Conference] = {}

    def find(self, sid_or_name: str) -> Conference | None:
        """By SID also one that is over."""
        if sid_or_name in self.by_sid:
            return self.by_sid[sid_or_name]
        for one in self.by_sid.values():
            if one.name == sid_or_name and one.status != "completed":
                return one
        return None

    def enter(self, name: str) -> Conference:
        """The one of this name, or a new one."""
        found = self.find(name)
        if found is None or found.status == "completed":
            found = Conference(self._account_sid, name, self._notices)
            self.by_sid[found.sid] = found
        return found
