"""Plays a script: hears 20 ms, answers with 20 ms. No clock of its own but the count of ticks."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

from app.lab.phone.said import Spoken, UtteranceKind, spoken
from app.lab.phone.script import (
    HangUp,
    Interrupt,
    Piece,
    Press,
    Say,
    SayPieces,
    Script,
    Silence,
    Step,
    Wait,
    WaitForBot,
    WaitUntil,
)
from app.lab.phone.sound import comfort_noise
from app.lab.phone.truth import SILENCE
from telecodecs.g711 import FRAME_BYTES, FRAME_MS, ULAW_SILENCE

BOT_PAUSE_MS = 300
"""Quiet that ends one piece of the bot's speech in the live events."""

CallerEventKind: TypeAlias = Literal[
    "caller_started", "caller_stopped", "bot_started", "bot_stopped", "key_pressed", "step_timeout"
]
TellEvent: TypeAlias = Callable[[CallerEventKind, int, str], None]
"""(kind, instant on the line's clock in ms, text)"""


@dataclass(slots=True)
class StepRecord:
    step: Step
    began_ms: int
    """On the line's clock: ms since the call was answered."""
    ended_ms: int | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class CallerTick:
    """What the caller does for 20 ms."""

    speech: bytes | None
    """160 bytes while speaking, else None."""
    mute: bool
    """True when the caller's side carries nothing at all."""
    keys: str
    hang_up: bool


class Ear:
    """Counts what the caller heard."""

    def __init__(self) -> None:
        self.said_ms = 0
        self.quiet_ms = 0
        self.speaking = False

    def reset(self) -> None:
        self.said_ms = 0

    def hear(self, sound: bool) -> None:
        if sound:
            self.said_ms += FRAME_MS
            self.quiet_ms = 0
        else:
            self.quiet_ms += FRAME_MS


class Caller:
    """One caller. `tick` is called every 20 ms from the moment the call is answered."""

    def __init__(self, script: Script, tell: TellEvent, noise_seed: int = 0) -> None:
        self.steps: list[StepRecord] = []
        self.spoken: list[Spoken] = []
        """On the line's clock, each noted when it begins, as if nothing will cut it off."""
        self._script = script
        self._tell = tell
        self.out_of_time = False
        """The script's `limit_ms` was reached."""
        self.uttering: UtteranceKind = "speech"
        """What kind the utterance is, or was, that the latest event is about."""
        self._ear = Ear()
        self._now_ms = 0
        self._keys = ""
        self._mute = False
        self._hang_up = False
        self._acts = self._run()
        noise = script.background == "comfort"
        self._background = comfort_noise(noise_seed) if noise else (SILENCE,)

    @property
    def unfinished(self) -> tuple[Step, ...]:
        """Steps that were not reached or not completed."""
        done = sum(record.ended_ms is not None for record in self.steps)
        return self._script.steps[done:]

    def background(self, tick: int) -> bytes:
        """What the line carries while the caller is quiet."""
        return self._background[tick % len(self._background)]

    def tick(self, now_ms: int, heard: bytes | None, announcement: bool = False) -> CallerTick:
        """`heard`: the bot's audio of the past 20 ms; `announcement`: TwiML's own voice spoke."""
        self._now_ms = now_ms
        self._listen(announcement or (heard is not None and self._script.hears(heard)))
        self._keys, self._mute = "", False
        speech = next(self._acts, None)
        self.out_of_time = now_ms >= self._script.limit_ms
        return CallerTick(speech, self._mute, self._keys, self._hang_up or self.out_of_time)

    def _listen(self, sound: bool) -> None:
        self._ear.hear(sound)
        if sound and not self._ear.speaking:
            self._ear.speaking = True
            self._tell("bot_started", self._now_ms - FRAME_MS, "")
        elif self._ear.speaking and self._ear.quiet_ms >= BOT_PAUSE_MS:
            self._ear.speaking = False
            self._tell("bot_stopped", self._now_ms - self._ear.quiet_ms, "")

    def _run(self) -> Generator[bytes | None, None, None]:
        for step in self._script.steps:
            record = StepRecord(step, self._now_ms)
            self.steps.append(record)
            yield from self._perform(step, record)
            record.ended_ms = None if record.timed_out else self._now_ms
            if record.timed_out:
                self._tell("step_timeout", self._now_ms, type(step).__name__)
                if self._script.on_timeout == "hang_up":
                    self._hang_up = True
                    return

    def _perform(self, step: Step, record: StepRecord) -> Generator[bytes | None, None, None]:
        match step:
            case Say(audio, text, kind):
                yield from self._say((Piece(audio),), text, kind)
            case SayPieces(pieces, kind):
                yield from self._say(pieces, step.text, kind)
            case WaitForBot(said_ms, quiet_ms, timeout_ms):
                yield from self._wait_for_bot(said_ms, quiet_ms, timeout_ms, record)
            case WaitUntil(happened, timeout_ms):
                yield from self._wait_until(happened, timeout_ms, record)
            case Interrupt(audio, after_ms, text, timeout_ms, kind):
                yield from self._wait_for_bot(after_ms, 0, timeout_ms, record)
                if not record.timed_out:
                    yield from self._say((Piece(audio),), text, kind)
            case Wait(ms):
                yield from self._pass(ms)
            case Silence(ms):
                yield from self._pass(ms, mute=True)
            case Press(digits, gap_ms):
                yield from self._press(digits, gap_ms)
            case HangUp():
                self._hang_up = True

    def _say(
        self, pieces: Sequence[Piece], text: str, kind: UtteranceKind
    ) -> Generator[bytes | None, None, None]:
        self.uttering = kind
        self._tell("caller_started", self._now_ms, text)
        if one := spoken(kind, text, self._now_ms, _laid_out(pieces)):
            self.spoken.append(one)
        for piece in pieces:
            for at in range(0, len(piece.audio), FRAME_BYTES):
                yield piece.audio[at : at + FRAME_BYTES].ljust(FRAME_BYTES, ULAW_SILENCE)
            yield from self._pass(piece.pause_ms)
        self._ear.reset()
        self._tell("caller_stopped", self._now_ms, text)

    def _wait_for_bot(
        self, said_ms: int, quiet_ms: int, timeout_ms: int, record: StepRecord
    ) -> Generator[bytes | None, None, None]:
        def heard() -> bool:
            return self._ear.said_ms >= said_ms and self._ear.quiet_ms >= quiet_ms

        yield from self._wait_until(heard, timeout_ms, record)

    def _wait_until(
        self, happened: Callable[[], bool], timeout_ms: int, record: StepRecord
    ) -> Generator[bytes | None, None, None]:
        limit_ms = self._now_ms + timeout_ms
        while not happened():
            if self._now_ms >= limit_ms:
                record.timed_out = True
                return
            yield None

    def _pass(self, ms: int, *, mute: bool = False) -> Generator[bytes | None, None, None]:
        until_ms = self._now_ms + ms
        while self._now_ms < until_ms:
            self._mute = mute
            yield None

    def _press(self, digits: str, gap_ms: int) -> Generator[bytes | None, None, None]:
        for digit in digits:
            self._keys += digit
            self._tell("key_pressed", self._now_ms, digit)
            yield from self._pass(gap_ms)


def _laid_out(pieces: Sequence[Piece]) -> list[tuple[int, bytes]]:
    """When each piece begins, in ms since the first: frames and pauses are whole frames long."""
    at_ms, laid = 0, []
    for piece in pieces:
        laid.append((at_ms, piece.audio))
        frames = ceil(len(piece.audio) / FRAME_BYTES) + ceil(max(0, piece.pause_ms) / FRAME_MS)
        at_ms += frames * FRAME_MS
    return laid
