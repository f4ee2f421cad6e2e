"""A door of which nobody asks anything special keeps nobody out, and personal data does not show
where a call or its ending is printed."""

import pytest

from app.call.endings import EndReason
from app.call.facts import CallFacts
from app.carriers.twilio.door import Ending, OfferedCall, TwilioDoor
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import StreamTokens
from tests.carriers.twilio.twilio_side import AUTH, CALL, NOW_S, PUBLIC, SEALS, Stage, World
from tests.onward.nowhere import Nowhere


@pytest.mark.asyncio(loop_scope="module")
async def test_an_unrestricted_door_lets_calls_in_and_takes_their_news(stage: Stage) -> None:
    bare = TwilioDoor(
        checker=SignatureChecker([AUTH], PUBLIC),
        tokens=StreamTokens([AUTH]),
        seals=SEALS,
        default_agent="reception",
        knows_agent={"reception"}.__contains__,
        ending_of=World().ending_of,
        onward=Nowhere(),
        now_s=lambda: NOW_S,
    )
    stream = [("CallSid", CALL), ("StreamSid", "MZ1"), ("StreamEvent", "stream-started")]
    recording = [
        ("CallSid", CALL),
        ("RecordingSid", "RE" + "0c" * 16),
        ("RecordingStatus", "completed"),
    ]
    async with stage.serving(bare) as twilio:
        assert (await twilio.post("/twilio/voice")).grant.agent == "reception"
        assert (await twilio.post("/twilio/stream-ended")).verbs == ["Connect"]
        assert (await twilio.post("/twilio/status")).status == 204
        assert (await twilio.post("/twilio/status", stream)).status == 204
        assert (await twilio.post("/twilio/recording", recording)).status == 204


def test_numbers_and_details_do_not_show() -> None:
    number = "+14155550100"
    facts = CallFacts(from_number=number)
    call = OfferedCall(CALL, "reception", "inbound", number, number, {"From": number}, facts)
    assert number not in repr(call)
    assert number not in repr(Ending(EndReason.HANDED_ON, number))
