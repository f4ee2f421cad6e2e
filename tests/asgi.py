"""Asks an app without a socket."""

from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp


async def ask(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: bytes = b"",
) -> tuple[int, str]:
    """The status and the text of the answer."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": list(headers),
    }
    answered: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answered.append(message)

    await app(scope, receive, send)
    start, *parts = answered
    return start["status"], b"".join(part["body"] for part in parts).decode().strip()
