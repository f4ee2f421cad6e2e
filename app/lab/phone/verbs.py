"""What each TwiML verb does to a call, and where the call goes after it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin

from app.lab.phone.call import HungUp, LiveCall, TwimlSource
from app.lab.phone.identity import new_sid
from app.lab.phone.streaming import Notify, StreamRun
from app.lab.phone.twiml import PERFORMED, TwimlError, Verb
from app.lab.phone.webhook import read_method

LOOP_LIMIT = 1000
"""How often loop="0" repeats; Twilio stops somewhere too."""

Next: TypeAlias = TwimlSource | HungUp | None
"""Other TwiML, the end of the call, or None: the next verb."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long TwiML's own sounds last; they are timed, not synthesised. Tests set them to 0."""

    say_ms_per_char: int = 60
    play_ms: int = 2000
    pause_factor: float = 1.0
    """Of a <Pause>'s length."""


class Verbs:
    """Carries out the verbs of one call. Every coroutine may be cancelled by a hang-up."""

    def __init__(self, call: LiveCall, auth_token: str, pace: Pace, notify: Notify) -> None:
        self._call = call
        self._auth_token = auth_token
        self._pace = pace
        self._notify = notify
        self._table: Mapping[str, Callable[[Verb, str], Awaitable[Next]]] = {
            "Connect": self._connect,
            "Say": self._sound,
            "Play": self._sound,
            "Pause": self._pause,
            "Gather": self._gather,
            "Redirect": self._redirect,
            "Dial": self._dial,
            "Hangup": self._hangup,
            "Reject": self._reject,
        }

    async def perform(self, verb: Verb, document_url: str) -> Next:
        """Raises TwimlError for what Twilio would refuse only when it comes to it."""
        if verb.name not in PERFORMED:
            self._call.error(None, f"this telephone does not perform <{verb.name}>")
            return HungUp("error")
        return await self._table[verb.name](verb, document_url)

    async def _connect(self, verb: Verb, document_url: str) -> Next:
        streams = [noun for noun in verb.children if noun.name == "Stream"]
        if len(verb.children) != 1:
            raise TwimlError(f"<Connect> takes one noun, got {len(verb.children)}")
        if not streams:
            noun = verb.children[0].name
            self._call.error(None, f"this telephone does not perform <Connect><{noun}>")
            return HungUp("error")
        run = StreamRun(self._call, streams[0], self._auth_token, self._notify)
        await run.run(document_url)
        return self._action(verb, document_url, {})

    async def _sound(self, verb: Verb, document_url: str) -> Next:
        self._call.announcing = True
        try:
            await asyncio.sleep(self._sound_ms(verb) / 1000)
        finally:
            self._call.announcing = False
        return None

    def _sound_ms(self, verb: Verb) -> int:
        once_ms = self._pace.play_ms
        if verb.name == "Say":
            once_ms = self._pace.say_ms_per_char * len(verb.text)
        return once_ms * (_number(verb, "loop", 1) or LOOP_LIMIT)

    async def _pause(self, verb: Verb, document_url: str) -> Next:
        await asyncio.sleep(_number(verb, "length", 1) * self._pace.pause_factor)
        return None

    async def _redirect(self, verb: Verb, document_url: str) -> Next:
        url = urljoin(document_url, verb.text)
        return TwimlSource(url, read_method(verb.get("method")))

    async def _hangup(self, verb: Verb, document_url: str) -> Next:
        return HungUp("twiml")

    async def _reject(self, verb: Verb, document_url: str) -> Next:
        """Status after a <Reject> is not documented; ours: busy, or failed for "rejected"."""
        return HungUp("twiml", "busy" if verb.get("reason") == "busy" else "failed")

    async def _dial(self, verb: Verb, document_url: str) -> Next:
        outcome = self._call.script.dial
        await asyncio.sleep(outcome.ring_ms / 1000)
        bridged = outcome.status in ("completed", "answered")
        talk_ms = outcome.talk_ms if bridged else 0
        await asyncio.sleep(talk_ms / 1000)
        parameters = {"DialCallStatus": outcome.status, "DialBridged": str(bridged).lower()}
        if not any(noun.name == "Conference" for noun in verb.children):
            parameters["DialCallSid"] = new_sid("CA")
            if bridged:
                parameters["DialCallDuration"] = str(round(talk_ms / 1000))
        return self._action(verb, document_url, parameters)

    async def _gather(self, verb: Verb, document_url: str) -> Next:
        finish_key = verb.get("finishOnKey", "#")
        wanted = _number(verb, "numDigits", 0)
        timeout_s = _number(verb, "timeout", 5)
        while not self._call.keys.empty():
            self._call.keys.get_nowait()  # pressed before the question was asked
        digits, key = "", await self._first_key(verb, timeout_s)
        submitted = key is not None
        while key is not None and not (finish_key and key in finish_key):
            digits += key
            if wanted and len(digits) >= wanted:
                break
            key = await self._next_key(timeout_s)
        if not submitted and verb.get("actionOnEmptyResult") != "true":
            return None
        return self._action(verb, document_url, {"Digits": digits}, default=document_url)

    async def _first_key(self, verb: Verb, timeout_s: float) -> str | None:
        """The first key, which also cuts the prompts; the time runs from their end."""
        prompts = asyncio.ensure_future(self._prompts(verb))
        key = asyncio.ensure_future(self._call.keys.get())
        try:
            await asyncio.wait({prompts, key}, return_when=asyncio.FIRST_COMPLETED)
            if not key.done():
                await asyncio.wait({key}, timeout=timeout_s)
            return key.result() if key.done() else None
        finally:
            prompts.cancel()
            key.cancel()
            await asyncio.gather(prompts, key, return_exceptions=True)

    async def _next_key(self, timeout_s: float) -> str | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await self._call.keys.get()
        return None

    async def _prompts(self, verb: Verb) -> None:
        for prompt in verb.children:
            await self.perform(prompt, "")

    def _action(
        self, verb: Verb, document_url: str, parameters: Mapping[str, str], default: str = ""
    ) -> Next:
        url = verb.get("action") or default
        if not url:
            return None
        method = read_method(verb.get("method"))
        target = urljoin(document_url, url)
        return TwimlSource(target, method, parameters=parameters, purpose="action")


def _number(verb: Verb, attribute: str, default: int) -> int:
    text = verb.get(attribute)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise TwimlError(f"<{verb.name} {attribute}> must be a whole number, got {text!r}")
    return value
