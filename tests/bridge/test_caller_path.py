"""Every caller byte reaches a model, in order; twice only what is replayed on purpose to the next
session, and what is forgotten for want of room is counted."""

from base64 import b64encode
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from app.bridge.caller_path import BYTES_PER_MS, KEPT_LIMIT_MS, CallerPath
from app.models.ports import ModelSession


class Model:
    """Keeps what it hears: the payload of each frame, the length of each silence."""

    def __init__(self) -> None:
        self.got: list[str | int] = []

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        self.got.append(payload_b64)

    def send_silence(self, n_bytes: int) -> None:
        self.got.append(n_bytes)

    @property
    def session(self) -> ModelSession:
        return cast(ModelSession, self)


class GapClock:
    """Reports a gap before each frame whose timestamp is odd."""

    always_on = True

    def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
        return 80 if timestamp_ms % 2 else 0

    def due_padding(self, now_ms: int) -> int:
        return 160 if now_ms == 500 else 0

    def at(self, now_ms: int) -> tuple[int, int]:
        return 0, 20


def frames(path: CallerPath, *names: str) -> None:
    """20 ms each."""
    for name in names:
        path.media(name, bytes(160), 0, 0)


def connected(path: CallerPath, heard_ms: int = 0, replay_ms: int | None = None) -> Model:
    model = Model()
    path.connect(model.session, heard_ms, replay_ms)
    return model


def test_frames_wait_for_the_model_in_order() -> None:
    path = CallerPath(GapClock())
    path.media("a", bytes(160), 0, 0)
    path.media("b", bytes(160), 21, 20)
    model = connected(path)
    path.media("c", bytes(160), 40, 40)
    assert model.got == ["a", 80, "b", "c"]
    assert (path.base_ms, path.replayed_bytes) == (0, 0)


def test_a_silent_carrier_is_padded_by_the_clock() -> None:
    path = CallerPath(GapClock())
    model = connected(path)
    path.pad_for_silence(400)
    path.pad_for_silence(500)
    assert model.got == [160]
    assert (path.padded_bytes, path.position) == (160, 160)


def test_what_was_said_while_nobody_listened_is_heard_by_the_next_session() -> None:
    path = CallerPath(GapClock())
    before = connected(path)
    frames(path, "a", "b")
    path.disconnect()
    frames(path, "c", "d")
    after = connected(path, heard_ms=40, replay_ms=0)
    frames(path, "e")
    assert before.got == ["a", "b"]
    assert after.got == ["c", "d", "e"]
    assert (path.base_ms, path.replayed_bytes) == (40, 0)


def test_a_new_session_hears_no_more_of_the_quiet_than_it_shall() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, *"abcdef")
    after = connected(path, heard_ms=0, replay_ms=40)
    assert after.got == ["e", "f"]
    assert (path.base_ms, path.replayed_bytes) == (80, 320)


def test_what_was_answered_is_not_heard_again() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, *"abcdef")
    after = connected(path, heard_ms=100, replay_ms=1_000)
    assert after.got == ["f"]


def test_speech_in_progress_is_heard_from_its_first_byte_however_long_ago() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, *"abcdef")
    after = connected(path, heard_ms=20, replay_ms=None)
    assert after.got == [*"bcdef"]
    assert (path.base_ms, path.replayed_bytes) == (20, 5 * 160)


def test_speech_that_began_within_a_frame_is_heard_with_the_whole_frame() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, *"abc")
    after = connected(path, heard_ms=35)
    assert after.got == ["b", "c"]
    assert path.base_ms == 20


def test_nothing_is_skipped_for_a_session_that_said_it_heard_more_than_there_was() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, "a")
    path.disconnect()
    frames(path, "b")
    assert connected(path, heard_ms=10_000, replay_ms=0).got == ["b"]


def test_a_session_that_was_replaced_hears_nothing_more() -> None:
    path = CallerPath(GapClock())
    before, after = connected(path), connected(path)
    frames(path, "a")
    assert (before.got, after.got) == ([], ["a"])


def test_only_what_somebody_heard_is_forgotten() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, *"abc")
    path.disconnect()
    frames(path, *"de")
    path.forget(40)
    assert len(path) == 3 * 160
    path.forget(10_000)
    assert len(path) == 2 * 160
    assert connected(path, replay_ms=0).got == ["d", "e"]
    path.forget(10_000)
    assert (len(path), path.dropped_bytes) == (0, 0)


def test_a_stretch_of_the_callers_voice_is_whole_frames_and_silence() -> None:
    path = CallerPath(GapClock())
    for tick, byte in enumerate((b"\x01", b"\x02", b"\x03")):
        path.media(b64encode(byte * 160).decode(), byte * 160, 20 * tick + (tick == 2), 0)
    assert path.audio(20, 50) == b"\x02" * 160 + b"\xff" * 80
    assert path.audio(0, 10_000) == b"\x01" * 160 + b"\x02" * 160 + b"\xff" * 80 + b"\x03" * 160
    assert path.audio(500, 900) == b""


def test_what_waits_is_bounded_and_what_is_lost_is_counted() -> None:
    path = CallerPath(GapClock())
    frames(path, *map(str, range(KEPT_LIMIT_MS // 20 + 3)))
    model = connected(path)
    assert model.got[0] == "3"
    assert path.dropped_bytes == 3 * 160
    assert path.base_ms == 60


def test_a_long_silence_makes_as_much_room_as_it_takes() -> None:
    class JumpClock(GapClock):
        always_on = True

        def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
            return timestamp_ms * BYTES_PER_MS

    path = CallerPath(JumpClock())
    frames(path, *map(str, range(100)))
    path.media("late", bytes(160), KEPT_LIMIT_MS - 100, 0)
    assert len(path) == KEPT_LIMIT_MS * BYTES_PER_MS
    assert path.dropped_bytes == 96 * 160


def test_what_is_forgotten_and_was_heard_is_not_lost() -> None:
    path = CallerPath(GapClock())
    connected(path)
    frames(path, *map(str, range(KEPT_LIMIT_MS // 20 + 3)))
    assert path.dropped_bytes == 0
    assert len(path) == KEPT_LIMIT_MS * BYTES_PER_MS


steps = st.one_of(
    st.tuples(st.just("media"), st.integers(1, 30), st.just(0)),
    st.tuples(st.just("gap"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("connect"), st.integers(0, 3_000), st.none() | st.integers(0, 600)),
    st.tuples(st.just("disconnect"), st.just(0), st.just(0)),
    st.tuples(st.just("forget"), st.integers(0, 3_000), st.just(0)),
)


class Listening:
    """One session's stretch of the caller axis: unbroken from its base on."""

    def __init__(self, path: CallerPath, heard_ms: int, replay_ms: int | None) -> None:
        self.model = connected(path, heard_ms, replay_ms)
        self.base = path.base_ms * BYTES_PER_MS

    def heard(self) -> tuple[int, int]:
        """From where to where. Each frame, named by its place, must lie where it was taken."""
        at = self.base
        for got in self.model.got:
            assert isinstance(got, int) or int(got) == at
            at += got if isinstance(got, int) else 160
        return self.base, at


@given(st.lists(steps, max_size=40))
def test_over_any_changes_of_sessions_every_byte_is_heard_and_only_replays_are_heard_twice(
    script: list[tuple[str, int, int | None]],
) -> None:
    path, sessions = CallerPath(GapClock()), list[Listening]()
    for what, number, replay_ms in script:
        match what:
            case "media" | "gap":
                gap = 80 if what == "gap" else 0
                for _ in range(number):
                    path.media(str(path.position + gap), bytes(160), 1 if gap else 0, 0)
            case "connect":
                sessions.append(Listening(path, number, replay_ms))
            case "disconnect":
                path.disconnect()
            case _:
                path.forget(number)
    sessions.append(Listening(path, 0, 0))

    end = 0
    for first, after in sorted(session.heard() for session in sessions):
        assert first <= end, f"nobody heard {end} to {first}"
        end = max(end, after)
    assert end == path.position
    handed = sum(after - first for first, after in (session.heard() for session in sessions))
    assert handed - path.position == path.replayed_bytes
    assert path.dropped_bytes == 0
