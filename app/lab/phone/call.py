"""One call while it lasts: its clock, its caller, its stream, and who may end or redirect it."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from app.lab.phone.agenda import Clock
from app.lab.phone.caller import Caller, CallerEventKind, CallerTick
from app.lab.phone.course import HungUp, Redirected, TwimlSource
from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.impairments import Impairments, KeyLeak
from app.lab.phone.line_sound import KeyTones, LineSound, coded, linear
from app.lab.phone.mixing import Ambience, mixed
from app.lab.phone.report import (
    CallError,
    CallReport,
    EndedBy,
    Heard,
    HeardKind,
    LineEvent,
    LineEventKind,
)
from app.lab.phone.said import Spoken, heard_between
from app.lab.phone.script import Script
from app.lab.phone.senses import Listener, Seat, Stream, Tap
from telecodecs.g711 import FRAME_BYTES, FRAME_MS, ULAW_SILENCE

WORDLESS = frozenset({"cough", "breath", "noise"})


class LiveCall:
    """The line's 20 ms clock runs from answer to end, also while there is no stream."""

    def __init__(
        self,
        identity: CallIdentity,
        script: Script,
        clock: Clock,
        impairments: Impairments,
        on_event: Callable[[LineEvent], None],
    ) -> None:
        self.identity = identity
        self.script = script
        self.clock = clock
        self.impairments = impairments
        self.report = CallReport(identity)
        self.status: CallStatus = "queued"
        self.stream: Stream | None = None
        self.seat: Seat | None = None
        """The bridge or the conference that the leg is in; never together with a stream."""
        self.ambience = Ambience()
        """Ringing, beeps and hold music on this leg."""
        self.taps: list[Tap] = []
        self.listeners: list[Listener] = []
        self.at_end: list[Callable[[], None]] = []
        """Run when the call is over, before its last status is told."""
        self.over = asyncio.Event()
        self.redirected = False
        """REST has given this call other TwiML."""
        self.announcing = False
        """TwiML's own voice (Say, Play) is heard."""
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        """Keys pressed outside a stream, for <Gather>."""
        self._on_event = on_event
        self._caller = Caller(script, self._tell_caller, impairments.seed)
        self._sound = LineSound(impairments)
        # On a real line keys are tones; Twilio takes them out of streams, not out of recordings.
        self._tones = None if impairments.key_leak else KeyTones(KeyLeak())
        self._interrupted: asyncio.Event = asyncio.Event()
        self._interruption: HungUp | Redirected | None = None
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self._answered_s: float | None = None
        self._tick = 0
        self._untold: deque[tuple[int, str]] = deque()
        """Keys of which the bot is still to be told, and at which tick."""
        self._running = False

    @property
    def now_ms(self) -> int:
        """On the line's clock: ms since the call was answered; 0 before."""
        if self._answered_s is None:
            return 0
        return max(0, int((self.clock.now_s() - self._answered_s) * 1000))

    @property
    def next_tick_ms(self) -> int:
        """Due time of the next tick on the line's clock."""
        return self._tick * FRAME_MS

    @property
    def next_tick_s(self) -> float:
        """Due time (seconds on the clock) of the next tick."""
        assert self._answered_s is not None, "a line ticks only after it was answered"
        return self._answered_s + self._tick * FRAME_MS / 1000

    @property
    def answered(self) -> bool:
        return self._answered_s is not None

    @property
    def interruption(self) -> HungUp | Redirected | None:
        return self._interruption

    def answer(self) -> None:
        """The call is connected: the clock and the caller's script begin."""
        self._answered_s = self.clock.now_s()
        self.answered_at = datetime.now(UTC)
        self._running = True
        self.clock.at(self._answered_s, self._run_ticks)

    def hang_up(self, by: EndedBy, status: CallStatus = "completed") -> None:
        """End the call. The first hang-up counts; it also beats a redirect not yet carried out."""
        if not isinstance(self._interruption, HungUp):
            self._interruption = HungUp(by, status)
            self._interrupted.set()

    def redirect(self, source: TwimlSource) -> None:
        """Drop what is running and go on with other TwiML."""
        if not isinstance(self._interruption, HungUp):
            self.redirected = True
            self._interruption = Redirected(source)
            self._interrupted.set()

    async def interrupted(self) -> None:
        """Returns once somebody hung up or redirected."""
        await self._interrupted.wait()

    def take_redirect(self) -> TwimlSource | None:
        """The redirect that is waiting, if any; it is then dealt with."""
        if not isinstance(self._interruption, Redirected):
            return None
        source = self._interruption.source
        self._interruption = None
        self._interrupted.clear()
        return source

    def finish(self, ended_by: EndedBy, status: CallStatus) -> None:
        """Stop the clock and complete the report."""
        for close in self.at_end:
            close()
        self.status = status
        self.ended_at = datetime.now(UTC)
        self.report.status = status
        self.report.ended_by = ended_by
        self.report.duration_ms = self.now_ms
        self.report.steps = self._caller.steps
        self.report.unfinished = self._caller.unfinished
        self.report.spoken = self.spoken_between(0, self.next_tick_ms)
        self._running = False
        self.over.set()

    def spoken_between(self, from_ms: int, to_ms: int) -> tuple[Spoken, ...]:
        """What the caller uttered in this span of the line's clock."""
        on_line = [one.later(self._sound.delay_ms) for one in self._caller.spoken]
        return heard_between(on_line, from_ms, to_ms)

    def tell(self, kind: LineEventKind, text: str = "", at_ms: int | None = None) -> None:
        when_ms = self.now_ms if at_ms is None else at_ms
        self._on_event(LineEvent(self.identity.call_sid, kind, when_ms, text))

    def error(self, code: int | None, detail: str) -> None:
        self.report.errors.append(CallError(code, detail, self.now_ms))
        self.tell("error", f"{code or 'lab'}: {detail}")

    def hears(self, kind: HeardKind, text: str = "", by: str = "") -> None:
        """Note what the person on this leg hears from now on."""
        self.report.heard.append(Heard(kind, text, self.now_ms, by))

    def _tell_caller(self, kind: CallerEventKind, at_ms: int, text: str) -> None:
        self.tell(kind, text, at_ms)
        if self._caller.uttering in WORDLESS:
            return
        for listener in tuple(self.listeners):
            if kind == "caller_started":
                listener.started(text)
            elif kind == "caller_stopped":
                listener.stopped(text)

    def _run_ticks(self) -> None:
        # Deadlines, not pauses: a late tick is followed at once by the ones that became due. The
        # first one runs unasked, because a clock may call a fraction of a millisecond early.
        now_s = self.clock.now_s()
        while self._running:
            lag_ms = (now_s - self.next_tick_s) * 1000
            self.report.max_lag_ms = max(self.report.max_lag_ms, lag_ms)
            self._one_tick(now_s)
            now_s = self.clock.now_s()
            if self.next_tick_s > now_s:
                self.clock.at(self.next_tick_s, self._run_ticks)
                return

    def _one_tick(self, now_s: float) -> None:
        far = self.seat if self.stream is None else self.stream
        heard = None if far is None else far.advance(now_s)
        caller = self._caller.tick(self._tick * FRAME_MS, heard, self.announcing)
        for key in caller.keys:
            self._press(key)
        self._tell_keys()
        frame = self._line_frame(caller)
        self._tick += 1
        around = self.ambience.frame()
        sound = heard if around is None else mixed([part for part in (heard, around) if part])
        self.report.recording.add(frame or b"", sound or b"")
        said = self._in_band(frame)
        for tap in tuple(self.taps):
            tap(said or b"", sound or b"")
        if self.stream is not None:
            self.stream.caller_frame(frame)
        elif self.seat is not None and frame is not None:
            self.seat.caller_frame(frame)
        if caller.hang_up:
            self.hang_up("limit" if self._caller.out_of_time else "caller")

    def _line_frame(self, caller: CallerTick) -> bytes | None:
        if self.script.line_audio is not None:
            stream_tick = -1 if self.stream is None else self.stream.ticks
            frame = self.script.line_audio(stream_tick, caller.speech)
        else:
            far = self.seat if self.stream is None else self.stream
            bot = None if far is None else far.sounding
            frame = self._sound.frame(caller.speech or self._caller.background(self._tick), bot)
        return None if caller.mute else frame

    def _in_band(self, frame: bytes | None) -> bytes | None:
        """The person's frame as a recording gets it, tones and all."""
        tone = None if self._tones is None else self._tones.frame()
        if tone is None:
            return frame
        voice = (frame or b"").ljust(FRAME_BYTES, ULAW_SILENCE)
        return coded(linear(voice) + tone)

    def _press(self, key: str) -> None:
        self._sound.press(key)
        if self._tones is not None:
            self._tones.press(key)
        leak = self.impairments.key_leak
        late_ms = 0 if leak is None else leak.told_after_ms
        self._untold.append((self._tick + late_ms // FRAME_MS, key))

    def _tell_keys(self) -> None:
        while self._untold and self._untold[0][0] <= self._tick:
            key = self._untold.popleft()[1]
            if self.stream is not None:
                self.stream.press(key)
            elif self.seat is not None:
                self.seat.press(key)
            else:
                self.keys.put_nowait(key)
