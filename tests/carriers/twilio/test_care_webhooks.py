"""A caller who is not let in never gets a place, and is looked at once; what Twilio tells of its
recordings is handed on, if it is what Twilio tells."""

from dataclasses import dataclass, field

import pytest

from app.carriers.twilio.door import IN, OfferedCall, Screening
from app.carriers.twilio.recording_status import RecordingStatus
from tests.carriers.twilio.twilio_side import CALL, RINGING, Stage, World, door

pytestmark = pytest.mark.asyncio(loop_scope="module")

VOICE = "/twilio/voice"
RECORDING = "/twilio/recording"
SID = "RE" + "0c" * 16
OUTBOUND = (*RINGING[:4], ("Direction", "outbound-api"))


@dataclass
class Desk:
    verdict: Screening = IN
    screened: list[OfferedCall] = field(default_factory=list)
    told: list[RecordingStatus] = field(default_factory=list)

    async def screen(self, call: OfferedCall) -> Screening:
        self.screened.append(call)
        return self.verdict

    async def on_recording(self, status: RecordingStatus) -> None:
        self.told.append(status)


@pytest.mark.parametrize(
    ("answer", "verbs"), [("busy", ["Reject"]), ("message", ["Say", "Hangup"]), ("in", ["Connect"])]
)
async def test_who_is_not_let_in_gets_no_place(stage: Stage, answer: str, verbs: list[str]) -> None:
    desk, world = Desk(Screening(answer, "listed")), World()  # type: ignore[arg-type]
    async with stage.serving(door(world, screen=desk.screen)) as twilio:
        assert (await twilio.post(VOICE)).verbs == verbs
    assert len(world.offered) == (answer == "in")
    assert [call.from_number for call in desk.screened] == ["+14155550100"]


async def test_who_waits_for_a_place_was_looked_at_before(stage: Stage) -> None:
    desk, world = Desk(Screening("busy", "too_many_calls")), World()
    async with stage.serving(door(world, screen=desk.screen)) as twilio:
        assert (await twilio.post(f"{VOICE}?waited=5")).verbs == ["Connect"]
    assert desk.screened == []


FORM = (
    ("CallSid", CALL),
    ("RecordingSid", SID),
    ("RecordingStatus", "completed"),
    ("RecordingDuration", "42"),
    ("RecordingSource", "StartCallRecordingAPI"),
)


async def test_a_recordings_life_is_told(stage: Stage) -> None:
    desk = Desk()
    async with stage.serving(door(World(), on_recording=desk.on_recording)) as twilio:
        assert (await twilio.post(RECORDING, FORM)).status == 204
        assert (await twilio.post(RECORDING, FORM, auth="wrong")).status == 403
        assert (await twilio.post(RECORDING, FORM[:1])).status == 400
        odd = (FORM[0], ("RecordingSid", "../x"), FORM[2])
        assert (await twilio.post(RECORDING, odd)).status == 400
    assert desk.told == [
        RecordingStatus(CALL, SID, "completed", 42, "StartCallRecordingAPI"),
    ]
