"""From the moment a private number is asked for until no key of it can come any more, neither a
recording nor what is kept for the next session holds a sound of it."""

from pathlib import Path
from typing import Any

from app.bridge.caller_path import CallerPath
from app.bridge.key_guard import KeyGuard
from app.bridge.recorder import Pen, Recorder
from app.bridge.recording import MARGIN_MS, OwnRecording
from app.bridge.shield import Shield
from app.call.keypad import Collect, Keypad
from app.carriers.clock import CarrierClock
from telecodecs import dtmf_tone

PIN = Collect(min_digits=4, max_digits=4, masked=True, to_model="masked")
PLAIN = Collect(min_digits=4, max_digits=4)
TONE = dtmf_tone("4", 20, 0)


class Line:
    def __init__(self, folder: Path) -> None:
        self.keypad = Keypad(1_500)
        self.notes: list[str] = []
        self.recorders: list[Recorder] = []
        self.now_ms = 0
        self.recording = OwnRecording(self._begin(folder), lambda: self.now_ms, self.notes.append)
        self.path = CallerPath(CarrierClock(0), shield=Shield(), tape=self.recording)
        self.guard = KeyGuard(self.keypad, self.path, self.recording)

    def _begin(self, folder: Path) -> Any:
        def begin(from_ms: int, failed: Any) -> Recorder:
            self.recorders.append(Recorder(folder / "r.wav", Pen(), lambda: self.now_ms))
            return self.recorders[-1]

        return begin

    def at(self, ms: int) -> None:
        """Tones come up to then."""
        while self.now_ms < ms:
            self.path.media("tone", TONE, self.now_ms, self.now_ms)
            self.now_ms += 20
            self.guard.look(self.now_ms)

    def press(self, keys: str) -> None:
        for key in keys:
            self.keypad.press(key, self.now_ms)
            self.guard.look(self.now_ms)
            self.at(self.now_ms + 200)

    @property
    def pauses(self) -> list[tuple[int, int | None]]:
        return [(pause.from_ms, pause.to_ms) for pause in self.recorders[0].pauses]

    @property
    def silent(self) -> bool:
        """All that is kept."""
        kept = self.path.audio(0, 60_000)
        return len(kept) > 0 and set(kept) == {0xFF}


def test_a_private_entry_pauses_the_recording_from_shortly_before_the_question(
    tmp_path: Path,
) -> None:
    line = Line(tmp_path)
    line.at(1_000)
    line.keypad.collect(PIN, 1_000)
    line.at(3_000)
    line.press("1234")
    last_ms = 3_600
    assert line.pauses == [(1_020 - MARGIN_MS, None)]
    line.at(9_000)
    assert line.pauses == [(1_020 - MARGIN_MS, last_ms + PIN.inter_digit_ms)]
    assert line.notes == [
        "recording began",
        "recording paused: private digits",
        "recording resumed",
    ]


def test_keys_that_came_before_the_question_are_taken_back(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.path.guard("none")  # whatever the shield does not catch
    line.at(2_000)
    line.keypad.press("1", line.now_ms)
    line.guard.look(line.now_ms)
    line.path.guard("none")
    line.at(2_600)
    assert not line.silent
    line.keypad.collect(PIN, line.now_ms)
    line.guard.look(line.now_ms)
    assert line.pauses == [(2_000 - MARGIN_MS, None)]
    assert set(line.path.audio(2_000 - MARGIN_MS, 2_600)) == {0xFF}


def test_a_key_whose_message_comes_after_the_question_is_taken_back(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.path.guard("none")  # whatever the shield does not catch
    line.at(2_000)
    assert not line.silent
    line.keypad.collect(PIN, line.now_ms)
    line.guard.look(line.now_ms)
    assert set(line.path.audio(2_000 - MARGIN_MS, 2_000)) == {0xFF}


def test_an_entry_that_begins_with_the_stream_pauses_no_earlier(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.keypad.doubt(0)
    line.guard.look(100)
    assert line.pauses == [(0, None)]


def test_an_entry_that_is_not_private_pauses_nothing_and_passes(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.keypad.collect(PLAIN, 0)
    line.guard.look(0)
    line.press("1234")
    assert line.pauses == []
    assert not line.silent


def test_tones_outside_of_entries_are_kept_by_nobody(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.at(1_000)
    assert line.silent
    assert line.pauses == []


def test_nothing_is_recorded_before_the_caller_consents_nor_after_they_refuse(
    tmp_path: Path,
) -> None:
    line = Line(tmp_path)
    began: list[int] = []

    def begin(from_ms: int, failed: Any) -> Recorder:
        began.append(from_ms)
        return Recorder(tmp_path / "asked.wav", Pen(), lambda: 700, from_ms=from_ms)

    asked = OwnRecording(begin, lambda: 700, line.notes.append, waits=True)
    asked.caller(TONE, 20)
    assert asked.as_json() == {"by": "own", "file": None, "refused": False}
    asked.consent(True)
    asked.consent(True)
    assert began == [700]

    refused = OwnRecording(begin, lambda: 700, line.notes.append, waits=True)
    refused.consent(False)
    refused.consent(True)
    assert began == [700]
    assert refused.as_json()["refused"] is True
