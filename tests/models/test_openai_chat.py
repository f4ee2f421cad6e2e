"""The text model is asked with the whole conversation and its functions, and whatever it answers,
nothing is raised."""

from collections.abc import AsyncIterator

import pytest

from app.lab.realtime.ports import CallFunction, Say
from app.lab.text.server import LabTextModel, TextBehaviour
from app.models.openai_answer import TextFailed
from app.models.openai_chat import Called, Item, Message, Reply, Returned, converse
from app.models.openai_connect import Credentials
from app.models.openai_text import close_clients

KEY = "sk-lab"
TOOL = {
    "type": "function",
    "name": "book",
    "description": "Books.",
    "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
}
ITEMS: list[Item] = [
    Message("assistant", "Hello."),
    Message("developer", "The call is over."),
    Called("call_1", "book", ""),
    Returned("call_1", '{"code": "7"}'),
    Message("user", "Thanks 😀"),
]


@pytest.fixture
async def model() -> AsyncIterator[LabTextModel]:
    async with LabTextModel(api_key=KEY) as made:
        yield made
    await close_clients()


async def ask(
    model: LabTextModel, *, timeout_s: float = 5, tokens: int = 100
) -> Reply | TextFailed:
    return await converse(
        "gpt-6-astra",
        "Be brief.",
        ITEMS,
        [TOOL],
        Credentials(api_key=KEY, base_url=model.base_url, project=None),
        timeout_s=timeout_s,
        max_output_tokens=tokens,
    )


async def test_the_conversation_arrives_in_order_with_its_functions(model: LabTextModel) -> None:
    model.converse = lambda turns, prompt, offered: [Say(f"{len(turns)} turns, {offered}.")]
    reply = await ask(model)
    assert isinstance(reply, Reply)
    assert reply.text == "5 turns, ('book',)."
    assert reply.calls == ()
    body = model.requests[0].body
    assert body["store"] is False
    assert [item["type"] for item in body["input"]] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
        "message",
    ]
    assert body["input"][2]["arguments"] == "{}"
    assert body["tools"][0]["strict"] is False


async def test_functions_are_called_beside_words(model: LabTextModel) -> None:
    model.converse = lambda *_: [Say("One moment."), CallFunction("book", {"n": 2})] * 2
    reply = await ask(model)
    assert isinstance(reply, Reply)
    assert reply.text == "One moment. One moment."
    assert [(call.name, call.arguments) for call in reply.calls] == [("book", '{"n": 2}')] * 2
    assert len({call.call_id for call in reply.calls}) == 2
    assert reply.usage.output_text_tokens > 0


async def test_an_answer_that_was_cut_calls_nothing(model: LabTextModel) -> None:
    model.converse = lambda *_: [Say("long words " * 40), CallFunction("book", {"n": 2})]
    reply = await ask(model, tokens=16)
    assert isinstance(reply, Reply)
    assert not reply.complete
    assert reply.calls == ()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (TextBehaviour(refuse_status=401), "refused"),
        (TextBehaviour(refuse_status=429), "limited"),
        (TextBehaviour(refuse_status=500), "unreachable"),
        (TextBehaviour(reset=True), "unreachable"),
        (TextBehaviour(hang=True), "late"),
        (TextBehaviour(trickle_ms=50), "late"),
        (TextBehaviour(body=b"[]"), "nonsense"),
        (TextBehaviour(body=b'{"status": "completed", "output": []}'), "empty"),
        (TextBehaviour(body=b'{"status": "failed", "error": {"code": "x"}}'), "unreachable"),
    ],
)
async def test_a_vendor_that_fails_is_told_and_not_raised(
    model: LabTextModel, behaviour: TextBehaviour, cause: str
) -> None:
    model.behaviour = behaviour
    reply = await ask(model, timeout_s=0.3)
    assert isinstance(reply, TextFailed)
    assert reply.cause == cause
    assert model.asked == 1
