"""An HTTP tool sends exactly what its table says to exactly where it says, tries again only where
nothing can happen twice, and tells the model in one sentence what went wrong: on a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook

from app.agents.tools_tables import HttpParameter
from app.agents.tools_tables import HttpTool as Table
from app.tools.errors import ArgumentError, ToolError, ToolLoadError
from app.tools.http import client as client_module
from app.tools.http.client import new_client
from app.tools.http.tool import HttpTool
from app.tools.toolbox import Toolbox
from tests.tools.http.endpoint import breaks_off, endpoint, says, slow, text

KEY = "4d0f3c1e-key"
SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_PAUSE_S", 0.01)


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


def table(url: str, **fields: Any) -> Table:
    return Table(name="book", description="Book a table.", url=url, **fields)


async def run(
    made: Table, arguments: Mapping[str, object], env: Mapping[str, str] | None = None
) -> Any:
    """What the model is told. Raises what the tool raises."""
    async with http_client() as client:
        tool = HttpTool(made, env or {}, lambda: client)
        result = await tool.run(json.dumps(arguments), key=KEY, timeout_s=made.timeout_s)
        assert result.ok
        return json.loads(result.output)


async def refused(made: Table, arguments: Mapping[str, object]) -> str:
    with pytest.raises((ToolError, ArgumentError)) as caught:
        await run(made, arguments)
    return str(caught.value)


BOOKING: dict[str, HttpParameter] = {
    "table": HttpParameter(description="the table's name"),
    "people": HttpParameter(type="integer", minimum=1, maximum=8),
    "when": HttpParameter(enum=("noon", "evening")),
    "note": HttpParameter(required=False, sent_as="from"),
    "branch": HttpParameter(place="query", required=False),
    "tags": HttpParameter(type="array", place="query", required=False),
    "caller": HttpParameter(place="header", sent_as="X-Caller", required=False),
}


async def test_every_argument_goes_where_the_table_says() -> None:
    async with endpoint(says({"code": "4711"})) as server:
        made = table(f"{server.url}/v1/tables/{{table}}/bookings?lang=en", parameters=BOOKING)
        arguments = {
            "table": "by the window/2",
            "people": 4,
            "when": "noon",
            "note": "Müller",
            "branch": "a&b=c",
            "tags": ["x y", "z"],
            "caller": "Zoë\r\nX-Evil: 1",
        }
        with pytest.raises(ArgumentError, match="control character"):
            await run(made, arguments)
        assert await run(made, {**arguments, "caller": "Zoë"}) == {"code": "4711"}
    (seen,) = server.seen
    assert seen.method == "POST"
    path, _, query = seen.path.partition("?")
    assert path == "/v1/tables/by%20the%20window%2F2/bookings"
    assert sorted(httpx2.QueryParams(query).multi_items()) == [
        ("branch", "a&b=c"),
        ("lang", "en"),
        ("tags", "x y"),
        ("tags", "z"),
    ]
    assert json.loads(seen.body) == {"people": 4, "when": "noon", "from": "Müller"}
    assert seen.headers["x-caller"] == "Zo%C3%AB"
    assert seen.headers["idempotency-key"] == KEY
    assert seen.headers["content-type"] == "application/json"


def test_the_model_is_told_of_types_descriptions_choices_and_what_may_be_left_out() -> None:
    tool = HttpTool(table("http://a.example/{table}", parameters=BOOKING), {}, new_client)
    assert tool.schema["parameters"] == {
        "type": "object",
        "properties": {
            "table": {"type": "string", "maxLength": 1000, "description": "the table's name"},
            "people": {"type": "integer", "minimum": 1, "maximum": 8},
            "when": {"type": "string", "enum": ["noon", "evening"]},
            "note": {"type": "string", "maxLength": 1000},
            "branch": {"type": "string", "maxLength": 1000},
            "tags": {
                "type": "array",
                "items": {"type": "string", "maxLength": 1000},
                "maxItems": 100,
            },
            "caller": {"type": "string", "maxLength": 1000},
        },
        "required": ["table", "people", "when"],
        "additionalProperties": False,
    }


async def test_a_get_has_its_arguments_in_the_query_and_no_body() -> None:
    async with endpoint() as server:
        made = table(server.url, method="GET", parameters={"n": HttpParameter(type="number")})
        assert await run(made, {"n": 1.5}) == {"ok": True}
        assert made.idempotent is False
    assert (server.seen[0].path, server.seen[0].body) == ("/?n=1.5", b"")


async def test_secrets_go_where_they_belong_and_signatures_hold() -> None:
    async with endpoint() as server:
        made = table(
            server.url,
            secret_env="BOOK_KEY",
            signing_secret_env="BOOK_SIGNING",
            headers={"X-Client": "us"},
            parameters={"name": HttpParameter()},
        )
        env = {"BOOK_KEY": "s3cret", "BOOK_SIGNING": SECRET}
        await run(made, {"name": "Zoë"}, env)
        await run(replace(made, secret_header="X-Api-Key"), {"name": "Zoë"}, env)
    first, second = server.seen
    assert (first.headers["authorization"], first.headers["x-client"]) == ("Bearer s3cret", "us")
    assert second.headers["x-api-key"] == "s3cret"
    assert "authorization" not in second.headers
    assert Webhook(SECRET).verify(first.body, first.headers) == {"name": "Zoë"}
    assert first.headers["webhook-id"] == KEY


@pytest.mark.parametrize(
    ("pointers", "told"),
    [
        ((), {"a": {"b": [1, {"c~/": 2}]}, "d": None}),
        (("/a/b/1/c~0~1",), 2),
        (("/d",), None),
        (("/nowhere",), None),
        (("/a/b", "/d", "/no"), {"b": [1, {"c~/": 2}], "d": None}),
        (("/a/b/0", "/x/0"), {"0": 1}),
    ],
)
async def test_parts_of_an_answer_are_picked(pointers: tuple[str, ...], told: object) -> None:
    async with endpoint(says({"a": {"b": [1, {"c~/": 2}]}, "d": None})) as server:
        assert await run(table(server.url, result=pointers), {}) == told


async def test_an_answer_that_is_no_json_is_a_text_and_none_at_all_is_done() -> None:
    async with endpoint(text("all booked"), text("", 204)) as server:
        assert await run(table(server.url), {}) == "all booked"
        assert await run(table(server.url), {}) == "done"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"title": "Conflict", "detail": "The table is taken."}', "The table is taken."),
        ('{"error": {"message": "No such table.", "code": 7}}', "No such table."),
        ('{"message": "too\\n late"}', "too late"),
        ('{"detail": [{"loc": ["a"], "message": "wrong"}]}', "wrong"),
        ('{"errors": 1}', ""),
        ("<html>", ""),
    ],
)
async def test_a_refusal_is_told_in_the_services_own_words(body: str, words: str) -> None:
    async with endpoint(text(body, 422)) as server:
        told = await refused(table(server.url, idempotent=True), {})
    assert told == (f"book was refused: {words}" if words else "book was refused (422).")
    assert len(server.seen) == 1


# Trying again


@pytest.mark.parametrize("fault", [says({}, 503), says({}, 429), breaks_off])
async def test_what_does_nothing_twice_is_tried_again_with_the_same_key(fault: Any) -> None:
    async with endpoint(fault, fault, says({"code": 1})) as server:
        assert await run(table(server.url, idempotent=True), {}) == {"code": 1}
    assert [seen.headers["idempotency-key"] for seen in server.seen] == [KEY] * 3


@pytest.mark.parametrize("fault", [says({}, 503), breaks_off])
async def test_what_might_happen_twice_is_not_and_the_model_is_told(fault: Any) -> None:
    async with endpoint(fault) as server:
        told = await refused(table(server.url), {})
    assert len(server.seen) == 1
    assert told.endswith("It may still have taken effect.")


async def test_a_service_that_still_works_on_the_key_is_asked_again() -> None:
    async with endpoint(says({}, 409), says({"code": 1})) as server:
        assert await run(table(server.url, idempotent=True), {}) == {"code": 1}
        assert len(server.seen) == 2


async def test_who_cannot_be_reached_is_tried_again_and_nothing_took_effect() -> None:
    async with endpoint() as gone:
        pass
    told = await refused(table(gone.url), {})
    assert told == "book did not work: it could not be reached."


async def test_tries_end_with_the_time_and_the_toolbox_says_so() -> None:
    async with endpoint(slow(30, says({}))) as server, http_client() as client:
        made = table(server.url, idempotent=True, timeout_s=0.05)
        result = await Toolbox([HttpTool(made, {}, lambda: client)]).run("book", "{}")
    assert not result.ok
    assert "did not finish within 0.05 seconds" in result.output


async def test_a_run_that_is_cancelled_lets_its_connection_go() -> None:
    async with endpoint(slow(30, says({}))) as server, http_client() as client:
        tool = HttpTool(table(server.url), {}, lambda: client)
        running = asyncio.create_task(tool.run("{}", key=KEY, timeout_s=30))
        async with asyncio.timeout(60):
            while not server.seen:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


# Bounds


async def test_a_redirect_leads_nowhere_else() -> None:
    async with endpoint() as other, endpoint(text("", 307, Location=f"{other.url}/x")) as server:
        told = await refused(table(server.url), {})
    assert "redirects elsewhere" in told
    assert other.seen == []


async def test_a_redirect_on_the_same_host_is_followed() -> None:
    async with endpoint(text("", 308, Location="/there"), says({"at": "there"})) as server:
        parameters = {"n": HttpParameter(type="integer")}
        assert await run(table(server.url, parameters=parameters), {"n": 1}) == {"at": "there"}
    assert [(seen.method, seen.path, seen.body) for seen in server.seen] == [
        ("POST", "/", b'{"n": 1}'),
        ("POST", "/there", b'{"n": 1}'),
    ]


async def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_BYTES", 1_000)
    async with endpoint(text("x" * 2_000)) as server:
        assert "longer than 1000 bytes" in await refused(table(server.url), {})


async def test_a_long_answer_is_trimmed_for_the_model() -> None:
    async with endpoint(says("x" * 500)) as server, http_client() as client:
        made = table(server.url, max_result_chars=200)
        result = await Toolbox([HttpTool(made, {}, lambda: client)]).run("book", "{}")
    assert json.loads(result.output)["note"] == "trimmed to the first 200 of 502 characters"


# What is declared wrong


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://{host}/x"}, "host without placeholders"),
        ({"url": "http://a.example:port/"}, "url"),
        ({"url": "http://me:pw@a.example/"}, "use secret_env"),
        ({"url": "http://a.example/{x"}, "expected {name}"),
        ({"url": "http://a.example/?q={x}"}, "path only"),
        ({"url": "http://a.example/{x}"}, "no parameter of it"),
        ({"parameters": {"from": HttpParameter()}}, "sent_as"),
        ({"parameters": {"x": HttpParameter(place="path")}}, "belong together"),
        ({"parameters": {"x": HttpParameter(place="body")}, "method": "GET"}, "has no body"),
        ({"parameters": {"x": HttpParameter(enum=("a",), type="integer")}}, "enum is for"),
        (
            {"parameters": {"x": HttpParameter(required=False)}, "url": "http://a.example/{x}"},
            "required = true",
        ),
        ({"secret_env": "NOT_SET"}, "environment variable NOT_SET"),
        ({"signing_secret_env": "BAD"}, "whsec_"),
        ({"headers": {"X": "a\nb"}}, "printable ASCII"),
    ],
)
def test_a_table_that_cannot_be_meant_is_told_when_it_is_loaded(
    fields: dict[str, Any], words: str
) -> None:
    made = table(**{"url": "http://a.example/", **fields})
    with pytest.raises(ToolLoadError, match=words):
        HttpTool(made, {"BAD": "whsec_"}, new_client)
