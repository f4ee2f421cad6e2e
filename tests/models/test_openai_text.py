"""Invariant: whatever the vendor does, one request ends in bounded time as a text or as a cause,
and no word of it reaches a log."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from app.call.events import Usage
from app.lab.text.server import LabTextModel, TextBehaviour
from app.models import openai_text
from app.models.openai_answer import FailureCause, TextFailed
from app.models.openai_connect import Credentials
from app.models.openai_text import AnswerSchema, TextResult, close_clients, prepare, write_text

SECRET = "Ada King, 4071"


@pytest.fixture
async def lab() -> AsyncIterator[LabTextModel]:
    async with LabTextModel(api_key="sk-lab") as made:
        yield made
        await close_clients()


async def write(
    lab: LabTextModel, key: str = "sk-lab", timeout_s: float = 5.0, most: int = 500
) -> TextResult | TextFailed:
    return await write_text(
        "gpt-6-astra",
        f"Summarise {SECRET}.",
        f"Caller: I am {SECRET}",
        Credentials(key, lab.base_url, "proj_1"),
        timeout_s=timeout_s,
        max_output_tokens=most,
    )


async def test_a_text_comes_with_its_usage(lab: LabTextModel) -> None:
    lab.answer = lambda prompt, text: f"{prompt}|{text}"
    answer = f"Summarise {SECRET}.|Caller: I am {SECRET}"
    assert await write(lab) == TextResult(
        answer, Usage(input_text_tokens=14, output_text_tokens=14, total_tokens=28)
    )
    (request,) = lab.requests
    assert request.body["store"] is False
    assert (request.model, request.max_output_tokens) == ("gpt-6-astra", 500)


SCHEMA = AnswerSchema(
    "facts",
    {
        "type": "object",
        "properties": {"name": {"type": ["string", "null"], "description": "the caller's name"}},
        "required": ["name"],
        "additionalProperties": False,
    },
)


async def structured(lab: LabTextModel, schema: AnswerSchema) -> TextResult | TextFailed:
    return await write_text(
        "gpt-6-astra",
        "Who is it?",
        "Caller: My name is Ada King.",
        Credentials("sk-lab", lab.base_url, None),
        timeout_s=5.0,
        max_output_tokens=100,
        schema=schema,
    )


async def test_an_answer_can_be_asked_for_in_the_form_of_a_schema(lab: LabTextModel) -> None:
    result = await structured(lab, SCHEMA)
    assert isinstance(result, TextResult)
    assert json.loads(result.text) == {"name": "Ada King"}
    (request,) = lab.requests
    assert request.body["text"]["format"] == {
        "type": "json_schema",
        "name": "facts",
        "strict": True,
        "schema": dict(SCHEMA.schema),
    }


async def test_a_schema_that_strict_mode_does_not_take_is_refused(lab: LabTextModel) -> None:
    result = await structured(lab, AnswerSchema("facts", {**SCHEMA.schema, "required": []}))
    assert result == TextFailed("refused", "HTTP 400, invalid_json_schema")


async def test_a_text_that_was_cut_says_so(lab: LabTextModel) -> None:
    lab.answer = lambda prompt, text: "x" * 1000
    result = await write(lab, most=16)
    assert isinstance(result, TextResult)
    assert (result.text, result.complete) == ("x" * 64, False)


@pytest.mark.parametrize(
    ("status", "cause", "detail"),
    [
        (400, "refused", "HTTP 400, invalid_value"),
        (401, "refused", "HTTP 401, invalid_api_key"),
        (404, "refused", "HTTP 404, model_not_found"),
        (429, "limited", "HTTP 429, rate_limit_exceeded"),
        (500, "unreachable", "HTTP 500, server_error"),
        (503, "unreachable", "HTTP 503, server_error"),
    ],
)
async def test_every_refusal_has_a_cause_and_is_not_repeated(
    lab: LabTextModel, status: int, cause: FailureCause, detail: str
) -> None:
    lab.behaviour = TextBehaviour(refuse_status=status)
    assert await write(lab) == TextFailed(cause, detail)
    assert lab.asked == 1


async def test_a_wrong_key_is_refused(lab: LabTextModel) -> None:
    assert await write(lab, key="sk-wrong") == TextFailed("refused", "HTTP 401, invalid_api_key")


async def test_a_service_that_never_answers_is_late(lab: LabTextModel) -> None:
    lab.behaviour = TextBehaviour(hang=True)
    result = await write(lab, timeout_s=0.1)
    assert isinstance(result, TextFailed)
    assert result.cause == "late"


async def test_an_answer_that_comes_drop_by_drop_is_late(lab: LabTextModel) -> None:
    lab.behaviour = TextBehaviour(trickle_ms=20)
    result = await write(lab, timeout_s=0.2)
    assert isinstance(result, TextFailed)
    assert result.cause == "late"


async def test_a_connection_that_breaks_or_is_not_there_is_unreachable(lab: LabTextModel) -> None:
    lab.behaviour = TextBehaviour(reset=True)
    results = [await write(lab)]
    await lab.__aexit__()
    results.append(await write(lab))
    for result in results:
        assert isinstance(result, TextFailed)
        assert result.cause == "unreachable"


def response(**fields: object) -> bytes:
    return json.dumps({"status": "completed", "output": [], **fields}).encode()


REFUSAL = {"type": "message", "content": [{"type": "refusal", "refusal": SECRET}]}


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "nonsense"),
        (b"{", "nonsense"),
        (b"[" * 100_000, "nonsense"),
        (b"\xff\xfe", "nonsense"),
        (b"[]", "nonsense"),
        (b'{"status": "\xff"}', "nonsense"),
        (b'{"status": "completed", "odd": ' + b"[" * 100_000, "nonsense"),
        (b'{"output": 5, "status": "completed"}', "nonsense"),
        (response(), "empty"),
        (response(output=[REFUSAL]), "empty"),
        (response(status="failed", error={"code": "server_error"}), "unreachable"),
        (response(status="failed", error={"code": "rate_limit_exceeded"}), "limited"),
        (response(status="failed", error={"code": "insufficient_quota"}), "refused"),
        (response(status="failed", error={"code": SECRET}), "unreachable"),
    ],
)
async def test_what_is_no_text_is_a_failure(
    lab: LabTextModel, body: bytes, cause: FailureCause
) -> None:
    lab.behaviour = TextBehaviour(body=body)
    result = await write(lab)
    assert isinstance(result, TextFailed)
    assert result.cause == cause
    assert SECRET not in result.detail


async def test_reasoning_and_other_items_are_no_text(lab: LabTextModel) -> None:
    parts = [{"type": "output_text", "text": "Yes."}, {"type": "aside_text", "text": "No."}]
    said = {"type": "message", "content": parts}
    thought = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]}
    usage = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2}
    lab.behaviour = TextBehaviour(body=response(output=[thought, said], usage=usage))
    assert await write(lab) == TextResult(
        "Yes.", Usage(input_text_tokens=9, cached_text_tokens=4, output_text_tokens=2)
    )


async def test_no_word_reaches_a_log(lab: LabTextModel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert isinstance(await write(lab), TextResult)
    lab.behaviour = TextBehaviour(refuse_status=500)
    await write(lab)
    assert caplog.records, "the libraries below log something at this level"
    assert SECRET not in caplog.text
    assert "sk-lab" not in caplog.text


async def test_a_service_named_by_its_websocket_address_is_asked_over_http(
    lab: LabTextModel,
) -> None:
    credentials = Credentials("sk-lab", lab.base_url.replace("http", "ws", 1))
    result = await write_text("m", "i", "t", credentials, timeout_s=5, max_output_tokens=500)
    assert isinstance(result, TextResult)


async def test_a_cancelled_request_is_cancelled(lab: LabTextModel) -> None:
    lab.behaviour = TextBehaviour(hang=True)
    running = asyncio.create_task(write(lab, timeout_s=60))
    while not lab.asked:  # noqa: ASYNC110 - it is the server's state
        await asyncio.sleep(0.005)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_was_prepared_is_not_built_again(
    lab: LabTextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(Credentials("sk-lab", lab.base_url, "proj_1"))

    def built(*args: object, **options: object) -> None:
        raise AssertionError("a client was built in a call")

    monkeypatch.setattr("app.models.openai_text.AsyncOpenAI", built)
    assert isinstance(await write(lab), TextResult)


@pytest.mark.parametrize(("kept_s", "connections"), [(None, 1), (0.05, 2)])
async def test_an_idle_connection_is_kept_for_the_next_request(
    lab: LabTextModel,
    monkeypatch: pytest.MonkeyPatch,
    kept_s: float | None,
    connections: int,
) -> None:
    """The second case shows that the setting reaches the connections."""
    assert openai_text.KEPT_S >= 30
    if kept_s is not None:
        monkeypatch.setattr(openai_text, "KEPT_S", kept_s)
    for _ in range(2):
        assert isinstance(await write(lab), TextResult)
        await asyncio.sleep(0.2)
    assert len(lab.peers) == connections


async def test_settings_that_not_every_model_takes_are_sent_only_on_request(
    lab: LabTextModel,
) -> None:
    await write(lab)
    credentials = Credentials("sk-lab", lab.base_url)
    await write_text(
        "m",
        "i",
        "t",
        credentials,
        timeout_s=5,
        max_output_tokens=16,
        effort="none",
        temperature=0.0,
    )
    plain, both = (request.body for request in lab.requests)
    assert not {"reasoning", "temperature"} & set(plain)
    assert (both["reasoning"], both["temperature"]) == ({"effort": "none"}, 0.0)
