"""Every caller byte reaches the model once and in order, also those from before it was ready."""

from typing import cast

from app.bridge.caller_path import WAITING_LIMIT_MS, CallerPath
from app.models.ports import ModelSession


class Model:
    def __init__(self) -> None:
        self.got: list[str | int] = []

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        self.got.append(payload_b64)

    def send_silence(self, n_bytes: int) -> None:
        self.got.append(n_bytes)


class GapClock:
    """Reports a gap before each frame whose timestamp is odd."""

    def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
        return 80 if timestamp_ms % 2 else 0

    def due_padding(self, now_ms: int) -> int:
        return 160 if now_ms == 500 else 0

    def at(self, now_ms: int) -> tuple[int, int]:
        return 0, 20


def test_frames_wait_for_the_model_in_order() -> None:
    path, model = CallerPath(GapClock()), Model()
    path.media("a", 160, 0, 0)
    path.media("b", 160, 21, 20)
    path.connect(cast(ModelSession, model))
    path.media("c", 160, 40, 40)
    assert model.got == ["a", 80, "b", "c"]


def test_a_silent_carrier_is_padded_by_the_clock() -> None:
    path, model = CallerPath(GapClock()), Model()
    path.connect(cast(ModelSession, model))
    path.pad_for_silence(400)
    path.pad_for_silence(500)
    assert model.got == [160]
    assert path.padded_bytes == 160


def test_what_waits_is_bounded_and_what_is_lost_is_counted() -> None:
    path, model = CallerPath(GapClock()), Model()
    for number in range(WAITING_LIMIT_MS // 20 + 3):
        path.media(str(number), 160, number * 20, number * 20)
    path.connect(cast(ModelSession, model))
    assert model.got[0] == "3"
    assert path.dropped_bytes == 3 * 160
