"""How a stream ended decides how its call goes on; nothing goes round for ever."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from app.call.endings import EndReason
from app.call.facts import CallFacts
from app.carriers.twilio.stream_ended import after_stream
from app.carriers.twilio.stream_plans import MOST_RESUMES
from app.carriers.twilio.tokens import Grant
from app.onward.plan import Plan
from tests.carriers.twilio.twilio_side import (
    CALL,
    RINGING,
    SEALS,
    Stage,
    Twilio,
    World,
    door,
    ended,
    path_of,
    queued_url,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("ending", "verbs"),
    [
        (EndReason.AGENT_HUNG_UP, ["Hangup"]),
        (EndReason.CALLER_HUNG_UP, ["Hangup"]),
        (EndReason.OPERATOR_HUNG_UP, ["Hangup"]),
        (EndReason.MODEL_FAILED, ["Say", "Hangup"]),
        (EndReason.INTERNAL_ERROR, ["Say", "Hangup"]),
        (EndReason.DRAINED, ["Connect"]),
        (EndReason.CARRIER_LOST, ["Connect"]),
        (None, ["Connect"]),
    ],
)
async def test_how_the_conversation_ended_decides_how_the_call_goes_on(
    twilio: Twilio, world: World, ending: EndReason | None, verbs: list[str]
) -> None:
    world.ending = ending
    assert (await twilio.post("/twilio/stream-ended", ended())).verbs == verbs


async def test_every_end_reason_has_a_way_on() -> None:
    ways = {reason: after_stream(reason) for reason in EndReason}
    over = {reason for reason in EndReason if reason.deliberate} - {EndReason.HANDED_ON}
    assert all(ways[reason] == "hang_up" for reason in over)
    assert ways[EndReason.HANDED_ON] == "onward"
    assert all(ways[reason] == "apologise" for reason in EndReason if reason.fault == "model")
    assert all(ways[reason] == "resume" for reason in EndReason if reason.fault == "carrier")


@pytest.mark.parametrize("status", ["completed", "canceled"])
async def test_a_call_that_is_over_is_not_opened_again(twilio: Twilio, status: str) -> None:
    assert (await twilio.post("/twilio/stream-ended", ended(status))).verbs == ["Hangup"]


@pytest.mark.parametrize(
    ("ending", "resumes"), [(None, MOST_RESUMES), (EndReason.CARRIER_LOST, MOST_RESUMES)]
)
async def test_a_stream_that_never_comes_up_does_not_go_round_for_ever(
    twilio: Twilio, world: World, ending: EndReason | None, resumes: int
) -> None:
    world.ending = ending
    answer = await twilio.post("/twilio/voice")
    for _ in range(resumes):
        answer = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
        assert answer.verbs == ["Connect"]
    answer = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
    assert answer.verbs == ["Say", "Hangup"]


async def test_moving_to_another_worker_does_not_use_up_the_resumes(
    twilio: Twilio, world: World
) -> None:
    world.ending = EndReason.DRAINED
    answer = await twilio.post("/twilio/voice")
    for _ in range(MOST_RESUMES + 2):
        answer = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
    assert dict(parse_qsl(urlsplit(answer.find("Connect")["action"]).query))["resumed"] == "0"


async def test_when_the_ending_cannot_be_looked_up_the_caller_gets_an_apology(
    stage: Stage, world: World
) -> None:
    async def broken(call_sid: str) -> EndReason | None:
        raise ConnectionError(call_sid)

    async with stage.serving(door(world, ending_of=broken)) as twilio:
        assert (await twilio.post("/twilio/stream-ended", ended())).verbs == ["Say", "Hangup"]


async def test_while_nobody_can_go_on_with_a_call_it_waits_in_silence(
    stage: Stage, world: World
) -> None:
    world.ending = EndReason.DRAINED
    leaving = True
    form = [*RINGING[:3], ("CallStatus", "in-progress")]
    facts = SEALS.seal(CallFacts(from_number="+14155550100"), CALL)
    path = f"/twilio/stream-ended?agent=sales&direction=inbound&facts={facts}&resumed=0"
    async with stage.serving(door(world, alone_and_leaving=lambda: leaving)) as twilio:
        answer = await twilio.post(path, form)
        assert answer.verbs == ["Pause", "Redirect"]
        assert queued_url(answer) == path
        leaving = False
        world.ending = None  # it is another process that is asked now
        assert (await twilio.post(path, form)).grant == Grant(CALL, "sales", "inbound")
        world.ending = EndReason.AGENT_HUNG_UP
        leaving = True
        assert (await twilio.post(path, form)).verbs == ["Hangup"]


async def test_a_stream_that_does_not_come_up_after_a_transfer_does_not_repeat_the_transfer(
    twilio: Twilio, world: World
) -> None:
    """What the carrier asks then still finds the ending by which the call had left."""
    world.ending = EndReason.HANDED_ON
    world.detail = Plan("transfer", "desk", run="1234").packed()
    assert (await twilio.post("/twilio/stream-ended", ended())).verbs == ["Say", "Hangup"]
    stale = await twilio.post("/twilio/stream-ended?done=1234", ended())
    assert stale.verbs == ["Connect"]
    assert "done=1234" in stale.find("Connect")["action"]
    another = await twilio.post("/twilio/stream-ended?done=9999", ended())
    assert another.verbs == ["Say", "Hangup"], "a new plan is carried out"
