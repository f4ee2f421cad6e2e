"""Whatever Twilio makes of an order, campaigns are told what they may rely on: placed, not placed,
or that nobody knows; and every callback of their calls reaches the ledger through the real door."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette

from app.campaign_carrier import (
    ACCOUNT_AGAIN_MS,
    AWAY_AGAIN_MS,
    BESIDE,
    RATE_AGAIN_MS,
    TwilioCarrier,
    TwilioNews,
    refusal,
)
from app.campaigns.ports import Carrier, FateUnknownError, Heard, NotPlacedError, Order
from app.carriers.twilio.errors import (
    AccountError,
    CallInputError,
    DestinationError,
    NumberError,
    RateError,
    TransportError,
    TwilioError,
    VendorError,
)
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.webhooks import routes
from app.lab.carrier import LabCarrier, Troubles
from app.rest_line import RestLine
from app.settings import Settings
from tests.carriers.twilio.twilio_side import World, door
from tests.lab.carrier.bench_side import number, over
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, BOT_NUMBER


def order(attempt_id: str, to: str) -> Order:
    return Order(
        attempt_id=attempt_id,
        to=to,
        from_=BOT_NUMBER,
        agent="sales",
        ring_s=25,
        detect_machine=True,
        variables={"name": "Ada"},
    )


class Ledger:
    """Keeps what it hears; fails as often as it is told to, for each thing that it hears."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: list[Heard] = []
        self._failures = failures
        self._failed: dict[tuple[str, int], int] = {}

    async def keep(self, news: Heard) -> None:
        key = (news.attempt_id, news.sequence)
        self._failed[key] = self._failed.get(key, 0) + 1
        if self._failed[key] <= self._failures:
            raise OSError("the database is away")
        self.heard.append(news)

    def of(self, attempt_id: str) -> list[tuple[str, int]]:
        return [(one.fate, one.sequence) for one in self.heard if one.attempt_id == attempt_id]


@asynccontextmanager
async def bot(ledger: Ledger) -> AsyncIterator[str]:
    """The webhooks on a real socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    checker = SignatureChecker([AUTH_TOKEN], url)
    ours = door(World(), checker=checker, attempts=TwilioNews(ledger.keep))
    app = Starlette(routes=routes(ours))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield url
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def carrier(
    ledger: Ledger | None = None, **options: Any
) -> AsyncIterator[tuple[LabCarrier, Carrier]]:
    options = {"pace": 2_000, **options}
    async with (
        bot(ledger or Ledger()) as url,
        LabCarrier(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, **options) as lab,
    ):
        settings = Settings(
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=SecretStr(AUTH_TOKEN),
            public_url=url,
            twilio_api_url=lab.base_url,
        )
        line = RestLine(settings)
        yield lab, TwilioCarrier(line)
        await line.close()


async def test_a_whole_call_is_heard_of_by_its_attempt() -> None:
    ledger = Ledger()
    async with carrier(ledger) as (lab, ours):
        call_ids = {}
        for last, attempt in ((0, "human"), (6, "machine"), (5, "busy"), (9, "rejects")):
            call_ids[attempt] = (await ours.place(order(attempt, number(last)))).call_id
        await over(lab, 4)
        seen = await ours.call(call_ids["machine"])
    assert seen is not None
    assert (seen.fate, seen.attempt_id) == ("completed", "")
    life = [("initiated", 0), ("ringing", 1), ("in-progress", 2)]
    assert sorted(ledger.of("human"), key=lambda one: one[1]) == [
        ("in-progress", BESIDE),
        *life,
        ("completed", 3),
    ]
    found = {one.attempt_id: one for one in ledger.heard if one.sequence == BESIDE}
    assert {attempt: one.answered_by for attempt, one in found.items()} == {
        "human": "human",
        "machine": "machine_end_beep",
    }
    last_word = {one.attempt_id: one for one in ledger.heard if one.fate in ("busy", "completed")}
    assert (last_word["busy"].sip_code, last_word["rejects"].sip_code) == (486, 603)
    assert last_word["human"].duration_s
    assert {one.attempt_id: one.call_id for one in ledger.heard} == call_ids
    assert abs(ledger.heard[0].at_ms - seen.created_at_ms) < 10_000


async def test_callbacks_late_twice_and_out_of_order_all_reach_the_ledger() -> None:
    ledger = Ledger()
    troubles = Troubles(seed=3, late=0.3, twice=0.4, shuffled=0.4, late_s=60)
    async with carrier(ledger, troubles=troubles) as (lab, ours):
        for who in range(20):
            await ours.place(order(f"a{who}", number(0, who)))
        await over(lab, 20)
    told = [ledger.of(f"a{who}") for who in range(20)]
    assert all(set(range(4)) <= {sequence for _, sequence in one} for one in told)
    assert any(len(one) > 5 for one in told)
    assert any(one[-1][0] != "completed" for one in told)


async def test_what_the_ledger_could_not_keep_comes_again() -> None:
    """Twilio is asked, in the URLs that it was given, to try three times more."""
    ledger = Ledger(failures=3)
    async with carrier(ledger) as (lab, ours):
        await ours.place(order("a1", number(0)))
        await over(lab, 1)
    assert sorted(sequence for _, sequence in ledger.of("a1")) == [BESIDE, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("last", "number_is_wrong"), [(19, True), (29, True), (39, False), (49, True), (59, False)]
)
async def test_a_refused_number_is_not_placed_and_maybe_wrong(
    last: int, number_is_wrong: bool
) -> None:
    async with carrier() as (lab, ours):
        with pytest.raises(NotPlacedError) as caught:
            await ours.place(order("a1", number(last)))
        assert len(lab.calls) == 0
    assert (caught.value.number_is_wrong, caught.value.again_after_ms) == (number_is_wrong, None)
    assert number(last)[1:] not in caught.value.why


@pytest.mark.parametrize(("header_s", "again_ms"), [(7, 7_000), (0, RATE_AGAIN_MS)])
async def test_too_quick_is_told_when_to_come_again(header_s: int, again_ms: int) -> None:
    async with carrier(troubles=Troubles(rejects=1.0, retry_after_s=header_s)) as (lab, ours):
        with pytest.raises(NotPlacedError) as caught:
            await ours.place(order("a1", number(0)))
        assert len(lab.calls) == 0
    assert (caught.value.number_is_wrong, caught.value.again_after_ms) == (False, again_ms)


@pytest.mark.parametrize("fate", ["reset_before", "reset_after", "fails_before", "fails_after"])
async def test_what_nobody_knows_is_settled_by_asking(fate: str) -> None:
    shares: dict[str, Any] = {fate: 1.0}
    async with carrier(troubles=Troubles(**shares)) as (lab, ours):
        with pytest.raises(FateUnknownError):
            await ours.place(order("a1", number(0)))
        found = await ours.calls(number(0), BOT_NUMBER, 0)
        assert [seen.call_id for seen in found] == [c.identity.call_sid for c in lab.calls]
        assert len(found) == fate.endswith("after")
        for seen in found:
            await ours.end(seen.call_id)
        await lab.settled()


async def test_a_carrier_that_cannot_be_asked_leaves_it_open() -> None:
    async with carrier() as (lab, ours):
        placed = await ours.place(order("a1", number(0)))
        lab.troubles = Troubles(concurrent=-1)
        for question in (
            ours.calls(number(0), BOT_NUMBER, 0),
            ours.call(placed.call_id),
            ours.end(placed.call_id),
        ):
            with pytest.raises(FateUnknownError):
                await question
        lab.troubles = Troubles()
        assert await ours.call("CA" + "0" * 32) is None


async def test_without_an_account_nothing_is_placed() -> None:
    ours: Carrier = TwilioCarrier(RestLine(Settings(twilio_account_sid="")))
    with pytest.raises(NotPlacedError) as caught:
        await ours.place(order("a1", number(0)))
    assert caught.value.again_after_ms == ACCOUNT_AGAIN_MS
    with pytest.raises(FateUnknownError):
        await ours.calls(number(0), BOT_NUMBER, 0)


@pytest.mark.parametrize(
    ("error", "wrong", "again_ms"),
    [
        (NumberError("x", code=21211), True, None),
        (DestinationError("x", code=21215), False, None),
        (CallInputError("x", code=13224), False, None),
        (AccountError("x", code=20003), False, ACCOUNT_AGAIN_MS),
        (CallInputError("x", code=21210), False, ACCOUNT_AGAIN_MS),
        (RateError("x", code=20429), False, RATE_AGAIN_MS),
        (RateError("x", code=10004), False, 5_000),
        (RateError("x", code=20429, retry_after_s=3), False, 3_000),
        (TransportError("x"), False, AWAY_AGAIN_MS),
    ],
)
def test_a_refusal_says_whose_fault_it_is(
    error: TwilioError, wrong: bool, again_ms: int | None
) -> None:
    said = refusal(error)
    assert isinstance(said, NotPlacedError)
    assert (said.number_is_wrong, said.again_after_ms) == (wrong, again_ms)


@pytest.mark.parametrize("kind", [TransportError, VendorError])
def test_what_may_have_been_placed_is_never_said_not_to_be(kind: type[TwilioError]) -> None:
    assert isinstance(refusal(kind("x", outcome_unknown=True)), FateUnknownError)
