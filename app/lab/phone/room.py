"""Legs that hear each other: every seat gets the others' frames, put together."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.lab.phone.call import LiveCall
from app.lab.phone.mixing import mixed
from telecodecs.dtmf import dtmf_tone

TONE_MS = 100
BUFFER_FRAMES = 3
"""Each leg has a clock of its own; what piles up beyond this is dropped, oldest first."""


class RoomSeat:
    """One leg's place in a room."""

    def __init__(self, room: "Room", call: LiveCall) -> None:
        self.call = call
        self._room = room
        self._inbox: dict[RoomSeat, deque[bytes]] = {}
        self._sounding: bytes | None = None

    @property
    def sounding(self) -> bytes | None:
        return self._sounding

    def advance(self, at_s: float) -> bytes | None:
        heard = self._sounding
        waiting = [frames for frames in self._inbox.values() if frames]
        self._sounding = mixed([frames.popleft() for frames in waiting])
        return heard

    def caller_frame(self, frame: bytes) -> None:
        for other in self._room.hearers(self):
            other.receive(self, frame)

    def receive(self, source: "RoomSeat", frame: bytes) -> None:
        frames = self._inbox.setdefault(source, deque())
        frames.append(frame)
        if len(frames) > BUFFER_FRAMES:
            frames.popleft()

    def forget(self, source: "RoomSeat") -> None:
        self._inbox.pop(source, None)

    def press(self, digit: str) -> None:
        for other in self._room.hearers(self):
            other.call.hears("key", digit, self.call.identity.call_sid)
            other.call.ambience.play(dtmf_tone(digit, TONE_MS, 0))
        self._room.on_key(self.call, digit)

    def started(self, text: str) -> None:
        """The person begins to say something."""
        for other in self._room.hearers(self) if text else ():
            other.call.hears("party", text, self.call.identity.call_sid)

    def stopped(self, text: str) -> None:
        return


class Room:
    """`carries` may keep one seat's sound from another's."""

    def __init__(
        self,
        carries: Callable[[LiveCall, LiveCall], bool] = lambda source, target: True,
        on_key: Callable[[LiveCall, str], None] = lambda call, digit: None,
    ) -> None:
        self.on_key = on_key
        self._carries = carries
        self._seats: list[RoomSeat] = []

    def hearers(self, source: RoomSeat) -> list[RoomSeat]:
        """Who hears what comes from this seat now."""
        return [
            seat
            for seat in self._seats
            if seat is not source and self._carries(source.call, seat.call)
        ]

    @contextmanager
    def seated(self, call: LiveCall) -> Iterator[RoomSeat]:
        """The leg is in the room for so long."""
        seat = RoomSeat(self, call)
        self._seats.append(seat)
        call.seat = seat
        call.listeners.append(seat)
        try:
            yield seat
        finally:
            call.seat = None
            call.listeners.remove(seat)
            self._seats.remove(seat)
            for other in self._seats:
                other.forget(seat)


class Bridge:
    """Two legs, connected until either leaves."""

    def __init__(self, hangup_on_star_from: LiveCall | None = None) -> None:
        self._star_from = hangup_on_star_from
        self._room = Room(on_key=self._on_key)
        self.over = asyncio.Event()

    async def sit(self, call: LiveCall) -> None:
        """Returns once the bridge is over; cancelled, it ends the bridge."""
        try:
            with self._room.seated(call):
                await self.over.wait()
        finally:
            self.over.set()

    def _on_key(self, call: LiveCall, digit: str) -> None:
        if call is self._star_from and digit == "*":
            self.over.set()
