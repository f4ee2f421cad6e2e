"""A path delays and never reorders; upstream faults show as missing media, not as late media."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.phone.impairments import Delays, Impairments, Path, Stall, Upstream, Window
from tests.lab.phone.virtual import VirtualClock

SPEECH = b"\x10" * 160
SILENCE = b"\xff" * 160


@given(
    delay_ms=st.integers(0, 200),
    jitter_ms=st.integers(0, 100),
    seed=st.integers(0, 1000),
    pauses_ms=st.lists(st.integers(0, 60), min_size=1, max_size=60),
)
def test_messages_arrive_in_order_after_delay_and_at_most_jitter(
    delay_ms: int, jitter_ms: int, seed: int, pauses_ms: list[int]
) -> None:
    clock = VirtualClock()
    impairments = Impairments(delay_ms=delay_ms, jitter_ms=jitter_ms, seed=seed)
    arrived: list[tuple[int, float]] = []
    path = Path[int](
        clock,
        Delays(impairments, "to_bot", clock.now_s(), ""),
        lambda n: arrived.append((n, clock.now_s())),
    )
    sent_s = []
    for number, pause_ms in enumerate(pauses_ms):
        clock.advance(pause_ms)
        sent_s.append(clock.now_s())
        path.send(number)
    clock.advance(10_000)
    assert [number for number, _ in arrived] == list(range(len(pauses_ms)))
    for number, at_s in arrived:
        took_ms = (at_s - sent_s[number]) * 1000
        assert delay_ms - 1e-6 <= took_ms <= delay_ms + jitter_ms + 1e-6


def test_the_same_seed_gives_the_same_jitter_and_each_way_and_stream_its_own() -> None:
    impairments = Impairments(jitter_ms=30, seed=7)

    def first(way: str, salt: str) -> float:
        return Delays(impairments, "to_bot" if way == "bot" else "to_phone", 0, salt).due_s(0)

    assert first("bot", "a") == first("bot", "a")
    assert len({first("bot", "a"), first("phone", "a"), first("bot", "b")}) == 3


def test_without_delay_a_message_arrives_at_once() -> None:
    clock = VirtualClock()
    arrived: list[str] = []
    Path[str](clock, Delays(Impairments(), "to_bot", 0, ""), arrived.append).send("now")
    assert arrived == ["now"]


def test_a_stall_holds_its_way_and_lets_go_at_its_end() -> None:
    stall = Stall(100, 500, "to_phone")
    delays = Delays(Impairments(stalls=(stall,)), "to_phone", 50.0, "")
    assert delays.due_s(50.05) == 50.05
    assert delays.due_s(50.2) == pytest.approx(50.6)
    assert delays.due_s(50.7) == pytest.approx(50.7)
    assert Delays(Impairments(stalls=(stall,)), "to_bot", 50.0, "").due_s(50.2) == 50.2


def test_a_gap_withholds_its_frames_only() -> None:
    upstream = Upstream(Impairments(gaps=(Window(40, 60),)), "")
    passed = [at_ms for at_ms in range(0, 200, 20) if upstream.passes(at_ms, SPEECH)]
    assert passed == [0, 20, 100, 120, 140, 160, 180]


def test_silence_is_suppressed_after_a_while_and_speech_comes_back_at_once() -> None:
    upstream = Upstream(Impairments(suppress_silence_after_ms=40), "")
    frames = [SPEECH, SILENCE, SILENCE, SILENCE, SILENCE, SPEECH, SILENCE]
    passed = [upstream.passes(at * 20, frame) for at, frame in enumerate(frames)]
    assert passed == [True, True, True, False, False, True, True]


def test_loss_takes_its_share_and_the_same_frames_for_the_same_seed() -> None:
    def survivors() -> list[int]:
        upstream = Upstream(Impairments(loss=0.2, seed=3), "")
        return [at for at in range(2000) if upstream.passes(at * 20, SPEECH)]

    assert 1500 < len(survivors()) < 1700
    assert survivors() == survivors()


@pytest.mark.parametrize("wrong", [{"delay_ms": -1}, {"jitter_ms": -1}, {"loss": 1.5}])
def test_impossible_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="got"):
        Impairments(**wrong)  # type: ignore[arg-type]
