"""Every callback is signed; it comes once and in its turn, unless the troubles say otherwise."""

from pathlib import Path

import pytest
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore]
    RequestValidator,
)

from app.lab.carrier import Troubles, read_log
from app.lab.carrier.callbacks import Again
from app.lab.phone.webhook import CONNECTION_FAILURE, HTTP_RETRIEVAL_FAILURE
from tests.lab.carrier.bench_side import carrier, create, number, over
from tests.lab.phone.bots import AUTH_TOKEN, WebBot
from tests.lab.phone.carrier import IGNORED

pytestmark = IGNORED
CALLS = 30


async def told(troubles: Troubles) -> dict[str, list[int]]:
    """The sequence numbers that came, by called number."""
    async with WebBot({"/status": 204}) as bot, carrier(troubles=troubles) as (lab, client):
        for who in range(CALLS):
            await create(client, number(0, who), bot.url)
        await over(lab, CALLS)
        came: dict[str, list[int]] = {}
        for form in bot.forms("/status"):
            came.setdefault(form["To"], []).append(int(form["SequenceNumber"]))
        return came


async def test_each_is_signed_over_the_url_that_is_requested() -> None:
    validator = RequestValidator(AUTH_TOKEN)
    async with WebBot({"/status": 204}) as bot, carrier() as (lab, client):
        url = f"{bot.url}/status?attempt=1"
        await create(client, number(0), status_callback=f"{url}#rc=2&rp=all")
        await over(lab, 1)
        assert len(bot.headers) == 4
        for (_, form), headers in zip(bot.requests, bot.headers, strict=True):
            assert validator.validate(url, form, headers["X-Twilio-Signature"])


async def test_without_troubles_all_come_once_and_in_order() -> None:
    assert await told(Troubles()) == {number(0, who): [0, 1, 2, 3] for who in range(CALLS)}


async def test_late_ones_come_in_order() -> None:
    came = await told(Troubles(late=1.0, late_s=40))
    assert came == {number(0, who): [0, 1, 2, 3] for who in range(CALLS)}


async def test_some_come_out_of_order() -> None:
    came = await told(Troubles(shuffled=0.5, late_s=200))
    assert all(sorted(one) == [0, 1, 2, 3] for one in came.values())
    assert any(one != [0, 1, 2, 3] for one in came.values())


async def test_some_come_twice() -> None:
    came = await told(Troubles(twice=0.5))
    assert all(set(one) == {0, 1, 2, 3} for one in came.values())
    assert any(len(one) > 4 for one in came.values())


async def test_some_never_come() -> None:
    came = await told(Troubles(never=0.3))
    assert all(len(one) == len(set(one)) for one in came.values())
    assert sum(map(len, came.values())) < 4 * CALLS


async def test_a_failed_callback_comes_again_where_its_url_asks_for_it(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with WebBot({"/status": 503}) as bot, carrier(log=log) as (lab, client):
        once = await create(client, number(0, 1), bot.url)
        url = f"{bot.url}/status?attempt=2#rc=2&rp=5xx"
        again = await create(
            client, number(0, 2), status_callback=url, status_callback_event=["completed"]
        )
        await over(lab, 2)
    untold = [line.call_sid for line in read_log(log) if line.what == "untold"]
    assert (untold.count(once.sid), untold.count(again.sid)) == (4, 3)


@pytest.mark.parametrize(
    ("url", "code", "fits"),
    [
        ("http://b.test/s#rc=1&rp=all", HTTP_RETRIEVAL_FAILURE, True),
        ("http://b.test/s#rc=1&rp=5xx", CONNECTION_FAILURE, False),
        ("http://b.test/s#rc=1", CONNECTION_FAILURE, True),
        ("http://b.test/s#rc=1", HTTP_RETRIEVAL_FAILURE, False),
    ],
)
def test_a_url_says_after_what_it_is_tried_again(url: str, code: int, fits: bool) -> None:
    assert Again.read(url).fits(code) is fits


def test_a_url_says_how_often_within_limits() -> None:
    assert [Again.read(f"http://b.test/s#rc={n}").times for n in ("3", "9", "x")] == [3, 5, 0]
    assert Again.read("http://b.test/s").times == 0
