"""All copies of a webhook get one answer that was produced once, and nothing else gets it."""

import asyncio
from typing import Any

from app.carriers.twilio.idempotency import Answer, AnswersHere, request_key


class Counting:
    """Produces numbered answers, when it is let."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Answer:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        return Answer(200, str(number))


def scope(**changes: Any) -> dict[str, Any]:
    token = changes.pop("token", "t1")
    return {
        "type": "http",
        "method": "POST",
        "path": "/twilio/voice",
        "raw_path": b"/twilio/voice",
        "query_string": b"",
        "headers": [(b"i-twilio-idempotency-token", token.encode("latin-1"))] if token else [],
    } | changes


def test_copies_of_a_request_have_one_key_and_all_others_another() -> None:
    key = request_key(scope(), b"CallSid=CA1")
    assert key == request_key(scope(), b"CallSid=CA1")
    others = [
        request_key(scope(token="t2"), b"CallSid=CA1"),
        request_key(scope(raw_path=b"/twilio/status"), b"CallSid=CA1"),
        request_key(scope(query_string=b"a=1"), b"CallSid=CA1"),
        request_key(scope(method="GET"), b"CallSid=CA1"),
        request_key(scope(), b"CallSid=CA2"),
        request_key(scope(query_string=b"C"), b"allSid=CA1"),
    ]
    assert len({key, *others}) == 7


def test_without_a_token_there_is_no_key() -> None:
    assert request_key(scope(token=""), b"") is None


def test_a_token_of_odd_characters_is_no_accident() -> None:
    assert request_key(scope(token="é\xff"), b"")


async def test_a_copy_gets_the_first_answer() -> None:
    answers, produce = AnswersHere(), Counting()
    first = await answers.once("k", produce, 0.0)
    assert await answers.once("k", produce, 1.0) == first
    assert (await answers.once("other", produce, 1.0)).body == "2"


async def test_copies_at_the_same_time_wait_for_the_first_answer() -> None:
    answers, produce = AnswersHere(), Counting()
    produce.gate.clear()
    copies = [asyncio.create_task(answers.once("k", produce, 0.0)) for _ in range(5)]
    await asyncio.sleep(0)
    assert not any(copy.done() for copy in copies)
    produce.gate.set()
    assert {answer.body for answer in await asyncio.gather(*copies)} == {"1"}
    assert produce.calls == 1


async def test_a_client_that_leaves_takes_no_answer_from_the_others() -> None:
    answers, produce = AnswersHere(), Counting()
    produce.gate.clear()
    first, second = (asyncio.create_task(answers.once("k", produce, 0.0)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    produce.gate.set()
    assert (await second).body == "1"
    assert produce.calls == 1


async def test_an_answer_is_forgotten_after_its_time() -> None:
    answers, produce = AnswersHere(ttl_s=10), Counting()
    await answers.once("k", produce, 0.0)
    assert (await answers.once("k", produce, 9.9)).body == "1"
    assert (await answers.once("k", produce, 10.0)).body == "2"
    assert (await answers.once("k", produce, 19.9)).body == "2"


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    answers, produce = AnswersHere(), Counting()

    async def fail() -> Answer:
        await asyncio.sleep(0)
        raise LookupError("broken")

    copies = [answers.once("k", fail, 0.0) for _ in range(2)]
    failed = await asyncio.gather(*copies, return_exceptions=True)
    assert [type(error) for error in failed] == [LookupError, LookupError]
    assert (await answers.once("k", produce, 0.0)).body == "1"


async def test_the_memory_is_bounded_and_the_oldest_answers_go_first() -> None:
    answers, produce = AnswersHere(most=2), Counting()
    for key in ("a", "b", "c"):
        await answers.once(key, produce, 0.0)
    assert (await answers.once("b", produce, 0.0)).body == "2"
    assert (await answers.once("c", produce, 0.0)).body == "3"
    assert (await answers.once("a", produce, 0.0)).body == "4"


async def test_while_all_are_still_being_produced_more_are_answered_but_not_kept() -> None:
    answers, slow, quick = AnswersHere(most=1), Counting(), Counting()
    slow.gate.clear()
    waiting = asyncio.create_task(answers.once("slow", slow, 0.0))
    await asyncio.sleep(0)
    assert (await answers.once("quick", quick, 0.0)).body == "1"
    assert (await answers.once("quick", quick, 0.0)).body == "2"
    slow.gate.set()
    assert (await waiting).body == "1"
