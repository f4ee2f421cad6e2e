"""The flight recorder: every event that reached the heart, with its time, and what the heart did.

A journal is JSON Lines: a header with the call's settings, then one line per event with the
commands that answered it. Lines are encoded at once, so that nothing waits for the garbage
collector, and written in batches by another thread. A key that is hidden stands there as `MASK`
with `"masked":true`; while a key may still have to be hidden, what follows it is not written yet.
`replay` hands the events to a new heart and compares its commands, bit for bit.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec

from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event, KeyPressed
from app.call.key_entry import MASK
from app.call.phases import CallSettings

FORMAT = "earshot-journal-1"
KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}
KEY_LINE = b'"event":"KeyPressed"'
"""Stands in no other line: within texts the quotes are escaped."""
BATCH = 500
"""Events kept before they are encoded and written; about ten seconds of a busy call."""


class JournalError(Exception):
    """The file is not a journal that this version can read."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where a replay did something else than the recorded call."""

    line: int
    at_ms: int
    event: str
    recorded: str
    replayed: str


class Journal:
    """Written by the bridge; one per call. Belongs to one event loop."""

    def __init__(
        self, path: Path, settings: CallSettings, who: Mapping[str, str] | None = None
    ) -> None:
        """`who`: more for the header, not needed to replay it."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lines: list[bytes] = []
        self._held_from: int | None = None
        """The first line of those that must not be written yet."""
        header = {"format": FORMAT, **(who or {}), "settings": settings}
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(header) + b"\n")
        self._writing: asyncio.Task[None] | None = None

    def add(
        self, now_ms: int, event: Event, commands: list[Command], *, held: bool = False
    ) -> None:
        """`held`: the event, or one before it, may have to be written otherwise (`hide_keys`)."""
        if not held:
            self._held_from = None
        elif self._held_from is None:
            self._held_from = len(self._lines)
        self._lines.append(_encode(now_ms, event, commands))
        ready = len(self._lines) if self._held_from is None else self._held_from
        if ready >= BATCH and (self._writing is None or self._writing.done()):
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def hide_keys(self, shown: Sequence[str]) -> None:
        """The newest keys that were pressed, oldest first, as they must be written down."""
        if not shown:
            return  # nearly every step of every call: no line is looked at
        places = reversed(range(len(self._lines)))
        keys = (at for at in places if KEY_LINE in self._lines[at])
        for key, at in zip(reversed(shown), keys, strict=False):
            record = msgspec.json.decode(self._lines[at])
            self._lines[at] = _line(record["t"], KeyPressed(key), record["commands"])

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        self._held_from = None
        await self._write()

    async def _write(self) -> None:
        ready = len(self._lines) if self._held_from is None else self._held_from
        lines, self._lines = self._lines[:ready], self._lines[ready:]
        if self._held_from is not None:
            self._held_from = 0
        await asyncio.to_thread(self._append, lines)

    def _append(self, lines: list[bytes]) -> None:
        with self.path.open("ab") as file:
            file.write(b"".join(lines))


def _encode(now_ms: int, event: Event, commands: list[Command]) -> bytes:
    return _line(now_ms, event, [[type(command).__name__, command] for command in commands])


def _line(now_ms: int, event: Event, commands: list[Any]) -> bytes:
    record = {
        "t": now_ms,
        "event": type(event).__name__,
        **({"with": event} if event.__dataclass_fields__ else {}),
        **({"masked": True} if _is_hidden(event) else {}),
        "commands": commands,
    }
    return msgspec.json.encode(record) + b"\n"


def _is_hidden(event: Event) -> bool:
    return isinstance(event, KeyPressed) and event.digit == MASK


def read(path: Path) -> tuple[CallSettings, Iterator[tuple[int, int, Event, bytes]]]:
    """A journal's settings and its lines: line number, time, event, commands as recorded.

    Raises `JournalError` that names the line.
    """
    lines = path.read_bytes().splitlines()
    try:
        header = msgspec.json.decode(lines[0])
        if header["format"] != FORMAT:
            raise JournalError(f"{path.name}: expected format {FORMAT}, got {header['format']}")
        settings = msgspec.convert(header["settings"], CallSettings)
    except (IndexError, KeyError, TypeError) as error:
        got = "something else" if lines else "an empty file"
        raise JournalError(
            f"{path.name}, line 1: expected a journal's header, got {got}"
        ) from error
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path.name}, line 1: expected a journal's header: {error}") from error
    return settings, _events(path, lines)


def _events(path: Path, lines: list[bytes]) -> Iterator[tuple[int, int, Event, bytes]]:
    for number, line in enumerate(lines[1:], start=2):
        try:
            record: dict[str, Any] = msgspec.json.decode(line)
            now_ms = msgspec.convert(record["t"], int)
            kind = KINDS[record["event"]]
            event: Event = msgspec.convert(record.get("with", {}), kind)
            recorded = msgspec.json.encode(record["commands"])
        except (KeyError, TypeError, msgspec.MsgspecError) as error:
            raise JournalError(f"{path.name}, line {number}: not an event: {error}") from error
        yield number, now_ms, event, recorded


def replay(path: Path) -> tuple[Call, Difference | None, int]:
    """Hand a recorded call's events to a new heart.

    Returns the heart as it ends, the first difference if there is one, and how many events went in.
    """
    settings, lines = read(path)
    call, count = Call(settings), 0
    for number, now_ms, event, recorded in lines:
        count += 1
        commands = call.handle(event, now_ms)
        replayed = msgspec.json.encode([[type(c).__name__, c] for c in commands])
        if replayed != recorded:
            name = type(event).__name__
            return (
                call,
                Difference(number, now_ms, name, recorded.decode(), replayed.decode()),
                count,
            )
    return call, None, count


def hidden_keys(path: Path) -> int:
    """How many of a journal's keys were hidden when it was written."""
    return sum(_is_hidden(event) for _, _, event, _ in read(path)[1])
