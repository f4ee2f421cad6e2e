"""A call that the carrier records: begun, paused and resumed by requests that may fail.

    wanted: on -> paused (a private number is asked for) -> on -> ... -> the call ends, so does it

Requests go one after the other, each tried `TRIES` times. None of them harms the call. But a pause
that is not confirmed in time makes the private entry unsafe: whoever asked for it is told, and
calls it off. Keys that were pressed before the pause was confirmed make it unsafe too.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Protocol, TypeAlias

from app.bridge.recording import PRIVATE, Note
from app.call.generation import Generation
from app.call.keypad import Guard
from app.carriers.twilio.errors import TwilioError
from app.observe.log import event

logger = logging.getLogger(__name__)

TRIES: Final = 3
AGAIN_S: Final = 0.4
CONFIRMED_WITHIN_S: Final = 3.0
"""The longest wait for the pause; the question for the number takes about as long."""

Wanted: TypeAlias = Literal["off", "on", "paused"]


class Remote(Protocol):
    """See `app.carriers.twilio.rest_recordings.RestRecordings`."""

    async def start(self, call_sid: str) -> "Info": ...

    async def pause(self, call_sid: str, recording_sid: str) -> "Info": ...

    async def resume(self, call_sid: str, recording_sid: str) -> "Info": ...

    async def stop(self, call_sid: str, recording_sid: str) -> "Info": ...


class Info(Protocol):
    @property
    def recording_sid(self) -> str: ...

    @property
    def status(self) -> str: ...


class CarrierRecording:
    """See `app.bridge.recording.Recording`. Belongs to one event loop.

    `unsafe` is called when a private entry that goes on may be heard on the recording. `sid`: of a
    recording that another stream of the call began; it is paused for all we know.
    """

    def __init__(
        self,
        call_id: str,
        remote: Remote,
        note: Note,
        unsafe: Callable[[], None],
        *,
        waits: bool = False,
        sid: str = "",
        began: Callable[[str], None] = lambda sid: None,
    ) -> None:
        self._call_id = call_id
        self._remote = remote
        self._note = note
        self._unsafe = unsafe
        self._began = began
        self._sid = sid
        self._allowed = not waits
        self._refused = False
        self._guard: Guard = "tones"
        self._now: Wanted | None = None if sid else "off"
        """What the carrier does, as far as it confirmed it; None: not known."""
        self._private_s: float | None = None
        """Since when a private entry waits for the pause."""
        self._given_up = False
        self._closing = False
        self._changed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())
        if self._allowed:
            self._changed.set()

    @property
    def wanted(self) -> Wanted:
        if self._refused or not self._allowed:
            return "off"
        return "paused" if self._guard in PRIVATE else "on"

    @property
    def safe(self) -> bool:
        """The recording holds nothing of what sounds now."""
        return self._now in ("off", "paused")

    # What the bridge tells

    def caller(self, ulaw: bytes, end_ms: int) -> None:
        """The carrier hears it by itself."""

    def bot(self, generation: Generation, start: int, ulaw: bytes, guess_ms: int) -> None:
        """The carrier plays it by itself."""

    def marked(self) -> None:
        """The carrier knows."""

    def guard(self, guard: Guard, now_ms: int) -> None:
        before, self._guard = self._guard, guard
        if guard in PRIVATE and before not in PRIVATE:
            self._private_s = time.monotonic()
        elif guard not in PRIVATE:
            self._private_s = None
        self._changed.set()
        if guard == "typing" and not self.safe:
            self._give_up_entry()

    def consent(self, granted: bool) -> None:
        self._allowed, self._refused = granted, self._refused or not granted
        self._changed.set()

    def tick(self, now_ms: int) -> None:
        since_s = self._private_s
        late = since_s is not None and time.monotonic() > since_s + CONFIRMED_WITHIN_S
        if late and not self.safe:
            self._give_up_entry()

    async def close(self) -> None:
        """The carrier ends it with the call; if the call goes on, so does it."""
        self._closing = True
        self._changed.set()
        await asyncio.wait({self._task}, timeout=CONFIRMED_WITHIN_S)
        self._task.cancel()

    def as_json(self) -> dict[str, object]:
        return {"by": "twilio", "sid": self._sid or None, "refused": self._refused}

    def _give_up_entry(self) -> None:
        if self._private_s is None:
            return
        self._private_s = None
        self._note("recording could not be paused: private digits are not taken")
        event(logger, logging.ERROR, "a recording could not be paused", call=self._call_id)
        self._unsafe()

    # What the carrier is asked

    async def _run(self) -> None:
        while not self._closing:
            await self._changed.wait()
            self._changed.clear()
            while self._now != self.wanted and not self._given_up and not self._closing:
                await self._step(self.wanted)

    async def _step(self, wanted: Wanted) -> None:
        try:
            await self._tried(lambda: self._asked(wanted))
        except TwilioError as error:
            event(
                logger,
                logging.ERROR,
                "a recording does not obey",
                call=self._call_id,
                error=type(error).__name__,
                wanted=wanted,
            )
            # Of a recording of which nothing is known nothing can be asked any more; a pause that
            # failed is asked for again when the next private number is.
            self._given_up = not self._sid
            if self._sid or error.outcome_unknown:
                self._now = None
            if self._sid and wanted == self.wanted:
                await self._changed.wait()
                self._changed.clear()

    async def _asked(self, wanted: Wanted) -> None:
        if not self._sid:
            if wanted != "off":
                info = await self._remote.start(self._call_id)
                self._sid, self._now = info.recording_sid, "on"
                self._began(self._sid)
                self._note("recording began")
            return
        ask = {"on": self._remote.resume, "paused": self._remote.pause, "off": self._remote.stop}
        await ask[wanted](self._call_id, self._sid)
        self._now = wanted
        self._note(NOTES[wanted])

    async def _tried(self, ask: Callable[[], Awaitable[None]]) -> None:
        for left in reversed(range(TRIES)):
            try:
                await ask()
                return
            except TwilioError as error:
                if not left or error.outcome_unknown:
                    raise
                await asyncio.sleep(AGAIN_S)


NOTES: Final[dict[Wanted, str]] = {
    "on": "recording resumed",
    "paused": "recording paused: private digits",
    "off": "recording ended: the caller does not want it",
}
