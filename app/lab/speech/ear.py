"""The lab's ear: pocketsphinx with a small grammar, in a process of its own, with a rejection rule.

The recogniser finds some phrase of its grammar in nearly any sound. `hear` therefore accepts a
phrase only when it fits the sound: see `app.lab.speech.fit` for the rule and what was measured.
"""

import importlib.util
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Self

import msgspec

from app.lab.speech.child import Child
from app.lab.speech.faults import GrammarError, MissingPartError

MIN_UTTERANCE_BYTES = 8 * 100
"""Anything shorter than 100 ms holds no phrase."""
MAX_UTTERANCE_BYTES = 8 * 60_000

SMALL_TALK: tuple[str, ...] = (
    "hello | good (morning | afternoon | evening)",
    "yes [please] | no [thanks | thank you]",
    "thanks | thank you [goodbye] | goodbye",
    "stop | wait | sorry | help",
)
"""What the ear knows when nobody hints at more."""


class Hearing(msgspec.Struct, frozen=True):
    """One utterance for the worker."""

    audio: bytes
    """μ-law, 8 kHz."""
    phrases: tuple[str, ...]
    """JSGF right-hand sides."""


class Verdict(msgspec.Struct, frozen=True):
    """What the ear found, and why it does or does not believe it."""

    text: str | None
    """The accepted phrase."""
    reason: Literal["fits", "too short", "no phrase", "misfit"]
    best: str = ""
    """The nearest phrase of the grammar, accepted or not."""
    misfit: float = 0.0
    """How badly `best` explains the sound; 0 is perfect."""


class SphinxEar:
    """An `Ear` on pocketsphinx 5 (optional extra `lab`), for American English.

    Use it as an async context manager, or call `aclose`. Utterances are heard one at a time.
    """

    def __init__(self, known: Sequence[str] = SMALL_TALK) -> None:
        """`known`: JSGF right-hand sides to listen for when `hear` gets no hints.

        Raises MissingPartError when pocketsphinx is not installed.
        """
        if importlib.util.find_spec("pocketsphinx") is None:
            raise MissingPartError(
                "the lab's ear needs pocketsphinx, which is not installed; "
                "mend it with: pip install 'earshot[lab]'"
            )
        self._known = tuple(known)
        self._child = Child("app.lab.speech.ear_worker", refusal=GrammarError)

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """Transcript of one utterance (μ-law, 8 kHz); None when it fits no phrase of the hints.

        Raises GrammarError for hints that are no JSGF or hold a word that the ear does not know.
        """
        return (await self.judge(utterance, hints)).text

    async def judge(self, utterance: bytes, hints: Sequence[str]) -> Verdict:
        """Like `hear`, with the reasons. Longer than a minute: its first minute is judged."""
        if len(utterance) < MIN_UTTERANCE_BYTES:
            return Verdict(None, "too short")
        hearing = Hearing(utterance[:MAX_UTTERANCE_BYTES], tuple(hints) or self._known)
        answer = await self._child.ask(msgspec.msgpack.encode(hearing))
        return msgspec.msgpack.decode(answer, type=Verdict)

    async def aclose(self) -> None:
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
