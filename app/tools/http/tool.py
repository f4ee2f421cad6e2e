"""An HTTP endpoint as a tool. What it was declared wrong is told when the agent is loaded."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from app.agents.tools_tables import HttpTool as Table
from app.tools.errors import ArgumentError, ToolError, ToolLoadError
from app.tools.http.answers import refusal, selected
from app.tools.http.client import HttpFailed, Request, fetch
from app.tools.http.parameters import arguments_of, given, places_of
from app.tools.http.signing import Signer
from app.tools.http.target import Target, as_text
from app.tools.tool import Manner, ToolResult, schema_of, tell

KEY_HEADER = "Idempotency-Key"
_HEADER_SAFE = " !#$&'()*+,/:;=?@[]~"


class HttpTool:
    """See `app.tools.tool.Tool`."""

    def __init__(
        self, table: Table, env: Mapping[str, str], client: Callable[[], httpx2.AsyncClient]
    ) -> None:
        """`env`: where secrets are looked up. `client`: the process's.

        Raises ToolLoadError for what cannot be meant and for a secret that is not set.
        """
        self._table = table
        self._client = client
        self._target = Target(table.name, table.url)
        self._arguments = arguments_of(table)
        self._places = places_of(table, self._target.in_path)
        self._headers = _headers(table, env)
        secret = _secret(table.name, "signing_secret_env", table.signing_secret_env, env)
        self._signer = Signer(table.name, secret) if secret else None
        self.name = table.name
        self.manner = Manner(
            idempotent=table.idempotent or table.method == "GET",
            once_per_call=table.once_per_call,
            on_interruption=table.on_interruption,
            wait_words=table.wait_words,
        )
        self.timeout_s: float | None = table.timeout_s
        self.max_output_chars: int | None = table.max_result_chars

    @property
    def schema(self) -> dict[str, Any]:
        return schema_of(self.name, self._table.description, self._arguments.schema)

    async def run(self, arguments_json: str, *, key: str, timeout_s: float) -> ToolResult:
        """See `app.tools.tool.Tool`."""
        request = self._request(self._arguments.read(arguments_json), key)
        try:
            answer = await fetch(
                self._client(), request, timeout_s=timeout_s, retries=self._table.retries
            )
        except HttpFailed as error:
            tell(self.name, "an HTTP tool failed", logging.ERROR, why=error.why)
            unsure = error.sent and not request.repeatable
            effect = " It may still have taken effect." if unsure else ""
            raise ToolError(f"{self.name} did not work: {error.why}.{effect}") from error
        if answer.status >= 300:
            raise refusal(self.name, answer.status, answer.body)
        return ToolResult(True, selected(answer.body, self._table.result))

    def _request(self, values: Mapping[str, Any], key: str) -> Request:
        """Raises ArgumentError for a value that has no place where it goes."""
        table, there = self._table, given(values)
        try:
            url = self._target.url(there)
        except ArgumentError as error:
            raise ArgumentError(f"{self.name} was not run: {error}") from None
        body = b""
        if table.method not in ("GET", "DELETE"):
            body = json.dumps(self._in("body", there), ensure_ascii=False).encode()
        headers = {**self._headers, KEY_HEADER: key}
        headers |= {name: _in_header(v) for name, v in self._in("header", there).items()}
        if body:
            headers["Content-Type"] = "application/json"
        if self._signer is not None:
            headers |= self._signer.headers(key, body)
        query = _query(self._in("query", there))
        if query:
            url = f"{url}{'&' if '?' in url else '?'}{query}"
        return Request(table.method, url, headers, body, self.manner.idempotent)

    def _in(self, place: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            self._table.parameters[name].sent_as or name: value
            for name, value in values.items()
            if self._places[name] == place
        }


def _in_header(value: object) -> str:
    """What is no plain ASCII is percent-encoded: nothing ends a header."""
    return quote(as_text(value), safe=_HEADER_SAFE)


def _query(values: Mapping[str, Any]) -> str:
    pairs = []
    for name, value in values.items():
        listed = value if isinstance(value, list) else [value]
        pairs += [(name, as_text(one)) for one in listed]
    return urlencode(pairs, quote_via=quote)


def _headers(table: Table, env: Mapping[str, str]) -> dict[str, str]:
    """Those of every request, the secret among them."""
    headers = {"Accept": "application/json", "User-Agent": "earshot", **table.headers}
    secret = _secret(table.name, "secret_env", table.secret_env, env)
    if secret:
        bearer = table.secret_header.lower() == "authorization" and " " not in secret
        headers[table.secret_header] = f"Bearer {secret}" if bearer else secret
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise ToolLoadError(f"{table.name}: headers.{name}: expected printable ASCII.")
    return headers


def _secret(tool: str, key: str, variable: str, env: Mapping[str, str]) -> str:
    value = env.get(variable, "").strip() if variable else ""
    if variable and not value:
        raise ToolLoadError(
            f"{tool}: {key}: expected a secret in the environment variable {variable}, "
            "but it is not set."
        )
    return value
