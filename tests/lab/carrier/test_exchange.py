"""Calls are dialled at their rate, ring as long as they may, and end once, in virtual time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.carrier.calls import CarrierCall
from app.lab.carrier.exchange import Exchange
from app.lab.carrier.parties import DOES, REFUSALS, Does, Party
from app.lab.phone.course import TwimlSource
from app.lab.phone.identity import ENDED, CallIdentity
from app.lab.phone.leg import MachineDetection
from app.lab.phone.rest_order import CallOrder
from tests.lab.phone.virtual import VirtualClock

RINGS = tuple(does for does in DOES if does not in REFUSALS)


class Follower:
    def __init__(self, clock: VirtualClock) -> None:
        self.told: list[tuple[str, str, int]] = []
        self._clock = clock

    def became(self, call: CarrierCall) -> None:
        self.told.append((call.identity.call_sid, call.status, round(self._clock.now_s() * 1000)))

    def detected(self, call: CarrierCall, took_ms: int) -> None:
        self.told.append((call.identity.call_sid, call.answered_by, took_ms))

    def of(self, sid: str) -> list[str]:
        return [what for whose, what, _ in self.told if whose == sid]


class Room:
    def __init__(self, *, pace: float = 1.0, per_s: float = 0.0) -> None:
        self.clock = VirtualClock(0.0)
        self.follower = Follower(self.clock)
        self.exchange = Exchange(
            self.clock,
            lambda: round(self.clock.now_s() * 1000),
            self.follower,
            pace=pace,
            per_s=per_s,
        )

    def place(self, sid: str, party: Party, *, limit_s: int = 60, most_s: int = 0) -> CarrierCall:
        identity = CallIdentity(sid, "AC1", "+15005550006", "+15005550010", "outbound-api")
        detection = MachineDetection(1_200, message_end=True, callback="http://bot.test/amd")
        source = TwimlSource("http://bot.test/voice")
        order = CallOrder(source, None, None, limit_s * 1000, most_s or None, detection)
        return self.exchange.place(identity, order, party)


def test_calls_above_the_rate_wait_for_their_turn() -> None:
    room = Room(per_s=2)
    for number in range(5):
        room.place(f"CA{number}", Party())
    room.clock.advance(10_000)
    dialled = [at for _, what, at in room.follower.told if what == "initiated"]
    assert dialled == [0, 500, 1000, 1500, 2000]


def test_the_rate_is_of_the_calls_own_time() -> None:
    room = Room(pace=10, per_s=2)
    calls = [room.place(f"CA{number}", Party()) for number in range(3)]
    assert [call.queue_ms for call in calls] == [0, 500, 1000]
    room.clock.advance(10_000)
    dialled = [at for _, what, at in room.follower.told if what == "initiated"]
    assert dialled == [0, 50, 100]


def test_nobody_rings_for_longer_than_was_asked_for() -> None:
    room = Room()
    room.place("CA1", Party(ring_s=30), limit_s=25)
    room.clock.advance(60_000)
    assert room.follower.told[-1] == ("CA1", "no-answer", 25_800)


def test_a_call_ends_at_its_limit() -> None:
    room = Room()
    call = room.place("CA1", Party(ring_s=5, talk_s=600), most_s=30)
    room.clock.advance(600_000)
    assert (call.status, call.talked_s) == ("completed", 30)


def test_a_machine_is_told_of_after_its_greeting_and_not_when_the_call_is_over() -> None:
    room = Room()
    room.place("CA1", Party("machine", greeting_s=4, talk_s=30))
    room.place("CA2", Party("machine", greeting_s=40, talk_s=30))
    room.clock.advance(100_000)
    assert ("CA1", "machine_end_beep", 5_200) in room.follower.told
    assert "machine_end_beep" not in room.follower.of("CA2")


def test_a_call_that_we_took_back_is_never_dialled() -> None:
    room = Room(per_s=0.1)
    room.place("CA1", Party())
    call = room.place("CA2", Party())
    room.exchange.end(call, "canceled")
    room.clock.advance(100_000)
    assert room.follower.of("CA2") == ["canceled"]
    assert call.dialled_ms is None


@settings(max_examples=200, deadline=None)
@given(
    does=st.sampled_from(RINGS),
    ring_s=st.floats(0, 90),
    talk_s=st.floats(0, 120),
    end_ms=st.integers(0, 200_000),
)
def test_a_call_ends_exactly_once_whatever_ends_it(
    does: Does, ring_s: float, talk_s: float, end_ms: int
) -> None:
    room = Room()
    call = room.place("CA1", Party(does, ring_s, talk_s))
    room.clock.advance(end_ms)
    waiting = call.status in ("queued", "initiated", "ringing")
    room.exchange.end(call, "canceled" if waiting else "completed")
    room.clock.advance(400_000)
    told = room.follower.of("CA1")
    assert [what for what in told if what in ENDED] == [call.status]
    assert told[-1] in ENDED
    assert call.ended_ms is not None


@pytest.mark.parametrize("does", RINGS)
def test_every_party_comes_to_an_end_by_itself(does: Does) -> None:
    room = Room()
    call = room.place("CA1", Party(does))
    room.clock.advance(300_000)
    assert call.status in ENDED
