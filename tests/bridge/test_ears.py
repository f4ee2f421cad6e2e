"""The heart hears of a caller's voice as soon as there is one. Of the bot's own voice that comes
back it is told that it is an echo.

Real speech, the real detector, frame by frame in virtual time.
"""

from dataclasses import dataclass, field

import pytest

from app.bridge.ears import Ears, Hearing
from app.bridge.pacer import Pacer
from app.call.events import Event, VoiceStarted, VoiceStopped
from app.lab.phone.sound import amplified
from app.lab.speech.voices import voice_clip
from app.speech.vad.engine import VoiceEngine
from app.speech.vad.gate import Gate
from app.speech.vad.hearing import HearingSettings
from app.speech.vad.silero import SileroScorer
from telecodecs import FRAME_BYTES, FRAME_MS, ULAW_SILENCE, pcm_to_ulaw, ulaw_to_pcm

BOT = voice_clip("book_two_eight_rms").ulaw
CALLER = voice_clip("actually_question_slt").ulaw
ECHO_SHARE, ECHO_MS, ECHO_DB = 0.8, 120, -12.0


@dataclass
class FakeLine:
    clock_ms: int = 0
    audio: bytearray = field(default_factory=bytearray)
    told: list[Event] = field(default_factory=list)

    def heard(self, event: Event) -> None:
        self.told.append(event)

    def now_ms(self) -> int:
        return self.clock_ms

    def caller_audio(self, newest_ms: int) -> bytes:
        return bytes(self.audio[-8 * newest_ms :])


class FakePacer(Pacer):
    """Ticks when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ticked: list[object] = []

    def add(self, client: object) -> None:
        self.ticked.append(client)

    def remove(self, client: object) -> None:
        if client in self.ticked:
            self.ticked.remove(client)


def mixed(*pieces: bytes) -> bytes:
    """Sounds at the same time; the shorter ones end in silence."""
    length = max(map(len, pieces))
    linear = [ulaw_to_pcm(piece.ljust(length, ULAW_SILENCE)) for piece in pieces]
    samples = [
        sum(int.from_bytes(pcm[i : i + 2], "little", signed=True) for pcm in linear)
        for i in range(0, 2 * length, 2)
    ]
    clipped = (max(-32_768, min(32_767, sample)) for sample in samples)
    return pcm_to_ulaw(b"".join(sample.to_bytes(2, "little", signed=True) for sample in clipped))


def after(ms: int, sound: bytes) -> bytes:
    return ULAW_SILENCE * (8 * ms) + sound


@dataclass
class Desk:
    line: FakeLine
    pacer: FakePacer
    hearing: Hearing
    ears: Ears

    def hears(self, sound: bytes, played: bytes = b"") -> None:
        """Frame after frame, with what the bot plays meanwhile."""
        for at in range(0, len(sound), FRAME_BYTES):
            if played[at : at + FRAME_BYTES]:
                self.ears.played(played[at : at + FRAME_BYTES], self.line.clock_ms)
            frame = sound[at : at + FRAME_BYTES].ljust(FRAME_BYTES, ULAW_SILENCE)
            self.line.audio += frame
            self.line.clock_ms += FRAME_MS
            self.ears.feed(frame)
            self.hearing.on_due()


@pytest.fixture
def desk() -> Desk:
    line, pacer = FakeLine(), FakePacer()
    hearing = Hearing(VoiceEngine(SileroScorer(), HearingSettings(), Gate()), pacer)
    return Desk(line, pacer, hearing, hearing.open(line, ECHO_SHARE))


def test_a_voice_is_told_with_its_beginning_and_its_end(desk: Desk) -> None:
    clip = voice_clip("actually_question_slt")
    desk.hears(after(500, CALLER) + ULAW_SILENCE * 4_000)
    started, *rest = desk.line.told
    assert isinstance(started, VoiceStarted)
    assert abs(started.began_ms - (500 + clip.onset_ms)) <= 80
    assert started.echo == 0.0
    assert isinstance(rest[-1], VoiceStopped)
    assert abs(rest[-1].ended_ms - (500 + clip.end_ms)) <= 150


def test_the_bots_own_voice_is_told_as_an_echo_and_has_no_end(desk: Desk) -> None:
    echo = after(ECHO_MS, amplified(BOT, ECHO_DB))
    desk.hears(echo + ULAW_SILENCE * 8_000, played=BOT)
    assert desk.line.told
    assert all(isinstance(e, VoiceStarted) and e.echo >= ECHO_SHARE for e in desk.line.told)


def test_a_caller_who_speaks_into_the_echo_is_heard(desk: Desk) -> None:
    echo = after(ECHO_MS, amplified(BOT, ECHO_DB))
    desk.hears(mixed(echo, after(1_000, CALLER)), played=BOT)
    believed = [e for e in desk.line.told if isinstance(e, VoiceStarted) and e.echo < ECHO_SHARE]
    assert believed
    assert 1_000 <= believed[0].axis_ms <= 1_000 + 80 + 300


def test_silence_is_told_as_nothing(desk: Desk) -> None:
    desk.ears.silence(80_000)
    desk.hearing.on_due()
    assert desk.line.told == []


def test_the_clock_ticks_only_while_somebody_listens(desk: Desk) -> None:
    assert desk.pacer.ticked == [desk.hearing]
    other = desk.hearing.open(FakeLine(), ECHO_SHARE)
    desk.ears.close()
    assert desk.pacer.ticked == [desk.hearing]
    other.close()
    other.close()
    assert desk.pacer.ticked == []


def test_a_fault_of_the_detector_does_not_stop_the_clock(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(VoiceEngine, "run", broken)
    desk.hears(CALLER)
    assert caplog.text.count("voice detection failed") == 1, "and does not fill the log"
