"""A path delays and never reorders, also while it is bursting."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.phone.impairments import Impairments, JitterBursts, Stall
from app.lab.phone.path import Delays, Path
from tests.lab.phone.virtual import VirtualClock


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


@given(
    mean_every_ms=st.integers(1, 3_000),
    peak_ms=st.integers(1, 500),
    length_ms=st.integers(1, 500),
    seed=st.integers(0, 1_000),
)
def test_a_jitter_burst_comes_at_once_ebbs_away_and_keeps_the_order(
    mean_every_ms: int, peak_ms: int, length_ms: int, seed: int
) -> None:
    bursts = JitterBursts(mean_every_ms, peak_ms, length_ms)
    delays = Delays(Impairments(delay_ms=40, jitter_bursts=bursts, seed=seed), "to_bot", 5.0, "")
    sent_s = [5.0 + n * 0.02 for n in range(500)]
    due_s = [delays.due_s(at_s) for at_s in sent_s]
    assert not delays.none
    assert due_s == sorted(due_s)
    late_ms = [(due - sent) * 1000 - 40 for due, sent in zip(due_s, sent_s, strict=True)]
    assert all(-1e-6 <= late <= peak_ms + 1e-6 for late in late_ms)


def test_jitter_bursts_come_about_as_often_as_asked_and_each_way_has_its_own() -> None:
    impairments = Impairments(jitter_bursts=JitterBursts(1_700, 150, 300), seed=1)

    def late_ms(way: str) -> list[float]:
        delays = Delays(impairments, "to_bot" if way == "bot" else "to_phone", 0.0, "")
        return [(delays.due_s(n * 0.02) - n * 0.02) * 1000 for n in range(50_000)]

    to_bot, to_phone = late_ms("bot"), late_ms("phone")
    begun = sum(later - one > 50 for one, later in pairwise(to_bot))
    assert begun == pytest.approx(1_000_000 / (1_700 + 300), rel=0.15)
    assert max(to_bot) > 135
    ebbing = [one - later for one, later in pairwise(to_bot) if one > later > 0.001]
    assert ebbing == pytest.approx([10.0] * len(ebbing), abs=0.01)  # 150 ms in 300, 20 at a time
    assert to_bot == late_ms("bot")
    assert to_bot != to_phone
