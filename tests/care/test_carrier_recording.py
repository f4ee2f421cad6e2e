"""A recording of the carrier's follows what is wanted, never harms the call, and a private entry
whose pause is not confirmed in time is called off."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.care import carrier_recording
from app.care.carrier_recording import CarrierRecording
from app.carriers.twilio.errors import AccountError, TransportError, TwilioError

SID = "RE" + "0" * 32


@dataclass(frozen=True)
class Info:
    recording_sid: str = SID
    status: str = "in-progress"


@dataclass
class Twilio:
    asked: list[str] = field(default_factory=list)
    fails: list[TwilioError] = field(default_factory=list)
    hangs: bool = False

    async def _answer(self, what: str) -> Info:
        self.asked.append(what)
        if self.hangs:
            await asyncio.sleep(60)
        if self.fails:
            raise self.fails.pop(0)
        return Info()

    async def start(self, call_sid: str) -> Info:
        return await self._answer("start")

    async def pause(self, call_sid: str, recording_sid: str) -> Info:
        return await self._answer(f"pause {recording_sid}")

    async def resume(self, call_sid: str, recording_sid: str) -> Info:
        return await self._answer(f"resume {recording_sid}")

    async def stop(self, call_sid: str, recording_sid: str) -> Info:
        return await self._answer(f"stop {recording_sid}")


@dataclass
class World:
    twilio: Twilio
    recording: CarrierRecording
    notes: list[str]
    unsafe: list[str]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier_recording, "AGAIN_S", 0.001)


def made(*, waits: bool = False, sid: str = "", twilio: Twilio | None = None) -> World:
    notes, unsafe = list[str](), list[str]()
    remote = twilio or Twilio()
    recording = CarrierRecording(
        "CA1", remote, notes.append, lambda: unsafe.append("unsafe"), waits=waits, sid=sid
    )
    return World(remote, recording, notes, unsafe)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_it_begins_pauses_for_private_digits_and_goes_on() -> None:
    world = made()
    await until(lambda: world.notes == ["recording began"])
    world.recording.guard("private", 0)
    assert not world.recording.safe
    await until(lambda: world.recording.safe)
    world.recording.guard("typing", 0)
    world.recording.guard("private", 0)
    world.recording.guard("tones", 0)
    await until(lambda: len(world.twilio.asked) == 3)
    assert world.twilio.asked == ["start", f"pause {SID}", f"resume {SID}"]
    assert world.unsafe == []
    await world.recording.close()
    assert world.recording.as_json() == {"by": "twilio", "sid": SID, "refused": False}


async def test_a_pause_that_is_not_confirmed_in_time_calls_the_entry_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(carrier_recording, "CONFIRMED_WITHIN_S", 0.02)
    world = made()
    await until(lambda: bool(world.notes))
    world.twilio.hangs = True
    world.recording.guard("private", 0)
    world.recording.tick(0)
    assert world.unsafe == []
    await asyncio.sleep(0.03)
    world.recording.tick(0)
    world.recording.tick(0)
    assert world.unsafe == ["unsafe"]
    await world.recording.close()


async def test_a_key_before_the_pause_is_confirmed_calls_the_entry_off() -> None:
    world = made()
    await until(lambda: bool(world.notes))
    world.twilio.hangs = True
    world.recording.guard("private", 0)
    world.recording.guard("typing", 0)
    assert world.unsafe == ["unsafe"]


async def test_a_pause_that_fails_is_tried_again_within_bounds() -> None:
    world = made()
    await until(lambda: bool(world.notes))
    world.twilio.fails = [TransportError("no answer"), TransportError("no answer")]
    world.recording.guard("private", 0)
    await until(lambda: world.recording.safe)
    assert world.twilio.asked == ["start", *[f"pause {SID}"] * 3]

    world.twilio.fails = [AccountError("no")] * 20
    world.recording.guard("tones", 0)
    await asyncio.sleep(0.05)
    assert world.twilio.asked.count(f"resume {SID}") == carrier_recording.TRIES
    assert not world.recording.safe


async def test_a_recording_that_may_have_begun_is_not_begun_twice_and_is_not_trusted() -> None:
    twilio = Twilio(fails=[TransportError("no answer", outcome_unknown=True)])
    world = made(twilio=twilio)
    await until(lambda: twilio.asked == ["start"])
    await asyncio.sleep(0.02)
    assert twilio.asked == ["start"]
    world.recording.guard("private", 0)
    world.recording.guard("typing", 0)
    assert world.unsafe == ["unsafe"]


async def test_a_call_that_is_not_recorded_is_safe() -> None:
    world = made(waits=True)
    world.recording.guard("private", 0)
    world.recording.guard("typing", 0)
    assert (world.unsafe, world.twilio.asked) == ([], [])


async def test_consent_begins_it_and_its_withdrawal_ends_it() -> None:
    world = made(waits=True)
    world.recording.consent(True)
    await until(lambda: world.twilio.asked == ["start"])
    world.recording.consent(False)
    await until(lambda: world.twilio.asked == ["start", f"stop {SID}"])
    assert world.recording.as_json()["refused"] is True


async def test_of_another_streams_recording_nothing_is_believed() -> None:
    world = made(sid=SID)
    world.recording.guard("private", 0)
    assert not world.recording.safe
    await until(lambda: world.recording.safe)
    assert world.twilio.asked[-1] == f"pause {SID}"
