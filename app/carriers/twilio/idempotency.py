"""One answer for all copies of a webhook. Twilio may send a request again when it saw no answer in
time; the copy carries the same I-Twilio-Idempotency-Token and must not start anything anew.

The token is not part of Twilio's signature, so the key holds the whole request too: a token that
returns with another route, query or body is another request. Ask only after the signature was
found good, or a stranger could fill the cache.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook is answered, so that it can be kept and given again."""

    status: int
    body: str = ""
    media_type: str | None = None


Produce: TypeAlias = Callable[[], Awaitable[Answer]]


class Answers(Protocol):
    """Remembers answers by key for a while."""

    async def once(self, key: str, produce: Produce, now_s: float) -> Answer:
        """The answer under `key`, produced by whoever asks first; the others wait for it.

        When producing fails, all who wait get its error and nothing is remembered. `produce` logs
        its own errors, since those who asked may have gone away by then.
        """
        ...


def request_key(scope: Scope, body: bytes) -> str | None:
    """What tells copies of one webhook from other requests; None when Twilio sent no token."""
    token = Headers(scope=scope).get("i-twilio-idempotency-token")
    if not token:
        return None
    parts = (
        token.encode("latin-1"),
        scope["method"].encode(),
        scope.get("raw_path") or scope["path"].encode(),
        scope["query_string"],
        body,
    )
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


class AnswersHere:
    """`Answers` of one process. `ttl_s`: how long a copy is recognised. `most`: answers kept; the
    oldest go first, and while all of them are still being produced nothing more is remembered."""

    def __init__(self, *, ttl_s: float = 300.0, most: int = 10_000) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self._kept: dict[str, tuple[asyncio.Task[Answer], float]] = {}

    async def once(self, key: str, produce: Produce, now_s: float) -> Answer:
        kept = self._kept.get(key)
        if kept is None or now_s >= kept[1]:
            self._make_room(now_s)
            if len(self._kept) >= self._most:
                return await produce()
            kept = self._begin(key, produce, now_s)
        # Shielded: a client that goes away must not take the answer from those who wait.
        return await asyncio.shield(kept[0])

    def _begin(
        self, key: str, produce: Produce, now_s: float
    ) -> tuple[asyncio.Task[Answer], float]:
        task = asyncio.ensure_future(_run(produce))
        self._kept.pop(key, None)
        kept = self._kept[key] = (task, now_s + self._ttl_s)
        task.add_done_callback(lambda done: self._drop_failed(key, done))
        return kept

    def _drop_failed(self, key: str, task: asyncio.Task[Answer]) -> None:
        if (task.cancelled() or task.exception()) and self._kept.get(key, (None,))[0] is task:
            del self._kept[key]

    def _make_room(self, now_s: float) -> None:
        """The oldest stand first; drop what has expired, then what is answered and too many."""
        for key, (task, expires_s) in list(self._kept.items()):
            if now_s < expires_s and len(self._kept) < self._most:
                return
            if task.done():
                del self._kept[key]


async def _run(produce: Produce) -> Answer:
    return await produce()
