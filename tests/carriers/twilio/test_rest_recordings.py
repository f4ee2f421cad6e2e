"""Twilio is asked for a recording of both sides that tells us of itself, and for pauses of the same
length as the silence; what is no recording is refused before it is sent."""

import pytest

from app.carriers.twilio.errors import AccountError, CallInputError, VendorError
from app.carriers.twilio.rest import TwilioRest
from app.carriers.twilio.rest_recordings import CURRENT, RecordingInfo, RestRecordings
from tests.carriers.twilio.test_rest import ACCOUNT, CALL, PUBLIC, Api, api, fails, rest, says

__all__ = ["api", "rest"]

SID = "RE" + "0d" * 16
FOLDER = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}/Recordings"


def recording(status: str) -> dict[str, object]:
    return {"sid": SID, "status": status, "call_sid": CALL}


async def test_a_recording_of_both_sides_is_begun(api: Api, rest: TwilioRest) -> None:
    api.answer = says(201, recording("in-progress"))
    assert await RestRecordings(rest).start(CALL) == RecordingInfo(SID, "in-progress")
    ((method, path, fields),) = api.requests
    assert (method, path) == ("POST", f"{FOLDER}.json")
    assert fields["RecordingChannels"] == ["dual"]
    assert fields["RecordingStatusCallback"] == [f"{PUBLIC}/twilio/recording"]
    assert fields["RecordingStatusCallbackEvent"] == ["in-progress", "completed", "absent"] or (
        fields["RecordingStatusCallbackEvent"] == ["in-progress completed absent"]
    )


async def test_it_is_paused_in_silence_resumed_and_stopped(api: Api, rest: TwilioRest) -> None:
    recordings = RestRecordings(rest)
    api.answer = says(200, recording("paused"))
    assert (await recordings.pause(CALL, SID)).status == "paused"
    await recordings.resume(CALL, CURRENT)
    await recordings.stop(CALL, SID)
    sent = [(path.removeprefix(FOLDER), fields) for _, path, fields in api.requests]
    assert sent == [
        (f"/{SID}.json", {"Status": ["paused"], "PauseBehavior": ["silence"]}),
        (f"/{CURRENT}.json", {"Status": ["in-progress"]}),
        (f"/{SID}.json", {"Status": ["stopped"]}),
    ]


async def test_failures_come_by_name(api: Api, rest: TwilioRest) -> None:
    recordings = RestRecordings(rest)
    for sid, call in (("RE1", CALL), (f"{SID}/../x", CALL), (SID, "CA1")):
        with pytest.raises(CallInputError):
            await recordings.pause(call, sid)
    assert api.requests == []
    api.answer = fails(401, 20003)
    with pytest.raises(AccountError):
        await recordings.pause(CALL, SID)
    api.answer = says(200, {})
    with pytest.raises(VendorError) as error:
        await recordings.start(CALL)
    assert error.value.outcome_unknown
