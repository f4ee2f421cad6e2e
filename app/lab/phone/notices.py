"""Requests to the bot that belong to no single leg: of conferences, recordings and messages."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from app.lab.phone.report import CallError, RequestPurpose, RequestRecord
from app.lab.phone.webhook import Method, WebhookAnswer, WebhookFailed, Webhooks


@dataclass(frozen=True, slots=True)
class _Notice:
    purpose: RequestPurpose
    url: str
    method: Method
    parameters: Mapping[str, str]


@dataclass(slots=True)
class Notices:
    """In order for each subject (a SID), subjects side by side. Nothing is retried."""

    auth_token: str
    requests: list[RequestRecord] = field(default_factory=list)
    errors: list[CallError] = field(default_factory=list)
    _waiting: dict[str, deque[_Notice]] = field(default_factory=dict)
    _workers: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    def send(
        self,
        subject: str,
        purpose: RequestPurpose,
        url: str,
        parameters: Mapping[str, str],
        method: Method = "POST",
    ) -> None:
        """Once those before it about the same subject were answered."""
        self._waiting.setdefault(subject, deque()).append(_Notice(purpose, url, method, parameters))
        if subject not in self._workers:
            self._workers[subject] = asyncio.ensure_future(self._work(subject))

    async def settled(self) -> None:
        """Wait until all that was to be sent is sent."""
        while self._workers:
            await asyncio.wait(set(self._workers.values()))

    async def ask(
        self, purpose: RequestPurpose, url: str, parameters: Mapping[str, str], method: Method
    ) -> WebhookAnswer:
        """A request whose answer matters. Raises WebhookFailed."""
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            status: int | None = None
            try:
                answer = await Webhooks(session, self.auth_token).request(
                    url, parameters, method=method
                )
                status = answer.status
                return answer
            finally:
                self.requests.append(RequestRecord(purpose, url, parameters, status))

    async def _work(self, subject: str) -> None:
        waiting = self._waiting[subject]
        try:
            while waiting:
                one = waiting.popleft()
                try:
                    await self.ask(one.purpose, one.url, one.parameters, one.method)
                except WebhookFailed as error:
                    detail = f"{one.purpose} callback: {error.detail}"
                    self.errors.append(CallError(error.code, detail, 0))
        finally:
            del self._workers[subject], self._waiting[subject]
