"""A beep on the caller's side is told once, with its place; the other ears lose nothing by it."""

from app.bridge.beep_ear import BeepEar
from app.call.events import BeepHeard
from app.lab.phone.mixing import beep
from app.lab.speech.voices import voice_clip
from telecodecs import ULAW_SILENCE

VOICE = voice_clip("when_open_slt").ulaw
QUIET = ULAW_SILENCE * 4_000


class Also:
    def __init__(self) -> None:
        self.heard = bytearray()

    def feed(self, ulaw: bytes) -> None:
        self.heard += ulaw

    def silence(self, n_bytes: int) -> None:
        self.heard += ULAW_SILENCE * n_bytes


def fed(ear: BeepEar, ulaw: bytes) -> None:
    for at in range(0, len(ulaw), 160):
        ear.feed(ulaw[at : at + 160])


def test_a_beep_after_a_voice_is_told_with_its_place() -> None:
    told: list[BeepHeard] = []
    also = Also()
    ear = BeepEar(lambda: True, told.append, also)
    line = VOICE + QUIET + beep() + QUIET
    fed(ear, line)
    (one,) = told
    end_ms = len(VOICE + QUIET + beep()) // 8
    assert abs(one.ended_ms - end_ms) <= 20
    assert 0 < one.axis_ms - one.ended_ms <= 160
    assert one.sound_before_ms >= 500
    assert bytes(also.heard) == line


def test_silence_that_is_no_frames_counts_as_quiet_too() -> None:
    told: list[BeepHeard] = []
    ear = BeepEar(lambda: True, told.append)
    ear.silence(4_000)
    fed(ear, beep())
    assert told == []
    ear.silence(2_000)
    assert len(told) == 1
    assert told[0].axis_ms == (4_000 + len(beep()) + 2_000) // 8


def test_once_nobody_wants_to_know_it_listens_no_more() -> None:
    told: list[BeepHeard] = []
    wanted, also = [True], Also()
    ear = BeepEar(lambda: wanted[0], told.append, also)
    fed(ear, VOICE)
    wanted[0] = False
    fed(ear, QUIET + beep() + QUIET)
    wanted[0] = True
    fed(ear, QUIET + beep() + QUIET)
    ear.silence(160)
    assert told == []
    assert len(also.heard) == len(VOICE + (QUIET + beep() + QUIET) * 2) + 160
