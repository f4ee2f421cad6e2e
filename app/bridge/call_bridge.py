"""One call on one worker: the heart between a carrier socket and a model session.

Whoever reads the carrier's socket calls `media`, `mark`, `key` and `carrier_closed`; none of them
waits. `Legs` reads the models. Everything goes through `_step`: one event into the heart,
its commands carried out in order. The call is over when the heart says `EndCall`, and only then.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, cast

from app.bridge.beep_ear import BeepEar
from app.bridge.caller_path import CallerPath, Listener
from app.bridge.carrier_writer import CarrierWriter
from app.bridge.ears import Hearing
from app.bridge.errands import Errands, Runners
from app.bridge.evidence import Evidence
from app.bridge.journal import Journal
from app.bridge.key_guard import KeyGuard
from app.bridge.legs import Legs, OpenModel
from app.bridge.mouth import Mouth
from app.bridge.noise_meter import NoiseMeter
from app.bridge.pacer import Pacer
from app.bridge.ports import Dialect, Observer
from app.bridge.recording import MakeRecording
from app.bridge.shield import Shield
from app.bridge.witnesses import Witnesses
from app.call.call import Call
from app.call.commands import (
    CloseLeg,
    Command,
    EndCall,
    OfferTools,
    OpenLeg,
    TakeLeg,
)
from app.call.endings import EndReason
from app.call.events import (
    Answered,
    AnsweredBy,
    BeepHeard,
    CallerAudioBegan,
    CarrierClosed,
    DeadlineReached,
    Event,
    HangUpRequested,
    KeyPressed,
    KeysUnsafe,
    LegCause,
    MarkEchoed,
    NoiseMeasured,
    Prompted,
    RolloverRequested,
    StreamStarted,
)
from app.call.phases import CallSettings
from app.carriers.line import Clock, Frame
from app.models.ports import ModelCommand

logger = logging.getLogger(__name__)

PADDING_CHECK_MS = 100
"""How often a silent carrier is looked at, to pad what it does not send."""
HELD_UP_MS = 50
"""When our own clock ticks this late, frames that came in time may be waiting to be read."""
CARRIER_SILENCE_LIMIT_MS = 30_000
"""A carrier that sends nothing at all for this long is given up."""
LAST_WORD_S = 1.0
"""How long the carrier's last word is waited for when its socket broke under our writing."""
FORGET_EVERY_MS = 1_000
FIRST_MEDIA_MS = 1_000
"""A carrier whose media is not always on may have none to send: the call begins without."""
KEPT_QUIET_MS = 2_000
"""Caller audio kept while nobody speaks: for the onset that a change of sessions may fall into."""


class CallBridge:
    """Made when the carrier's stream has started and its token was accepted; then `run()`."""

    def __init__(
        self,
        *,
        started: StreamStarted,
        settings: CallSettings,
        open_model: OpenModel,
        runners: Runners,
        dialect: Dialect,
        writer: Callable[[Callable[[str, str], None]], CarrierWriter],
        clock: Clock,
        pacer: Pacer,
        journal: Journal | None = None,
        observers: Sequence[Observer] = (),
        hearing: Hearing | None = None,
        before_close: Callable[[Call, EndCall], Awaitable[None]] | None = None,
        private_keys: bool = False,
        recording: MakeRecording | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        """`hearing`: None where only the model listens. `before_close`: awaited when the call is
        over, before the carrier learns of it. `private_keys`: callers may be asked for keys that
        nobody may hear. `recording`: whoever records the call. `evidence`: where it is gathered."""
        self.started = started
        self.call_id = started.call_id
        self.stream_id = started.stream_id
        self.call = Call(settings)
        self.ears = None if hearing is None else hearing.open(self, settings.floor.echo_share)
        self._before_close = before_close
        self._clock = clock
        self._pacer = pacer
        self._noise = self._noise_meter(settings)
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self.recording = None if recording is None else recording(self)
        shield = Shield() if private_keys else None
        self.caller = CallerPath(clock, self._listener(), shield=shield, tape=self.recording)
        self._keys = KeyGuard(self.call.keypad, self.caller, self.recording)
        self.legs = Legs(open_model, self.caller, self._step, self._spawn)
        self._errands = Errands(runners, self._step, self._spawn)
        self._writer = writer(self._carrier_broken)
        playout, ears = self.call.playout, self.ears
        self._mouth = Mouth(playout, self._writer, dialect, ears, self.recording)
        self.evidence = evidence
        self._witnesses = Witnesses(
            self.call,
            started,
            journal=journal,
            recording=self.recording,
            observers=observers,
            evidence=evidence,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Future[EndCall] = self._loop.create_future()
        self._media_ms: int | None = None
        self._audio_began = False
        self._checked_ms = 0
        self._forgot_ms = 0
        self._heart_due_ms: int | None = None
        """It changes only when the heart handles an event, so it is kept, not asked for."""
        self.due_at_s: float | None = self._began_s
        """When the pacer must call `on_due`, in event-loop time."""

    # What the carrier's reader calls. None of these waits.

    def media(self, payload_b64: str, ulaw: bytes, timestamp_ms: int) -> None:
        """A caller frame: μ-law and its base64 as it came, dated by the carrier's clock."""
        now_ms = self.now_ms()
        self._media_ms = now_ms
        self.caller.media(payload_b64, ulaw, timestamp_ms, now_ms)
        if self._noise is not None:
            self._measure(ulaw)
        if not self._audio_began:
            self._begin_audio(timestamp_ms)

    def _begin_audio(self, timestamp_ms: int) -> None:
        self._audio_began = True
        self._step(CallerAudioBegan(timestamp_ms))

    def _listener(self) -> Listener | None:
        """Our own ears; where we called, one for an answering machine's beep."""
        if self.started.on_answer is None:
            return self.ears

        def heard(beep: BeepHeard) -> None:
            self._loop.call_soon(self._step, beep)

        return BeepEar(lambda: self.call.answer.listens, heard, self.ears)

    def _noise_meter(self, settings: CallSettings) -> NoiseMeter | None:
        """None where the noise changes nothing, or was measured before."""
        offers, resumed = settings.offers, self.started.resumed
        if not offers.say or not offers.noisy_dbfs or resumed is not None:
            return None
        return NoiseMeter(lambda level_dbfs: self._step(NoiseMeasured(level_dbfs)))

    def _measure(self, ulaw: bytes) -> None:
        """The first two seconds tell how loud the line is."""
        assert self._noise is not None, "asked only while it measures"
        self._noise.feed(ulaw)
        if not self._noise.measuring:
            self._noise = None

    def mark(self, name: str) -> None:
        self._step(MarkEchoed(name, *self._clock.at(self.now_ms())))

    def key(self, digit: str) -> None:
        self._step(KeyPressed(digit))

    def send(self, frames: Sequence[Frame]) -> None:
        """What the carrier's line sends of its own accord."""
        for frame in frames:
            self._writer.write(frame)

    def carrier_closed(self, cause: Literal["hangup", "lost", "stalled"], detail: str = "") -> None:
        self._step(CarrierClosed(cause, detail))

    def answered(self, by: AnsweredBy) -> None:
        """The carrier's verdict on who answered; also before `run`."""
        self._step(Answered(by))

    def hang_up(self, by: Literal["operator", "drain"]) -> None:
        """Say what is queued, then end the call."""
        self._step(HangUpRequested(by))

    def prompt(self, prompted: Prompted) -> None:
        """Have the agent say something next. May be called from within a step."""
        self._loop.call_soon(self._step, prompted)

    def roll_over(self, cause: LegCause = "operator") -> None:
        """Go on with a fresh model session, in a quiet moment."""
        self._step(RolloverRequested(cause))

    # What a recording needs (`app.bridge.recording.RecordedCall`)

    def note(self, text: str) -> None:
        self.call.timeline.note(self.now_ms(), "recording", text)

    def keys_unsafe(self) -> None:
        self._step(KeysUnsafe())

    # What our own ears need (`app.bridge.ears.Line`)

    def heard(self, event: Event) -> None:
        self._step(event)

    def caller_audio(self, newest_ms: int) -> bytes:
        end_ms = self.caller.position // 8
        return self.caller.audio(end_ms - newest_ms, end_ms)

    def watch(self, task: asyncio.Future[None]) -> None:
        """For `add_done_callback` of the tasks that a call cannot do without: their faults are
        its end."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error if isinstance(error, Exception) else RuntimeError(str(error)))

    # The life of the call

    async def run(self) -> EndCall:
        """Until the call is over and everything for the carrier was sent.

        The carrier's socket may be closed then; `finish` closes the rest.
        """
        self._step(self.started)
        if self.call.playout.served:
            # The model's side took the call, and will hear the caller before we hear of it.
            self._step(CallerAudioBegan(0))
        self._pacer.add(self)
        try:
            end = await asyncio.shield(self._ended)
            if self._before_close is not None:
                await self._before_close(self.call, end)
            return end
        finally:
            self._pacer.remove(self)
            if self.ears is not None:
                self.ears.close()
            for task in self._tasks:
                task.cancel()
            await self._writer.close()

    async def finish(self) -> None:
        """Close the models' sessions and write the record. Bounded in time."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.legs.close_all()
        await self._witnesses.close()

    def on_due(self) -> None:
        """Called by the clock of all calls: a fault here is this call's end and no other's."""
        try:
            self._on_due(self.now_ms())
        except Exception as error:
            self._fail(error)

    def _on_due(self, now_ms: int) -> None:
        if now_ms >= self._checked_ms + PADDING_CHECK_MS:
            self._check_carrier(now_ms)
        due_ms = self._heart_due_ms
        if due_ms is not None and due_ms <= now_ms:
            self._step(DeadlineReached())

    def _set_due(self) -> None:
        """When the pacer must call next."""
        due_ms = self._checked_ms + PADDING_CHECK_MS
        heart_ms = self._heart_due_ms
        if heart_ms is not None and heart_ms < due_ms:
            due_ms = heart_ms
        self.due_at_s = self._began_s + due_ms / 1000

    def _check_carrier(self, now_ms: int) -> None:
        self._checked_ms = now_ms
        self._set_due()
        self._writer.check()
        self._keys.look(now_ms)
        if self.recording is not None:
            self.recording.tick(now_ms)
        if now_ms >= self._forgot_ms + FORGET_EVERY_MS:
            self._forget_caller(now_ms)
        if self._pacer.lag_ms < HELD_UP_MS:
            self.caller.pad_for_silence(now_ms)
        self._mouth.idle(now_ms)
        if not self.call.playout.served:
            self._check_media(now_ms)

    def _check_media(self, now_ms: int) -> None:
        """Where the sound comes here: a line that may be silent is one all the same."""
        if not self._clock.always_on:
            if not self._audio_began and now_ms >= FIRST_MEDIA_MS:
                self._begin_audio(0)
        elif now_ms - (self._media_ms or 0) > CARRIER_SILENCE_LIMIT_MS:
            limit_s = CARRIER_SILENCE_LIMIT_MS // 1000
            self._step(CarrierClosed("stalled", f"no caller audio for {limit_s} s"))

    def _forget_caller(self, now_ms: int) -> None:
        """Caller audio that no session will ask for."""
        self._forgot_ms = now_ms
        needed_ms = self.call.handover.needed_from_ms
        quiet_ms = self.caller.position // 8 - KEPT_QUIET_MS
        self.caller.forget(quiet_ms if needed_ms is None else min(needed_ms, quiet_ms))

    # One step

    def _step(self, event: Event, audio: bytes | None = None) -> None:
        if self._ended.done():
            return
        now_ms = self.now_ms()
        try:
            commands = self.call.handle(event, now_ms)
            self._heart_due_ms = self.call.due_ms
            self._set_due()
            for command in commands:
                if not self._mouth.carry_out(command, audio):
                    self._do(command)
            self._keys.look(now_ms)
            self._witnesses.saw(event, commands, now_ms)
        except Exception as error:
            self._fail(error)

    def _do(self, command: Command) -> None:
        """What concerns the models, tools and phrases, or ends the call."""
        match command:
            case EndCall():
                self._ended.set_result(command)
            case OpenLeg():
                self.legs.open(command)
            case TakeLeg():
                self.legs.take(command)
            case CloseLeg(leg):
                self.legs.close(leg)
            case OfferTools(topics):
                self.legs.offer(self._errands.schemas(topics))
            case _:
                if not self._errands.run(command):
                    self.legs.send(cast("ModelCommand", command))

    def _fail(self, error: Exception) -> None:
        """A fault of ours: the call ends, the others go on, the log says where it was."""
        fields = {"call": self.call_id}
        logger.error("the call failed inside the bot", exc_info=error, extra={"fields": fields})
        if not self._ended.done():
            end = EndCall(EndReason.INTERNAL_ERROR, type(error).__name__)
            self.call.timeline.close(end.reason, end.detail, self.now_ms())
            self._ended.set_result(end)

    def _spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        self.watch(task)

    def _carrier_broken(self, cause: str, detail: str) -> None:
        """A socket that takes nothing any more may still bring the carrier's last word: whoever
        hangs up says so and closes it, perhaps while we were writing."""
        if cause == "stalled":
            self._step(CarrierClosed("stalled", detail))
        else:
            self._loop.call_later(LAST_WORD_S, self._step, CarrierClosed("lost", detail))

    def now_ms(self) -> int:
        return int((self._loop.time() - self._began_s) * 1000)
