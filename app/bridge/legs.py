"""The model sessions of one call: one carries it, the next one may stand by.

Each session is read by a task of its own, so that one that stands by is known to live. What the
heart hears of it is only that it is ready or gone; all else comes from the one that carries the
call. Nothing here decides which that is: the heart's commands do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.bridge.caller_path import CallerPath
from app.call.commands import ClearInput, OpenLeg, TakeLeg
from app.call.events import (
    Entry,
    Event,
    ModelClosed,
    ModelFault,
    ModelReady,
    SpeechStarted,
    SpeechStopped,
)
from app.models.ports import Incoming, ModelCommand, ModelSession

LAST_WORD_S = 1.0
"""After a fatal error the model's side closes within this time, and says better why."""

OpenModel = Callable[[OpenLeg], Awaitable[ModelSession]]


class Step(Protocol):
    def __call__(self, event: Event, audio: bytes | None = None) -> None: ...


class Legs:
    """`step` takes an event into the heart; `spawn` runs a task whose faults end the call."""

    def __init__(
        self,
        open_model: OpenModel,
        caller: CallerPath,
        step: Step,
        spawn: Callable[[Awaitable[None]], asyncio.Task[None]],
    ) -> None:
        self._open_model = open_model
        self._caller = caller
        self._step = step
        self._spawn = spawn
        self._sessions: dict[int, ModelSession] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.leg = 0
        """The one that carries the call; 0: none."""
        self.session: ModelSession | None = None
        self._offered: Sequence[Mapping[str, object]] | None = None
        """The tools of every session from now on; None: as they were opened."""

    def open(self, command: OpenLeg) -> None:
        self._tasks[command.leg] = self._spawn(self._follow(command))

    def take(self, command: TakeLeg) -> None:
        """Tell the session what was said before, let it hear the caller, close the one before."""
        session, before = self._sessions[command.leg], self.leg
        for entry in command.entries:
            session.tell(entry, self._voice(entry))
        self.leg, self.session = command.leg, session
        self._caller.connect(session, command.heard_ms, command.replay_ms)
        if before:
            self.close(before)

    def send(self, command: ModelCommand) -> None:
        if self.session is None:
            return
        self.session.send(command)
        if isinstance(command, ClearInput) and command.keep_ms:
            self._caller.again(command.keep_ms)

    def offer(self, tools: Sequence[Mapping[str, object]]) -> None:
        """Let every session have these tools, also one that is only now being opened."""
        self._offered = tools
        for session in self._sessions.values():
            session.offer(tools)

    def close(self, leg: int) -> None:
        """Nothing more of this session counts. Its closing goes on in the background."""
        task = self._tasks.pop(leg, None)
        if task is not None:
            task.cancel()
        session = self._sessions.pop(leg, None)
        self._gone(leg)
        if session is not None:
            closing = asyncio.ensure_future(session.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close_all(self) -> None:
        """Bounded in time by the sessions."""
        for leg in [*self._sessions, *self._tasks]:
            self.close(leg)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _gone(self, leg: int) -> None:
        if leg == self.leg:
            self.leg, self.session = 0, None
            self._caller.disconnect()

    def _voice(self, entry: Entry) -> bytes:
        if entry.audio_start_ms is None or entry.audio_end_ms is None:
            return b""
        return self._caller.audio(entry.audio_start_ms, entry.audio_end_ms)

    async def _follow(self, command: OpenLeg) -> None:
        """Open a session and read it until it closes, or until it is closed here."""
        leg, offered = command.leg, self._offered
        session = await self._open_model(command)
        self._sessions[leg] = session
        if self._offered is not None and self._offered is not offered:
            session.offer(self._offered)
        while True:
            incoming = await session.receive()
            if isinstance(incoming.event, ModelFault) and incoming.event.kind == "fatal":
                incoming = await _last_word(session, incoming)
            match incoming.event:
                case ModelReady():
                    self._step(replace(incoming.event, leg=leg))
                case ModelClosed():
                    self._tasks.pop(leg, None)
                    self.close(leg)
                    self._step(replace(incoming.event, leg=leg))
                    return
                case _ if leg == self.leg:
                    self._step(self._placed(incoming.event), incoming.audio)
                case _:
                    pass

    def _placed(self, event: Event) -> Event:
        """Positions of a session's own axis, on the caller axis of the call."""
        base_ms = self._caller.base_ms
        if not base_ms:
            return event
        match event:
            case SpeechStarted():
                start_ms = event.audio_start_ms + base_ms
                return replace(event, audio_start_ms=start_ms, axis_ms=event.axis_ms + base_ms)
            case SpeechStopped():
                end_ms = event.audio_end_ms + base_ms
                return replace(event, audio_end_ms=end_ms, axis_ms=event.axis_ms + base_ms)
            case _:
                return event


async def _last_word(model: ModelSession, fatal: Incoming) -> Incoming:
    """The session's end that follows a fatal error, or the error itself if none comes."""
    try:
        async with asyncio.timeout(LAST_WORD_S):
            incoming = fatal
            while not isinstance(incoming.event, ModelClosed):
                incoming = await model.receive()
            return incoming
    except TimeoutError:
        return fatal
