"""Fixed sentences in the agents' voices: spoken once, kept in memory and on disk as μ-law.

A call takes a phrase from memory or does without it; nobody on the media path waits for a model or
a disk. On disk a phrase is two files named by the SHA-256 of its key: `.ulaw` is the sound, `.json`
says of which key and of which sound. Files that do not fit each other count as not there. Several
processes may share the folder: files appear whole, and a mixed pair is made anew.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import random
import tempfile
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from telecodecs import BYTES_PER_MS

MAX_PHRASE_BYTES: Final = 60_000 * BYTES_PER_MS
"""Longest phrase that is kept, 60 s."""
AT_ONCE: Final = 2
"""Phrases that are being spoken at the same time, at most: each has a model session of its own."""
PASSING_AT_ONCE: Final = 8
"""The same of passing ones, beside the others."""
MOST_PASSING: Final = 200
"""Passing phrases that are held; the oldest are forgotten. About 20 MB."""
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0
"""After a failure a phrase is not asked for again for 5 s, then 10, 20 ... 600 s, less up to half
at random."""

_FORMAT: Final = "ulaw 8000 Hz, 1"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PhraseKey:
    """What makes a recording this one and no other."""

    text: str
    voice: str
    model: str
    speed: float | None = None
    """Rate of speech; None: the vendor's default."""


class PhraseFailure(Protocol):
    """Why no recording was made; for the log, so without text of the vendor's."""

    @property
    def cause(self) -> str: ...

    @property
    def detail(self) -> str: ...


Render: TypeAlias = Callable[[PhraseKey], Awaitable[bytes | PhraseFailure]]
"""Speaks a phrase: μ-law at 8 kHz. Must end within a bounded time."""


@dataclass(slots=True)
class _Pause:
    failures: int = 0
    until_s: float = 0.0


class PhraseBook:
    """The phrases of one process, used from one event loop.

    `folder` is made when first needed. `clock` gives monotonic seconds. Phrases are never forgotten
    while the process lives, so keys must come from what the agents' files say, not from callers. A
    passing one, with words for one person, is neither written down nor held for long.
    """

    def __init__(
        self, folder: Path, render: Render, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._render = render
        self._clock = clock
        self._held: dict[PhraseKey, bytes] = {}
        self._tasks: dict[PhraseKey, asyncio.Task[None]] = {}
        self._pauses: dict[PhraseKey, _Pause] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._passing_slots = asyncio.Semaphore(PASSING_AT_ONCE)
        self._passing: OrderedDict[PhraseKey, None] = OrderedDict()
        self._closed = False

    def get(self, key: PhraseKey) -> bytes | None:
        """The phrase if it is in memory. Never waits; does not start anything either."""
        return self._held.get(key)

    def want(self, key: PhraseKey, *, passing: bool = False) -> None:
        """Begin to fetch the phrase from the disk, or else to have it spoken.

        Does nothing while it is held or on its way, during the pause after a failure, and after
        `close`. A failure is logged, and tried again when the phrase is wanted after the pause.
        """
        if self._closed or key in self._held or key in self._tasks:
            return
        if self._clock() < self._pauses.setdefault(key, _Pause()).until_s:
            return
        task = asyncio.create_task(self._pass(key) if passing else self._fetch(key))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def ready(self, key: PhraseKey, timeout_s: float) -> bytes | None:
        """Want the phrase and wait for this one attempt, at most `timeout_s`; what `get` says then.

        The attempt goes on when the time is up or the waiting is cancelled. A new phrase has been
        written to the disk, if it could be, when this returns before its time.
        """
        self.want(key)
        if (task := self._tasks.get(key)) is not None:
            await asyncio.wait((task,), timeout=timeout_s)
        return self.get(key)

    async def close(self) -> None:
        """Cancel what is under way. What is held stays; may be called twice."""
        self._closed = True
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, key: PhraseKey) -> None:
        fields = {"model": key.model, "voice": key.voice, "phrase": _short(key)}
        try:
            audio = await asyncio.to_thread(_load, self._folder, key)
            if audio is not None:
                self._held[key] = audio
                return
            async with self._slots:
                spoken = await self._render(key)
            if (problem := _problem(spoken)) is not None:
                self._put_off(key)
                _log.warning("phrase not spoken", extra={"fields": {**fields, **problem}})
            elif isinstance(spoken, bytes):
                self._held[key] = spoken
                await asyncio.to_thread(_store, self._folder, key, spoken)
        except Exception:
            self._put_off(key)
            _log.exception("phrase not fetched: a fault of ours", extra={"fields": fields})

    async def _pass(self, key: PhraseKey) -> None:
        """As `_fetch`, for one person's ears."""
        fields = {"model": key.model, "voice": key.voice, "phrase": _short(key)}
        try:
            async with self._passing_slots:
                spoken = await self._render(key)
            if (problem := _problem(spoken)) is not None:
                _log.warning("phrase not spoken", extra={"fields": {**fields, **problem}})
            elif isinstance(spoken, bytes):
                self._held[key] = spoken
                self._passing[key] = None
                self._forget_passing()
        except Exception:
            _log.exception("phrase not fetched: a fault of ours", extra={"fields": fields})
        finally:
            self._pauses.pop(key, None)

    def _forget_passing(self) -> None:
        while len(self._passing) > MOST_PASSING:
            oldest, _ = self._passing.popitem(last=False)
            self._held.pop(oldest, None)

    def _put_off(self, key: PhraseKey) -> None:
        pause = self._pauses[key]
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(pause.failures, 20))
        pause.failures += 1
        pause.until_s = self._clock() + longest_s * random.uniform(0.5, 1.0)


def _problem(spoken: bytes | PhraseFailure) -> dict[str, object] | None:
    """Why this is no phrase, as fields of the log; None when it is one."""
    if not isinstance(spoken, bytes):
        return {"cause": spoken.cause, "detail": spoken.detail}
    if not 0 < len(spoken) <= MAX_PHRASE_BYTES:
        return {"cause": "size", "expected_max_bytes": MAX_PHRASE_BYTES, "n_bytes": len(spoken)}
    return None


def _name(key: PhraseKey) -> str:
    """The same on every machine; `_FORMAT` changes it when a recording would be another one."""
    fields = json.dumps({"format": _FORMAT, **asdict(key)}, sort_keys=True)
    return hashlib.sha256(fields.encode("utf-8")).hexdigest()


def _short(key: PhraseKey) -> str:
    """Enough of the name to find the files; a longer one could look like a phone number."""
    return _name(key)[:6]


def _card(key: PhraseKey, audio: bytes) -> bytes:
    """The JSON file beside the sound. It is compared, never parsed."""
    sound = {"n_bytes": len(audio), "sha256": hashlib.sha256(audio).hexdigest()}
    card = {"format": _FORMAT, **asdict(key), **sound}
    return (json.dumps(card, indent=2, sort_keys=True) + "\n").encode("utf-8")


def _paths(folder: Path, key: PhraseKey) -> tuple[Path, Path]:
    name = _name(key)
    return folder / f"{name}.ulaw", folder / f"{name}.json"


def _load(folder: Path, key: PhraseKey) -> bytes | None:
    """The phrase as it is on disk; None when it is not there or not whole. Runs in a thread."""
    sound, card = _paths(folder, key)
    fields: dict[str, object] = {"folder": str(folder), "phrase": _short(key)}
    try:
        audio = _read(sound, MAX_PHRASE_BYTES)
        if audio and _read(card, len(_card(key, audio))) == _card(key, audio):
            return audio
    except FileNotFoundError:
        return None
    except OSError as error:
        fields["error"] = type(error).__name__
    _log.warning("phrase on disk is unreadable; it is spoken anew", extra={"fields": fields})
    return None


def _read(path: Path, limit_bytes: int) -> bytes:
    """The whole file, or b"" when it is longer than that. Raises `OSError`."""
    with path.open("rb") as file:
        content = file.read(limit_bytes + 1)
    return content if len(content) <= limit_bytes else b""


def _store(folder: Path, key: PhraseKey, audio: bytes) -> None:
    """Keep the phrase for the next start, the card last. Without a disk it stays in memory."""
    sound, card = _paths(folder, key)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(sound, audio)
        _write(card, _card(key, audio))
    except OSError as error:
        fields = {"folder": str(folder), "phrase": _short(key), "error": type(error).__name__}
        _log.warning("phrase not written; it lives in memory only", extra={"fields": fields})


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by us only. Raises `OSError`."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
