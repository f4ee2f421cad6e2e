"""A call that comes in gets a stream with the right agent, or a document that leads somewhere."""

from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from app.call.facts import CallFacts
from app.carriers.twilio.door import Admission, OfferedCall
from app.carriers.twilio.tokens import Grant
from app.carriers.twilio.voice import FULL_QUEUE_S
from tests.carriers.twilio.twilio_side import (
    CALL,
    RINGING,
    Stage,
    Twilio,
    World,
    door,
    ended,
    path_of,
    queued_url,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_call_is_connected_to_a_stream_with_a_token_of_its_own(
    twilio: Twilio, world: World
) -> None:
    answer = await twilio.post("/twilio/voice")
    assert answer.verbs == ["Connect"]
    assert answer.find("Connect/Stream")["url"] == "wss://bot.example.com/earshot/twilio/media"
    assert answer.grant == Grant(CALL, "reception", "inbound")
    (call,) = world.offered
    assert (call.from_number, call.to_number) == ("+14155550100", "+14155550199")
    assert call.fields["CallerName"] == ""
    assert "4155550100" not in repr(call)


async def test_the_url_chooses_the_agent_and_twilio_the_direction(twilio: Twilio) -> None:
    form = [*RINGING[:4], ("Direction", "outbound-api")]
    answer = await twilio.post("/twilio/voice?agent=sales", form)
    assert answer.grant == Grant(CALL, "sales", "outbound")


async def test_a_form_field_does_not_choose_the_agent(twilio: Twilio) -> None:
    answer = await twilio.post("/twilio/voice", [*RINGING, ("agent", "sales")])
    assert answer.grant.agent == "reception"


async def test_an_unknown_agent_gets_the_caller_an_apology(twilio: Twilio, world: World) -> None:
    assert (await twilio.post("/twilio/voice?agent=nobody")).verbs == ["Say", "Hangup"]
    assert world.untouched


async def test_a_number_configured_with_get_works_too(twilio: Twilio, world: World) -> None:
    query = urlencode([*RINGING, ("agent", "sales")])
    answer = await twilio.get(f"/twilio/voice?{query}")
    assert answer.grant == Grant(CALL, "sales", "inbound")
    assert world.offered[0].from_number == "+14155550100"


@pytest.mark.parametrize(
    ("admission", "direction", "verbs"),
    [
        ("busy", "inbound", ["Reject"]),
        ("busy", "outbound-api", ["Say", "Hangup"]),
        ("full", "inbound", ["Say", "Hangup"]),
        ("queue", "inbound", ["Say", "Pause", "Redirect"]),
        ("queue", "outbound-api", ["Say", "Hangup"]),
        ("redirect", "inbound", ["Say", "Hangup"]),
    ],
)
async def test_a_call_beyond_capacity_is_refused_kindly(
    twilio: Twilio, world: World, admission: Admission, direction: str, verbs: list[str]
) -> None:
    world.admission = admission
    form = [*RINGING[:4], ("Direction", direction)]
    assert (await twilio.post("/twilio/voice", form)).verbs == verbs


async def test_a_call_too_many_goes_where_the_operator_says(stage: Stage, world: World) -> None:
    world.admission = "redirect"
    elsewhere = "https://other.example.com/twiml?a=1&b=2"
    async with stage.serving(door(world, full_redirect_url=elsewhere)) as twilio:
        answer = await twilio.post("/twilio/voice")
    assert answer.verbs == ["Redirect"]
    assert ElementTree.fromstring(answer.text)[0].text == elsewhere


async def test_a_call_waits_for_a_place_until_there_is_one(twilio: Twilio, world: World) -> None:
    world.admission = "queue"
    first = await twilio.post("/twilio/voice?agent=sales")
    second = await twilio.post(queued_url(first))
    assert second.verbs == ["Pause", "Redirect"], "it was told once that it must wait"
    world.admission = "open"
    answer = await twilio.post(queued_url(second))
    assert answer.grant == Grant(CALL, "sales", "inbound")


async def test_a_call_waits_for_a_place_only_so_long(twilio: Twilio, world: World) -> None:
    world.admission = "queue"
    answer, waits_s = await twilio.post("/twilio/voice"), 0
    while answer.verbs[-1] == "Redirect":
        waits_s += int(answer.find("Pause")["length"])
        answer = await twilio.post(queued_url(answer))
    assert waits_s == FULL_QUEUE_S
    assert answer.verbs == ["Say", "Hangup"]


async def test_a_call_that_has_waited_is_not_rejected_as_unanswered(
    twilio: Twilio, world: World
) -> None:
    world.admission = "busy"
    assert (await twilio.post("/twilio/voice?waited=5")).verbs == ["Say", "Hangup"]


async def test_a_route_chooses_the_agent_of_a_call_that_comes_in(
    stage: Stage, world: World
) -> None:
    asked: list[CallFacts] = []
    expected: list[OfferedCall] = []

    def route(facts: CallFacts) -> str:
        asked.append(facts)
        return "sales" if facts.to_number == "+14155550199" else ""

    world.admission = "queue"
    async with stage.serving(door(world, route=route, expect=expected.append)) as twilio:
        waits = await twilio.post("/twilio/voice?agent=reception")
        assert not expected, "it has no stream yet"
        world.admission = "open"
        answer = await twilio.post(queued_url(waits))
        assert answer.grant.agent == "sales", "also after it has waited"
        again = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
        assert again.grant.agent == "sales"
        form = [("To", "+14155550177"), *(f for f in RINGING if f[0] != "To")]
        assert (await twilio.post("/twilio/voice", form)).grant.agent == "reception"
        placed = [*RINGING[:4], ("Direction", "outbound-api")]
        answer = await twilio.post("/twilio/voice?agent=reception", placed)
        assert answer.grant.agent == "reception", "a call that we place keeps its agent"
    assert [facts.to_number for facts in asked] == ["+14155550199", "+14155550177"]
    assert [call.agent for call in expected] == ["sales", "sales", "reception", "reception"]
