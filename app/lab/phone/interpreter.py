"""Follows TwiML verb by verb, document by document, until the call ends."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp, Next, TwimlSource
from app.lab.phone.report import RequestRecord, VerbRecord
from app.lab.phone.twiml import TwimlError, Verb, read_twiml
from app.lab.phone.verbs import Verbs
from app.lab.phone.webhook import WebhookFailed, Webhooks

DOCUMENT_LIMIT = 100
"""Documents per call: a bot that redirects in a circle is stopped here."""


class Interpreter:
    """Runs one call's TwiML. With `within` it runs beside the call's own ("wait") or before it
    ("whisper"), and what it did is recorded under that name; with `beside` a hang-up or a redirect
    is left to whoever runs the call, and cancels this."""

    def __init__(
        self,
        call: LiveCall,
        webhooks: Webhooks,
        verbs: Verbs,
        fallback: TwimlSource | None,
        *,
        within: str = "",
        beside: bool = False,
    ) -> None:
        self._call = call
        self._within = within
        self._beside = beside
        self._webhooks = webhooks
        self._verbs = verbs
        self._fallback = fallback

    async def begin(self, source: TwimlSource) -> tuple[tuple[Verb, ...], str] | HungUp:
        """Fetch the first document: (its verbs, its URL), before the call is answered."""
        return await self._fetch(source)

    async def follow(self, verbs: tuple[Verb, ...], document_url: str) -> HungUp | None:
        """Carry out a document and all that it leads to. None: it ended without a word of what
        comes then, which hangs up a call of its own."""
        return await self.go_on(await self._document(verbs, document_url))

    async def during(self, work: Coroutine[Any, Any, Next]) -> HungUp | None:
        """Do something that no verb tells; a hang-up or a redirect ends it."""
        following, _ = await self._race(work)
        return await self.go_on(self._interruption() or following)

    async def go_on(self, outcome: Next) -> HungUp | None:
        """Carry out what an outcome leads to."""
        for _ in range(DOCUMENT_LIMIT):
            if not isinstance(outcome, TwimlSource):
                return outcome
            fetched = await self._fetch(outcome)
            if isinstance(fetched, HungUp):
                return fetched
            outcome = await self._document(*fetched)
        self._call.error(None, f"stopped after {DOCUMENT_LIMIT} documents: does it go in a circle?")
        return HungUp("error")

    async def _fetch(self, source: TwimlSource) -> tuple[tuple[Verb, ...], str] | HungUp:
        """A request under way is not cut by a hang-up, as with Twilio."""
        try:
            return await self._read(source)
        except (WebhookFailed, TwimlError) as error:
            self._call.error(error.code, error.detail)
            fallback = self._fallback_for(error.code, source.url)
        if fallback is None:
            return HungUp("error")
        return await self._fetch(fallback)

    async def _read(self, source: TwimlSource) -> tuple[tuple[Verb, ...], str]:
        if source.document:
            return read_twiml(source.document), ""
        call = self._call
        parameters = {**call.identity.voice(call.status), **source.parameters}
        status: int | None = None
        try:
            answer = await self._webhooks.request(source.url, parameters, method=source.method)
            status = answer.status
        finally:
            call.report.requests.append(
                RequestRecord(source.purpose, source.url, parameters, status)
            )
        call.tell("webhook", source.purpose)
        return read_twiml(answer.body, answer.content_type), source.url

    async def _document(self, verbs: tuple[Verb, ...], document_url: str) -> Next:
        for verb in verbs:
            try:
                following = await self._interruptible(verb, document_url)
            except TwimlError as error:
                self._call.error(error.code, error.detail)
                return self._fallback_for(error.code, document_url) or HungUp("error")
            if following is not None:
                return following
        return self._interruption()

    async def _interruptible(self, verb: Verb, document_url: str) -> Next:
        if (interruption := self._interruption()) is not None:
            return interruption
        self._call.tell("verb", verb.name)
        began_ms = self._call.now_ms
        following, cut = await self._race(self._verbs.perform(verb, document_url))
        self._call.report.verbs.append(
            VerbRecord(
                name=verb.name,
                attributes=verb.attributes,
                text=verb.text,
                began_ms=began_ms,
                ended_ms=self._call.now_ms,
                cut=cut,
                nouns=tuple((noun.name, noun.text) for noun in verb.children),
                within=self._within,
            )
        )
        return self._interruption() or following

    async def _race(self, work: Coroutine[Any, Any, Next]) -> tuple[Next, bool]:
        """(the verb's outcome, False), or (None, True) when the call was interrupted first."""
        if self._beside:
            return await work, False
        verb = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._call.interrupted())
        try:
            await asyncio.wait({verb, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut = not verb.done()
            verb.cancel()
            stop.cancel()
            await asyncio.wait({verb, stop})
        return (None, True) if verb.cancelled() else (verb.result(), cut)

    def _interruption(self) -> TwimlSource | HungUp | None:
        if self._beside:
            return None
        redirect = self._call.take_redirect()
        if redirect is not None:
            return redirect
        pending = self._call.interruption
        return pending if isinstance(pending, HungUp) else None

    def _fallback_for(self, code: int, url: str) -> TwimlSource | None:
        """The fallback URL's turn, once in a call, told what went wrong."""
        fallback, self._fallback = self._fallback, None
        if fallback is None:
            return None
        return replace(fallback, parameters={"ErrorCode": str(code), "ErrorUrl": url})
