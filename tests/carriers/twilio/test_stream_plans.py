"""What is known of a call reaches each of its streams, sealed for that call and no other: also the
streams that another worker opens, and where Twilio's later requests bring less."""

from urllib.parse import urlencode

import pytest

from app.call.events import OnAnswer
from app.call.facts import CallFacts
from app.carriers.twilio.stream_plans import AGAIN
from app.carriers.twilio.tokens import Grant
from tests.carriers.twilio.twilio_side import (
    CALL,
    RINGING,
    SEALS,
    Twilio,
    World,
    ended,
    path_of,
    queued_url,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIP_CALL = (
    ("CallSid", CALL),
    ("From", "sip:+14155550100@pbx.example.com"),
    ("To", "sip:sales@shop.sip.example.com"),
    ("CallStatus", "ringing"),
    ("Direction", "inbound"),
    ("SipDomain", "shop.sip.example.com"),
    ("SipSourceIp", "192.0.2.7"),
    ("SipHeader_X-Order", "4711"),
    ("SipHeader_User-to-User", "abc;encoding=hex"),
)


async def test_the_facts_of_a_call_reach_its_stream(twilio: Twilio, world: World) -> None:
    answer = await twilio.post("/twilio/voice", SIP_CALL)
    assert answer.facts == CallFacts(
        origin="sip",
        from_number="sip:+14155550100@pbx.example.com",
        to_number="sip:sales@shop.sip.example.com",
        sip_domain="shop.sip.example.com",
        source_ip="192.0.2.7",
        sip_headers={"X-Order": "4711", "User-to-User": "abc;encoding=hex"},
    )
    assert world.offered[0].facts == answer.facts


async def test_the_attempt_of_a_call_reaches_all_its_streams(twilio: Twilio, world: World) -> None:
    first = await twilio.post("/twilio/voice?agent=sales&attempt=a-7_B")
    assert first.facts.attempt_id == "a-7_B"
    again = await twilio.post(path_of(first.find("Connect")["action"]))
    assert again.facts.attempt_id == "a-7_B"
    assert "a-7_B" not in first.text
    assert (await twilio.post("/twilio/voice?attempt=%3Cb%3E")).facts.attempt_id == ""
    assert (await twilio.post("/twilio/voice?attempt=1&attempt=2")).status == 400


async def test_what_is_done_about_a_machine_reaches_all_streams_of_a_call_that_we_placed(
    twilio: Twilio,
) -> None:
    on_answer = OnAnswer("message", "Please call us back.")
    url = "/twilio/voice?" + urlencode({"machine": SEALS.seal_on_answer(on_answer)})
    outbound = (("CallSid", CALL), ("Direction", "outbound-api"), ("From", "+14155550199"))
    first = await twilio.post(url, outbound)
    assert first.facts.on_answer == on_answer
    assert first.facts.answered_at_ms is not None
    assert "call us back" not in first.text
    again = await twilio.post(path_of(first.find("Connect")["action"]))
    assert again.facts == first.facts, "it was answered when it was"
    assert (await twilio.post(url)).facts.on_answer is None, "not of a call that came in"
    forged = await twilio.post("/twilio/voice?machine=x", outbound)
    assert forged.facts.on_answer is None
    assert (await twilio.post("/twilio/voice?machine=1&machine=2")).status == 400


async def test_the_facts_are_not_read_by_whoever_sees_the_document(twilio: Twilio) -> None:
    text = (await twilio.post("/twilio/voice", SIP_CALL)).text
    assert not any(secret in text for secret in ("4155550100", "4711", "192.0.2.7", "X-Order"))


async def test_a_resumed_stream_knows_what_the_first_one_knew(twilio: Twilio, world: World) -> None:
    first = await twilio.post("/twilio/voice", SIP_CALL)
    form = [field for field in SIP_CALL if not field[0].startswith("Sip")]
    again = await twilio.post(path_of(first.find("Connect")["action"]), form)
    assert again.facts == first.facts


async def test_only_a_stream_that_is_opened_again_says_so(twilio: Twilio) -> None:
    first = await twilio.post("/twilio/voice")
    again = await twilio.post(path_of(first.find("Connect")["action"]), ended())
    assert [AGAIN in answer.parameters for answer in (first, again)] == [False, True]


async def test_a_call_that_waited_for_a_place_kept_its_facts(twilio: Twilio, world: World) -> None:
    world.admission = "queue"
    first = await twilio.post("/twilio/voice", SIP_CALL)
    world.admission = "open"
    answer = await twilio.post(queued_url(first), SIP_CALL[:5])
    assert answer.facts.header("x-order") == "4711"


async def test_the_variables_of_a_call_that_we_placed_reach_its_stream(twilio: Twilio) -> None:
    sealed = SEALS.seal_variables({"name": "Ada", "due": "Friday"})
    form = [*RINGING[:4], ("Direction", "outbound-api")]
    answer = await twilio.post(f"/twilio/voice?vars={sealed}", form)
    assert answer.facts.campaign == {"name": "Ada", "due": "Friday"}
    assert (answer.facts.party, answer.facts.line) == ("+14155550199", "+14155550100")


async def test_facts_of_another_call_are_not_taken_for_this_one(twilio: Twilio) -> None:
    other = SEALS.seal(CallFacts(from_number="+14155550777"), "CA" + "0c" * 16)
    answer = await twilio.post(f"/twilio/voice?facts={other}")
    assert answer.facts.from_number == "+14155550100"


async def test_a_resumed_call_keeps_its_agent_and_direction(twilio: Twilio) -> None:
    form = [*RINGING[:4], ("Direction", "outbound-api")]
    first = await twilio.post("/twilio/voice?agent=sales", form)
    again = await twilio.post(path_of(first.find("Connect")["action"]), ended())
    assert again.grant == Grant(CALL, "sales", "outbound")


@pytest.mark.parametrize("waited", ["", "x", "-5", "12345", "\u0665"])
async def test_a_strange_wait_counts_as_none(twilio: Twilio, world: World, waited: str) -> None:
    world.admission = "queue"
    answer = await twilio.post(f"/twilio/voice?{urlencode({'waited': waited})}")
    assert answer.verbs == ["Say", "Pause", "Redirect"]


@pytest.mark.parametrize("resumed", ["x", "-1", "9" * 9, "²"])
async def test_a_count_that_makes_no_sense_ends_in_the_apology(
    twilio: Twilio, resumed: str
) -> None:
    query = urlencode({"resumed": resumed})
    answer = await twilio.post(f"/twilio/stream-ended?{query}", ended())
    assert answer.verbs == ["Say", "Hangup"]
