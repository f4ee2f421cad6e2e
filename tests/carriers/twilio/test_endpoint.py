"""Every copy of a request is answered alike; what breaks is an answer too, and is not kept."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.carriers.twilio.progress import CallProgress
from tests.carriers.twilio.twilio_side import RINGING, Stage, Twilio, World, door

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_our_own_failure_is_an_apology_to_the_caller(twilio: Twilio, world: World) -> None:
    world.error = RuntimeError("broken")
    assert (await twilio.post("/twilio/voice")).verbs == ["Say", "Hangup"]


COPY = {"I-Twilio-Idempotency-Token": "t1"}


async def test_a_copy_is_answered_alike_and_opens_nothing_more(
    twilio: Twilio, world: World
) -> None:
    first = await twilio.post("/twilio/voice", headers=COPY)
    second = await twilio.post("/twilio/voice", headers=COPY)
    assert first.text == second.text
    assert len(world.offered) == 1


async def test_copies_at_the_same_time_are_answered_alike(twilio: Twilio, world: World) -> None:
    world.gate = asyncio.Event()
    copies = [asyncio.create_task(twilio.post("/twilio/voice", headers=COPY)) for _ in range(4)]
    await world.began.wait()
    world.gate.set()
    assert len({(await copy).text for copy in copies}) == 1
    assert len(world.offered) == 1


async def test_the_same_token_on_another_request_is_another_request(
    twilio: Twilio, world: World
) -> None:
    await twilio.post("/twilio/voice", headers=COPY)
    await twilio.post("/twilio/voice", [*RINGING, ("More", "1")], headers=COPY)
    await twilio.post("/twilio/voice?agent=sales", headers=COPY)
    assert [call.agent for call in world.offered] == ["reception", "reception", "sales"]


async def test_a_stranger_cannot_fetch_an_answer_with_a_token(twilio: Twilio) -> None:
    await twilio.post("/twilio/voice", headers=COPY)
    forged = COPY | {"X-Twilio-Signature": "x"}
    assert (await twilio.post("/twilio/voice", headers=forged)).status == 403


async def test_a_failure_is_not_kept_as_the_answer(twilio: Twilio, world: World) -> None:
    world.error = RuntimeError("broken")
    assert (await twilio.post("/twilio/voice", headers=COPY)).verbs == ["Say", "Hangup"]
    world.error = None
    assert (await twilio.post("/twilio/voice", headers=COPY)).verbs == ["Connect"]


async def test_a_callback_that_fails_is_our_error(stage: Stage, world: World) -> None:
    async def broken(step: CallProgress) -> None:
        raise RuntimeError(step.state)

    failing: Callable[[CallProgress], Awaitable[None]] = broken
    async with stage.serving(door(world, on_progress=failing)) as twilio:
        assert (await twilio.post("/twilio/status", RINGING)).status == 500


async def test_refusals_are_logged_without_personal_data(
    twilio: Twilio, caplog: pytest.LogCaptureFixture
) -> None:
    await twilio.post("/twilio/voice", auth="another secret")
    (record,) = [r for r in caplog.records if r.name == "app.carriers.twilio.endpoint"]
    assert record.__dict__["fields"]["reason"] == "wrong_signature"
    assert record.__dict__["fields"]["path"] == "/twilio/voice"
    assert "4155550100" not in str(record.__dict__)
