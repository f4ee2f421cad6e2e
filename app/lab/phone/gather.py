"""<Gather>: keys and words, prompts that both of them cut, and what the action is told.

Words are those of the person's script: a step's `text` is what Twilio understands of its sound.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from app.lab.phone.course import Next
from app.lab.phone.following import action, flag, number
from app.lab.phone.leg import Leg
from app.lab.phone.twiml import TwimlError, Verb
from app.lab.phone.webhook import read_method

INVALID_FINISH_KEY = 13310
INVALID_TIMEOUT = 13311
INVALID_SPEECH_TIMEOUT = 13335
INPUTS = frozenset({"dtmf", "speech"})
AUTO_QUIET_S = 0.8
"""speechTimeout="auto": how long a pause ends what somebody says."""
MAX_SPEECH_S = 60


@dataclass(eq=False, slots=True)
class _Speech:
    """What the person says from now on."""

    on_part: Callable[[str], None]
    said: list[str] = field(default_factory=list)
    speaking: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def started(self, text: str) -> None:
        self.speaking = True
        self.news.set()

    def stopped(self, text: str) -> None:
        self.speaking = False
        if text:
            self.said.append(text)
            self.on_part(" ".join(self.said))
        self.news.set()

    async def heard(self) -> None:
        """Returns once the person begins to speak."""
        while not (self.speaking or self.said):
            self.news.clear()
            await self.news.wait()

    async def ended(self, quiet_s: float) -> None:
        """Returns once the person has been quiet for so long after speaking."""
        await self.heard()
        while True:
            self.news.clear()
            try:
                async with asyncio.timeout(None if self.speaking else quiet_s):
                    await self.news.wait()
            except TimeoutError:
                return


class Gathering:
    """One run of one <Gather>."""

    def __init__(self, leg: Leg, verb: Verb, document_url: str) -> None:
        self._leg = leg
        self._verb = verb
        self._url = document_url
        self._inputs = frozenset((verb.get("input") or "dtmf").split())
        if not self._inputs or not self._inputs <= INPUTS:
            raise TwimlError(f"<Gather input> is dtmf, speech or both, got {verb.get('input')!r}")
        self._finish = verb.get("finishOnKey", "#")
        if not set(self._finish) <= set("0123456789*#"):
            raise TwimlError("<Gather finishOnKey> is of 0-9, * and #", INVALID_FINISH_KEY)
        self._wanted = number(verb, "numDigits", 0)
        self._timeout_s = number(verb, "timeout", 5, INVALID_TIMEOUT)
        self._barge_in = flag(verb, "bargeIn", True)
        self._quiet_s = self._read_quiet()
        self._speech = _Speech(self._partial)
        self._partials = 0

    async def run(self, prompts: Callable[[], Awaitable[None]]) -> Next:
        """`prompts` speaks what stands inside; keys and words cut it."""
        keys = self._leg.call.keys
        while not keys.empty():
            keys.get_nowait()  # pressed before the question was asked
        listens = "speech" in self._inputs
        if listens:
            self._leg.call.listeners.append(self._speech)
        try:
            key = await self._first(prompts)
            told = await self._rest(key)
        finally:
            if listens:
                self._leg.call.listeners.remove(self._speech)
        if told is None:
            if not flag(self._verb, "actionOnEmptyResult", False):
                return None
            told = {"SpeechResult": ""} if self._inputs == {"speech"} else {"Digits": ""}
        return action(self._verb, self._url, told, default=self._url)

    async def _first(self, prompts: Callable[[], Awaitable[None]]) -> str | None:
        """The first key, or None when the person speaks or the time is over. The time runs from
        the prompts' end."""
        speaking = asyncio.ensure_future(_run(prompts()))
        signs = {asyncio.ensure_future(self._key()), asyncio.ensure_future(self._voice())}
        try:
            await asyncio.wait({speaking, *signs}, return_when=asyncio.FIRST_COMPLETED)
            if not self._barge_in:
                await asyncio.wait({speaking})
            if not any(sign.done() for sign in signs):
                await asyncio.wait(
                    signs, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED
                )
            pressed = [sign.result() for sign in signs if sign.done()]
            return next((each for each in pressed if each), None)
        finally:
            for task in (speaking, *signs):
                task.cancel()
            await asyncio.gather(speaking, *signs, return_exceptions=True)

    async def _rest(self, key: str | None) -> Mapping[str, str] | None:
        """What was entered or said after the beginning; None for nothing."""
        if key is not None:
            return await self._digits(key)
        if "speech" not in self._inputs or not (self._speech.speaking or self._speech.said):
            return None
        end = asyncio.ensure_future(self._speech.ended(self._quiet_s))
        pressed = asyncio.ensure_future(self._key())
        try:
            await asyncio.wait(
                {end, pressed}, timeout=MAX_SPEECH_S, return_when=asyncio.FIRST_COMPLETED
            )
            if pressed.done() and pressed.result() not in self._finish:
                return await self._digits(pressed.result())
        finally:
            end.cancel()
            pressed.cancel()
            await asyncio.gather(end, pressed, return_exceptions=True)
        if not self._speech.said:
            return None
        return {
            "SpeechResult": " ".join(self._speech.said),
            "Confidence": f"{self._leg.call.script.confidence:.8f}",
        }

    async def _digits(self, key: str | None) -> Mapping[str, str]:
        digits = ""
        while key is not None:
            if self._finish and key in self._finish:
                return {"Digits": digits, "FinishedOnKey": key}
            digits += key
            if self._wanted and len(digits) >= self._wanted:
                break
            key = await self._next_key()
        return {"Digits": digits}

    async def _key(self) -> str:
        if "dtmf" not in self._inputs:
            await asyncio.Event().wait()
        return await self._leg.call.keys.get()

    async def _voice(self) -> str:
        if "speech" not in self._inputs:
            await asyncio.Event().wait()
        await self._speech.heard()
        return ""

    async def _next_key(self) -> str | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s):
                return await self._leg.call.keys.get()
        return None

    def _read_quiet(self) -> float:
        text = self._verb.get("speechTimeout")
        if not text:
            return self._timeout_s
        if text == "auto":
            return AUTO_QUIET_S
        return number(self._verb, "speechTimeout", 0, INVALID_SPEECH_TIMEOUT)

    def _partial(self, words: str) -> None:
        url = self._verb.get("partialResultCallback")
        if not url:
            return
        call = self._leg.call
        self._leg.callbacks.send(
            "partial_result",
            urljoin(self._url, url),
            read_method(self._verb.get("partialResultCallbackMethod")),
            {
                **call.identity.standard(call.status),
                "SequenceNumber": str(self._partials),
                "UnstableSpeechResult": words,
                "StableSpeechResult": "",
            },
        )
        self._partials += 1


async def _run(work: Awaitable[None]) -> None:
    await work
