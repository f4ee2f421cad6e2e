"""What each TwiML verb does to a call, and where the call goes after it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import urljoin

from app.lab.phone.course import HungUp, Next, TwimlSource
from app.lab.phone.dial import dial
from app.lab.phone.dial_queue import enqueue
from app.lab.phone.digits import send_digits
from app.lab.phone.following import action, number
from app.lab.phone.gather import Gathering
from app.lab.phone.leg import Leg
from app.lab.phone.pace import Pace
from app.lab.phone.record import record
from app.lab.phone.recording_options import started_recording
from app.lab.phone.refer import refer
from app.lab.phone.streaming import StreamRun
from app.lab.phone.twiml import PERFORMED, TwimlError, Verb
from app.lab.phone.webhook import read_method

__all__ = ["Pace", "Verbs"]

LOOP_LIMIT = 1000
"""How often loop="0" repeats; Twilio stops somewhere too."""
BEFORE_ANSWER = frozenset({"Reject", "Redirect", "Hangup"})
"""Verbs that do not answer a call."""

Perform: TypeAlias = Callable[[Verb, str], Awaitable[Next]]


class Verbs:
    """Carries out the verbs of one call. Every coroutine may be cancelled by a hang-up."""

    def __init__(
        self,
        leg: Leg,
        *,
        allowed: frozenset[str] | None = None,
        refusal: int = 0,
        music: bool = False,
    ) -> None:
        """`allowed`: for TwiML that may not do everything, with the error code for the rest.
        `music`: <Play> is background music, which nobody takes for a voice."""
        self._leg = leg
        self._call = leg.call
        self._pace = leg.account.pace
        self._allowed = allowed
        self._refusal = refusal
        self._music = music
        self._table: Mapping[str, Perform] = {
            "Connect": self._connect,
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Redirect": self._redirect,
            "Hangup": self._hangup,
            "Reject": self._reject,
            "Leave": self._leave,
            "Start": self._start,
            "Dial": lambda verb, url: dial(leg, verb, url),
            "Record": lambda verb, url: record(leg, verb, url),
            "Enqueue": lambda verb, url: enqueue(leg, verb, url),
            "Refer": lambda verb, url: refer(leg, verb, url),
        }

    async def perform(self, verb: Verb, document_url: str) -> Next:
        """Raises TwimlError for what Twilio would refuse only when it comes to it."""
        if verb.name not in PERFORMED:
            self._call.error(None, f"this telephone does not perform <{verb.name}>")
            return HungUp("error")
        if self._allowed is not None and verb.name not in self._allowed:
            raise TwimlError(f"<{verb.name}> cannot be used in this TwiML", self._refusal)
        if verb.name not in BEFORE_ANSWER and not answers_late(verb):
            self._leg.answer()
        return await self._table[verb.name](verb, document_url)

    async def _connect(self, verb: Verb, document_url: str) -> Next:
        streams = [noun for noun in verb.children if noun.name == "Stream"]
        if len(verb.children) != 1:
            raise TwimlError(f"<Connect> takes one noun, got {len(verb.children)}")
        if not streams:
            noun = verb.children[0].name
            self._call.error(None, f"this telephone does not perform <Connect><{noun}>")
            return HungUp("error")
        run = StreamRun(self._call, streams[0], self._leg.account.auth_token, self._notify)
        await run.run(document_url)
        return action(verb, document_url, {})

    def _notify(self, noun: Verb, parameters: Mapping[str, str]) -> None:
        self._leg.callbacks.send(
            "stream_status",
            noun.get("statusCallback"),
            read_method(noun.get("statusCallbackMethod")),
            parameters,
        )

    async def _start(self, verb: Verb, document_url: str) -> Next:
        if [noun.name for noun in verb.children] != ["Recording"]:
            self._call.error(None, "this telephone starts one <Recording> and nothing else")
            return HungUp("error")
        started_recording(self._leg, verb.children[0], document_url)
        return None

    async def _say(self, verb: Verb, document_url: str) -> Next:
        self._call.hears("say", verb.text)
        await self._speak(self._pace.say_ms_per_char * len(verb.text), verb)
        return None

    async def _play(self, verb: Verb, document_url: str) -> Next:
        digits = verb.get("digits")
        if digits:
            await send_digits(self._call, digits, self._pace.pause_factor)
            return None
        url = urljoin(document_url, verb.text)
        if not self._music:
            self._call.hears("play", url)
            await self._speak(self._pace.play_ms, verb)
            return None
        self._call.hears("music", url)
        self._call.ambience.loop("music")
        try:
            await asyncio.sleep(self._pace.play_ms * _rounds(verb) / 1000)
        finally:
            self._call.ambience.loop(None)
        return None

    async def _speak(self, once_ms: int, verb: Verb) -> None:
        self._call.announcing = True
        try:
            await asyncio.sleep(once_ms * _rounds(verb) / 1000)
        finally:
            self._call.announcing = False

    async def _pause(self, verb: Verb, document_url: str) -> Next:
        await asyncio.sleep(number(verb, "length", 1) * self._pace.pause_factor)
        return None

    async def _redirect(self, verb: Verb, document_url: str) -> Next:
        url = urljoin(document_url, verb.text)
        return TwimlSource(url, read_method(verb.get("method")))

    async def _hangup(self, verb: Verb, document_url: str) -> Next:
        return HungUp("twiml")

    async def _leave(self, verb: Verb, document_url: str) -> Next:
        """Only waiting TwiML leaves something; elsewhere it does nothing."""
        return HungUp("twiml", leaves=True) if self._allowed is not None else None

    async def _reject(self, verb: Verb, document_url: str) -> Next:
        """Status after a <Reject> is not documented; ours: busy, or failed for "rejected"."""
        return HungUp("twiml", "busy" if verb.get("reason") == "busy" else "failed")

    async def _gather(self, verb: Verb, document_url: str) -> Next:
        async def prompts() -> None:
            for prompt in verb.children:
                await self.perform(prompt, document_url)

        return await Gathering(self._leg, verb, document_url).run(prompts)


def answers_late(verb: Verb) -> bool:
    """A <Dial> that leaves the call unanswered until somebody else answers."""
    return verb.name == "Dial" and verb.get("answerOnBridge").lower() == "true"


def _rounds(verb: Verb) -> int:
    return number(verb, "loop", 1) or LOOP_LIMIT
