"""Invariant: the `openai` SDK's own client gets from the lab what the Responses API would send."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response

from app.lab.text.server import LabTextModel, TextBehaviour
from tests.docs.pages import ROOT, example, following, page
from tests.lab.realtime.driver import extras

KEY = "sk-lab"
ASKED: Any = {"model": "gpt-6-astra", "instructions": "Summarise.", "input": "Caller: I am Ada."}


@pytest.fixture
async def lab() -> AsyncIterator[LabTextModel]:
    async with LabTextModel(api_key=KEY) as made:
        yield made


@pytest.fixture
async def client(lab: LabTextModel) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=KEY, base_url=lab.base_url, max_retries=0) as made:
        yield made


async def test_the_sdk_reads_an_answer_and_its_usage(
    lab: LabTextModel, client: AsyncOpenAI
) -> None:
    lab.answer = lambda prompt, text: f"{prompt} {text}"
    response = await client.responses.create(**ASKED, store=False, max_output_tokens=100)
    assert response.output_text == "Summarise. Caller: I am Ada."
    assert response.status == "completed"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (3 + 5, 7)
    (request,) = lab.requests
    assert (request.model, request.max_output_tokens) == ("gpt-6-astra", 100)
    assert request.body["store"] is False


async def test_an_answer_has_every_field_that_the_sdk_requires_and_no_other(
    client: AsyncOpenAI,
) -> None:
    raw = await client.responses.with_raw_response.create(**ASKED)
    parsed = Response.model_validate_json(raw.content, strict=True)
    assert extras(parsed) == []


async def test_by_default_it_writes_the_summary_of_a_transcript(client: AsyncOpenAI) -> None:
    response = await client.responses.create(**ASKED)
    assert json.loads(response.output_text)["facts"] == ["I am Ada."]


async def test_messages_are_one_input(lab: LabTextModel, client: AsyncOpenAI) -> None:
    part: Any = {"type": "input_text", "text": "two"}
    await client.responses.create(
        model="m",
        input=[{"role": "user", "content": "one"}, {"role": "user", "content": [part, part]}],
    )
    assert lab.requests[0].text == "one\ntwo two"


async def test_an_answer_beyond_the_token_limit_is_cut(
    lab: LabTextModel, client: AsyncOpenAI
) -> None:
    lab.answer = lambda prompt, text: "x" * 1000
    response = await client.responses.create(**ASKED, max_output_tokens=16)
    assert (response.status, response.output_text) == ("incomplete", "x" * 64)
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    "wrong", [{"max_output_tokens": 1}, {"extra_body": {"prompt": "x"}}, {"input": 5}]
)
async def test_a_wrong_request_is_refused_by_the_field(
    lab: LabTextModel, client: AsyncOpenAI, wrong: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(**{**ASKED, **wrong})
    assert refused.value.param
    assert lab.requests == []


async def test_streaming_is_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(**ASKED, stream=True)


async def test_a_wrong_key_is_refused(lab: LabTextModel) -> None:
    async with AsyncOpenAI(api_key="sk-no", base_url=lab.base_url, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.responses.create(**ASKED)
    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
async def test_it_refuses_on_demand(
    lab: LabTextModel, client: AsyncOpenAI, status: int, error: type[openai.APIStatusError]
) -> None:
    lab.behaviour = TextBehaviour(refuse_status=status)
    with pytest.raises(error) as refused:
        await client.responses.create(**ASKED)
    assert refused.value.code
    lab.behaviour = TextBehaviour()
    await client.responses.create(**ASKED)


async def test_it_can_fall_silent_break_off_and_talk_nonsense(
    lab: LabTextModel, client: AsyncOpenAI
) -> None:
    lab.behaviour = TextBehaviour(hang=True)
    with pytest.raises(openai.APITimeoutError):
        await client.responses.create(**ASKED, timeout=0.1)
    lab.behaviour = TextBehaviour(reset=True)
    with pytest.raises(openai.APIConnectionError):
        await client.responses.create(**ASKED)
    lab.behaviour = TextBehaviour(body=b"{")
    raw = await client.responses.with_raw_response.create(**ASKED)
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw.content)


def test_a_status_that_refuses_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="refuse_status"):
        TextBehaviour(refuse_status=200)


async def test_a_lab_that_was_not_started_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="enter its context"):
        _ = LabTextModel(api_key=KEY).base_url


async def test_the_example_of_the_lab_page_prints_what_the_page_says() -> None:
    text = page("lab")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        example(text, "text").text,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "codecs")])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaints.decode()
    assert printed.decode() == following(text, example(text, "text"))


TOOL: Any = {
    "type": "function",
    "name": "book_table",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}


async def test_a_conversation_goes_on_with_functions_as_the_dialog_says(
    lab: LabTextModel, client: AsyncOpenAI
) -> None:
    said: Any = [{"role": "user", "content": "I want to book a table for two at seven"}]
    asked: Any = {"model": "gpt-6-astra", "instructions": "Never greet.", "tools": [TOOL]}
    first = await client.responses.create(**asked, input=said)
    raw = await client.responses.with_raw_response.create(**asked, input=said)
    assert extras(Response.model_validate_json(raw.content, strict=True)) == []
    call = first.output[-1]
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"party_size": 2, "time": "19:00"}
    output = json.dumps({"confirmation_code": "4711", "time": "19:00", "party_size": 2})
    more: Any = [
        *said,
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": "{}"},
        {"type": "function_call_output", "call_id": call.call_id, "output": output},
    ]
    second = await client.responses.create(**asked, input=more)
    assert "is booked" in second.output_text
    assert lab.requests[-1].converses


async def test_without_the_function_the_dialog_says_that_it_cannot(client: AsyncOpenAI) -> None:
    said: Any = [
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "I want to book a table for two at seven"},
    ]
    response = await client.responses.create(model="m", input=said)
    assert "cannot book" in response.output_text


@pytest.mark.parametrize(
    "items",
    [
        [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}],
        [{"type": "function_call_output", "call_id": "c", "output": "{}"}],
        [{"type": "function_call_output", "call_id": "c"}],
        [{"type": "unheard_of"}],
    ],
)
async def test_a_call_without_its_output_or_an_output_without_its_call_is_refused(
    client: AsyncOpenAI, items: Any
) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(model="m", input=items)


async def test_a_function_without_its_schema_is_refused(client: AsyncOpenAI) -> None:
    tool: Any = {"type": "function", "name": "f"}
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(model="m", input="Hi", tools=[tool])
