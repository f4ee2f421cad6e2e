"""Invariant: a message arrives, verified and under one id, whatever its receiver does before; or it
becomes a dead letter with its reason. No word of it is logged."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from app.outgoing.deliverer import Rules
from app.outgoing.endpoints import ALL_EVENTS, Endpoint, Targets, secrets_from
from app.outgoing.events import CallEnded, CallStarted, MessageTaken
from app.outgoing.outgoing import Outgoing, open_outgoing
from app.outgoing.retries import Schedule
from app.outgoing.sqlite_store import SqliteStore
from app.outgoing.store import Backlog, Delivery
from app.outgoing.watch import End, Outcome
from tests.outgoing.receiver import (
    NAME,
    OTHER_SECRET,
    SECRET,
    Answer,
    Receiver,
    until,
    verified,
)

QUICK = Rules(Schedule((0.05,) * 5), look_s=0.02, watch_s=0.0)
WORDS = "my card is 4111"


def ended(call: str = "CA1") -> CallEnded:
    return CallEnded(call_id=call, agent="desk", reason=WORDS)


@asynccontextmanager
async def opened(
    folder: Path,
    *urls: str,
    secret: str = SECRET,
    rules: Rules = QUICK,
    timeout_s: float = 5.0,
) -> AsyncIterator[Outgoing]:
    targets = Targets(tuple(Endpoint(url, NAME) for url in urls), ALL_EVENTS)
    async with open_outgoing(
        folder,
        secrets_of=secrets_from({NAME: secret}),
        rules=rules,
        timeout_s=timeout_s,
        targets_of=lambda agent: targets if agent == "desk" else Targets(),
    ) as outgoing:
        yield outgoing


def kept(folder: Path) -> list[Delivery]:
    store = SqliteStore(folder)
    found = store.listed(("waiting", "delivered", "dead"), 1_000)
    store.close()
    return found


async def settled(folder: Path) -> list[Delivery]:
    """Wait until nothing waits."""
    await until(lambda: all(d.state != "waiting" for d in kept(folder)))
    return kept(folder)


async def test_a_message_arrives_once_and_verifies_with_the_specifications_package(
    tmp_path: Path,
) -> None:
    async with Receiver() as receiver, opened(tmp_path, receiver.url) as outgoing:
        assert await outgoing.accept(ended())
        assert await outgoing.accept(ended()), "accepted before, so it is no failure"
        [delivery] = await settled(tmp_path)
        await asyncio.sleep(0.1)
    [got] = receiver.got
    assert got.verified
    assert got.payload["data"]["reason"] == WORDS
    assert got.message_id == delivery.message_id
    assert got.headers["content-type"] == "application/json"
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 200, 1)


async def test_both_secrets_verify_while_one_replaces_the_other(tmp_path: Path) -> None:
    async with (
        Receiver() as receiver,
        opened(tmp_path, receiver.url, secret=f"{OTHER_SECRET},{SECRET}") as outgoing,
    ):
        await outgoing.accept(ended())
        await settled(tmp_path)
    [got] = receiver.got
    assert verified(got.body, got.headers, SECRET)
    assert verified(got.body, got.headers, OTHER_SECRET)


FAILURES = {
    "error": Answer(500),
    "busy": Answer(503),
    "refused": Answer(400),
    "forbidden": Answer(403),
    "redirected": Answer(307, {"location": "/elsewhere"}),
    "reset": Answer(reset=True),
    "slow": Answer(delay_s=30),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES.keys())
async def test_whatever_it_does_first_it_is_told_again_under_the_same_id(
    tmp_path: Path, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        Receiver([answer, answer]) as receiver,
        opened(tmp_path, receiver.url, timeout_s=0.3) as outgoing,
    ):
        await outgoing.accept(ended())
        [delivery] = await settled(tmp_path)
    assert delivery.state == "delivered"
    assert delivery.attempts == len(receiver.got) == 3
    assert {got.message_id for got in receiver.got} == {delivery.message_id}
    assert len({got.body for got in receiver.got}) == 1
    assert all(got.verified for got in receiver.got)
    assert "a webhook was not taken" in caplog.text
    assert WORDS not in "".join(str(vars(record)) for record in caplog.records)


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with Receiver() as thief, Receiver([Answer(302, {"location": thief.url})]) as receiver:
        async with opened(tmp_path, receiver.url) as outgoing:
            await outgoing.accept(ended())
            await settled(tmp_path)
        assert thief.got == []
        assert [got.status for got in receiver.got] == [302, 200]


async def test_an_answer_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    async with (
        Receiver(otherwise=Answer(endless=True)) as receiver,
        opened(tmp_path, receiver.url) as outgoing,
    ):
        await outgoing.accept(ended())
        [delivery] = await settled(tmp_path)
    assert delivery.state == "delivered"


async def test_when_all_attempts_failed_it_is_a_dead_letter_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Receiver(otherwise=Answer(500)) as receiver:
        async with opened(tmp_path, receiver.url) as outgoing:
            await outgoing.accept(ended())
            [dead] = await settled(tmp_path)
        assert (dead.state, dead.reason, dead.status) == ("dead", "HTTP 500", 500)
        assert dead.attempts == len(receiver.got) == 6
        assert "a webhook is given up" in caplog.text
        receiver.otherwise = Answer(202)
        store = SqliteStore(tmp_path)
        assert store.revive([dead.message_id], 0.0) == 1
        store.close()
        async with opened(tmp_path, receiver.url):
            [revived] = await settled(tmp_path)
    assert revived.state == "delivered"
    assert len({got.message_id for got in receiver.got}) == 1


class Counted:
    """A `Watch`."""

    def __init__(self) -> None:
        self.attempts: list[Outcome] = []
        self.ends: list[End] = []
        self.newest: Backlog | None = None

    def attempted(self, outcome: Outcome) -> None:
        self.attempts.append(outcome)

    def ended(self, end: End) -> None:
        self.ends.append(end)

    def backlog(self, backlog: Backlog, now_s: float) -> None:
        self.newest = backlog


@pytest.mark.parametrize(
    ("answers", "secret", "attempts", "end"),
    [
        ([Answer(503), Answer(reset=True)], SECRET, ["refused", "failed", "taken"], "delivered"),
        ([Answer(500)] * 6, SECRET, ["refused"] * 6, "dead"),
        ([Answer(410)], SECRET, ["refused"], "dead"),
        ([], "", ["failed"] * 6, "dead"),
    ],
    ids=["arrives", "given up", "gone", "no secret"],
)
async def test_attempts_ends_and_what_waits_are_counted(
    tmp_path: Path, answers: list[Answer], secret: str, attempts: list[Outcome], end: End
) -> None:
    counted = Counted()
    async with (
        Receiver(answers) as receiver,
        opened(tmp_path, receiver.url, secret=secret) as outgoing,
    ):
        outgoing.watched_by(counted)
        await outgoing.accept(ended())
        await until(lambda: bool(counted.ends))
        await until(lambda: counted.newest == Backlog(dead=int(end == "dead")))
    assert (counted.attempts, counted.ends) == (attempts, [end])


async def test_what_waits_is_told_with_when_it_happened(tmp_path: Path) -> None:
    counted = Counted()
    patient = Rules(Schedule((60.0,)), look_s=0.02, watch_s=0.0)
    async with (
        Receiver([Answer(503)]) as receiver,
        opened(tmp_path, receiver.url, rules=patient) as outgoing,
    ):
        outgoing.watched_by(counted)
        await outgoing.accept(ended())
        await until(lambda: counted.newest is not None and counted.newest.waiting == 1)
    [delivery] = kept(tmp_path)
    assert counted.newest == Backlog(waiting=1, oldest_s=delivery.created_s)
    assert counted.ends == []


async def test_a_receiver_that_says_when_is_not_asked_sooner(tmp_path: Path) -> None:
    answers = [Answer(429, {"retry-after": "1"})]
    async with Receiver(answers) as receiver, opened(tmp_path, receiver.url) as outgoing:
        await outgoing.accept(ended())
        await settled(tmp_path)
    first, second = receiver.got
    assert second.at_s - first.at_s >= 1.0


async def test_an_endpoint_that_is_gone_is_sent_nothing_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Receiver([Answer(410)]) as gone, Receiver() as other:
        async with opened(tmp_path, gone.url, other.url) as outgoing:
            for call in ("CA1", "CA2", "CA3"):
                await outgoing.accept(ended(call))
                await settled(tmp_path)
        assert len(gone.got) == 1
        assert len(other.taken) == 3
        dead = [d for d in kept(tmp_path) if d.state == "dead"]
        assert [d.url for d in dead] == [gone.url] * 3
        assert all("410" in d.reason for d in dead)
    assert "a webhook's endpoint is gone for good" in caplog.text


async def test_an_endpoint_without_a_secret_is_sent_nothing_unsigned(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        async with opened(tmp_path, receiver.url, secret="") as outgoing:
            await outgoing.accept(ended())
            [dead] = await settled(tmp_path)
        assert receiver.got == []
    assert dead.reason == f"{NAME}: it is not set"


async def test_nobody_listening_is_a_reason_too(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    async with opened(tmp_path, url) as outgoing:
        await outgoing.accept(ended())
        [dead] = await settled(tmp_path)
    assert dead.reason == "no connection: ConnectError"


async def test_a_call_is_told_in_order_though_its_first_message_fails(tmp_path: Path) -> None:
    async with (
        Receiver([Answer(500), Answer(500)]) as receiver,
        opened(tmp_path, receiver.url) as outgoing,
    ):
        for event in (
            CallStarted(call_id="CA1", agent="desk"),
            MessageTaken(call_id="CA1", agent="desk", text="x", occurrence="1"),
            ended(),
        ):
            outgoing.emit(event)
        await outgoing.flushed()
        await settled(tmp_path)
    assert receiver.types == ["call.started", "message.taken", "call.ended"]


async def test_a_slow_endpoint_holds_up_no_other_and_is_not_crowded(tmp_path: Path) -> None:
    async with Receiver(otherwise=Answer(delay_s=0.3)) as slow, Receiver() as quick:
        async with opened(tmp_path, slow.url, quick.url) as outgoing:
            for number in range(12):
                await outgoing.accept(ended(f"CA{number}"))
            await until(lambda: len(quick.taken) == 12)
            assert len(slow.taken) < 12
            await settled(tmp_path)
        assert slow.at_once <= 4
        assert len(slow.got) == 12


async def test_one_process_delivers_and_the_other_takes_over_when_it_ends(tmp_path: Path) -> None:
    async with (
        Receiver() as receiver,
        AsyncExitStack() as first_one,
        AsyncExitStack() as second_one,
    ):
        first = await first_one.enter_async_context(opened(tmp_path, receiver.url))
        await until(lambda: first._deliverer._lock.held)
        second = await second_one.enter_async_context(opened(tmp_path, receiver.url))
        for number in range(20):
            await (first, second)[number % 2].accept(ended(f"CA{number}"))
        await settled(tmp_path)
        assert not second._deliverer._lock.held
        await first_one.aclose()
        await second.accept(ended("CA99"))
        await settled(tmp_path)
    assert len(receiver.got) == 21


async def test_an_agent_whose_calls_nobody_wants_to_know_of_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, "https://crm.example.com/") as outgoing:
        assert await outgoing.accept(CallEnded(call_id="CA1", agent="other", reason="x"))
    assert kept(tmp_path) == []


async def test_a_disk_that_fails_is_told_and_the_event_is_lost_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, "https://crm.example.com/") as outgoing:
        outgoing._store.close()
        assert not await outgoing.accept(ended())
    assert "a webhook's event is lost" in caplog.text
