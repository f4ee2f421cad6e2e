"""Only what OpenAI signed, lately and whole, begins anything, and each event begins it once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2
import pytest
from openai import AsyncOpenAI
from starlette.applications import Starlette

from app.carriers.body import MOST_BODY_BYTES
from app.carriers.openai_sip.events import Offer, read_event
from app.carriers.openai_sip.webhook import PATH, Webhooks
from app.lab.openai_sip.signing import Event, incoming, signed

SECRET = "whsec_c2VjcmV0LW9mLXRoZS1sYWI="
HEADERS = (("From", "<sip:+14155550100@a>"),)


@dataclass
class Door:
    """The endpoint, and what it took."""

    taken: list[Offer] = field(default_factory=list)
    begun: dict[str, int] = field(default_factory=dict)

    async def once(self, key: str, begin: Callable[[], Awaitable[None]]) -> None:
        self.begun[key] = self.begun.get(key, 0) + 1
        if self.begun[key] == 1:
            await begin()

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        hooks = Webhooks(AsyncOpenAI(api_key="k"), SECRET, self.once, self.taken.append)
        transport = httpx2.ASGITransport(app=Starlette(routes=hooks.routes()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            answer = await client.post(PATH, content=body, headers=headers)
            return answer.status_code


def attempt(event: Event, **more: str) -> dict[str, str]:
    return {**signed(event, SECRET), **more}


async def test_a_signed_offer_is_taken_once_with_its_headers_in_order() -> None:
    door, event = Door(), incoming("rtc_1", (*HEADERS, ("X-A", "1"), ("X-A", "2")))
    assert [await door.post(event.body, attempt(event)) for _ in range(3)] == [200] * 3
    (offer,) = door.taken
    assert offer.call_id == "rtc_1"
    assert offer.headers == (*HEADERS, ("X-A", "1"), ("X-A", "2"))
    assert offer.media == "srtp"
    assert "4155550100" not in repr(offer)


async def test_a_call_is_taken_once_whatever_events_offer_it() -> None:
    door = Door()
    for _ in range(3):
        event = incoming("rtc_1", HEADERS)
        assert await door.post(event.body, attempt(event)) == 200
    assert len(door.taken) == 1


@pytest.mark.parametrize(("age_s", "taken"), [(-30, 1), (0, 1), (110, 1), (130, 0), (86_400, 0)])
async def test_a_call_that_came_long_ago_is_not_taken(age_s: int, taken: int) -> None:
    """By OpenAI's own clock: ours may be wrong by minutes."""
    door, attempt_s = Door(), time.time() - 200
    event = incoming("rtc_1", HEADERS, created_at=attempt_s - age_s)
    headers = dict(signed(event, SECRET, at_s=attempt_s))
    assert await door.post(event.body, headers) == 200
    assert len(door.taken) == taken


async def test_an_id_may_have_hyphens() -> None:
    door, event = Door(), incoming("rtc_1-a_B-2", HEADERS)
    assert await door.post(event.body, attempt(event)) == 200
    assert [offer.call_id for offer in door.taken] == ["rtc_1-a_B-2"]


async def test_one_of_several_signatures_is_enough() -> None:
    door, event = Door(), incoming("rtc_1", HEADERS)
    headers = attempt(event)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"
    assert await door.post(event.body, headers) == 200
    assert door.taken


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,\xe9"},
        {"webhook-id": "another"},
        {"webhook-id": "x" * 300},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "0"},
    ],
)
async def test_what_was_changed_on_the_way_is_refused(change: dict[str, str]) -> None:
    door, event = Door(), incoming("rtc_1", HEADERS)
    headers = {k.encode(): v.encode("latin-1") for k, v in {**attempt(event), **change}.items()}
    assert await door.post(event.body, headers) == 400  # type: ignore[arg-type]
    assert not door.taken and not door.begun


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_without_one_of_its_headers_nothing_is_believed(missing: str) -> None:
    door, event = Door(), incoming("rtc_1", HEADERS)
    headers = attempt(event)
    del headers[missing]
    assert await door.post(event.body, headers) == 400
    assert not door.taken


async def test_an_attempt_of_five_minutes_ago_is_refused() -> None:
    door, event = Door(), incoming("rtc_1", HEADERS)
    for at_s, status in ((time.time() - 290, 200), (time.time() - 310, 400)):
        assert await door.post(event.body, dict(signed(event, SECRET, at_s=at_s))) == status
    assert len(door.taken) == 1


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    door = Door()
    event = Event(b" " * (MOST_BODY_BYTES + 1))
    assert await door.post(event.body, attempt(event)) == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"type":"realtime.call.incoming"}', b"\xff", b"[" * 5_000]
    + [
        b'{"type":"realtime.call.incoming","data":{"call_id":"%b"}}' % bad
        for bad in (b"", b"-", b"../a", b"a/b", b"a.b", b"a b", "é".encode(), b"a" * 129)
    ],
)
async def test_a_signed_body_that_offers_no_call_is_refused(body: bytes) -> None:
    door, event = Door(), Event(body)
    assert await door.post(event.body, attempt(event)) == 400
    assert not door.taken


@pytest.mark.parametrize(
    "kind", ["live.transport.incoming", "live.call.incoming", "response.completed"]
)
async def test_other_events_are_answered_and_left(kind: str) -> None:
    door, event = Door(), incoming("rtc_1", HEADERS, kind=kind)
    assert await door.post(event.body, attempt(event)) == 200
    assert not door.taken


def test_what_is_wrong_with_an_event_is_told_without_its_contents() -> None:
    body = (
        b'{"type":"realtime.call.incoming","data":{"call_id":1,"sip_headers":[{"name":"+1555"}]}}'
    )
    with pytest.raises(ValueError, match="call_id") as caught:
        read_event(body)
    assert "+1555" not in str(caught.value)


async def test_taking_the_call_is_not_waited_for() -> None:
    """The answer is out before the task that was begun has run on."""
    begun = asyncio.Event()
    door, event = Door(), incoming("rtc_1", HEADERS)

    async def slow() -> None:
        await begun.wait()

    tasks: list[asyncio.Task[None]] = []

    class Taking(list[Offer]):
        def append(self, offer: Offer) -> None:
            tasks.append(asyncio.create_task(slow()))

    door.taken = Taking()
    assert await door.post(event.body, attempt(event)) == 200
    assert not tasks[0].done()
    begun.set()
    await tasks[0]
