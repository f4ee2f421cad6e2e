"""The lab's mouth: an offline synthesiser in a process of its own."""

import asyncio
from collections import OrderedDict
from types import TracebackType
from typing import Self

import msgspec

from app.lab.speech.child import Child
from app.lab.speech.engines import Engine, find_engine
from app.lab.speech.faults import TextError

MAX_TEXT_CHARS = 5_000
_CACHE_BYTES = 16 * 1024 * 1024
"""About half an hour of speech."""


class Speech(msgspec.Struct, frozen=True):
    """One utterance for the worker."""

    text: str
    voice: str


class OfflineMouth:
    """A `Mouth` on espeak-ng or flite, whichever this machine has.

    Use it as an async context manager, or call `aclose`. What was said once is kept.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        """`engine`: the best of this machine when None; MissingPartError when it has none."""
        self.engine = engine or find_engine()
        self._child = Child(
            "app.lab.speech.mouth_worker",
            msgspec.json.encode(self.engine).decode(),
            refusal=TextError,
        )
        self._cache: OrderedDict[Speech, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._speaking: dict[Speech, asyncio.Task[bytes]] = {}

    async def say(self, text: str, voice: str) -> bytes:
        """The whole utterance as μ-law, 8 kHz; empty for a text without words.

        `voice` is a realtime model's voice name; names that are not known get the default voice.
        Raises TextError for a text of more than 5000 characters.
        """
        if len(text) > MAX_TEXT_CHARS:
            raise TextError(f"a text may have {MAX_TEXT_CHARS} characters, got {len(text)}")
        if not any(character.isalnum() for character in text):
            return b""
        speech = Speech(text, voice)
        if speech in self._cache:
            self._cache.move_to_end(speech)
            return self._cache[speech]
        # One synthesis for all who wait for it; it goes on when one of them is cancelled.
        if speech not in self._speaking:
            task = self._speaking[speech] = asyncio.create_task(self._speak(speech))
            task.add_done_callback(_note_failure)
        return await asyncio.shield(self._speaking[speech])

    async def aclose(self) -> None:
        """End the worker and whatever is being spoken."""
        for task in tuple(self._speaking.values()):
            task.cancel()
        await asyncio.gather(*self._speaking.values(), return_exceptions=True)
        await self._child.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _speak(self, speech: Speech) -> bytes:
        try:
            audio = await self._child.ask(msgspec.msgpack.encode(speech))
        finally:
            del self._speaking[speech]
        self._cache[speech] = audio
        self._cached_bytes += len(audio)
        while self._cached_bytes > _CACHE_BYTES:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
        return audio


def _note_failure(task: asyncio.Task[bytes]) -> None:
    """Those who wait raise it; when all of them were cancelled, nobody has to hear of it."""
    if not task.cancelled():
        task.exception()
