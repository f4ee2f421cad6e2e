"""The operator's list of callers who are not let in: a file, read again whenever it changed.

One caller a line: a number (+15550100001), the beginning of numbers (+1900*), a SIP address
(sip:user@host) or a whole host (sip:*@host). What follows a `#` is a comment.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.care.callers import Caller, caller_of
from app.observe.log import event

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
MOST_BYTES: Final = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Rules:
    """A list as it was read."""

    callers: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()

    def match(self, caller: Caller) -> bool:
        address = caller.address
        if not address:
            return False
        host = address.rpartition("@")[2]
        return address in self.callers or address.startswith(self.beginnings) or host in self.hosts

    def __len__(self) -> int:
        return len(self.callers) + len(self.beginnings) + len(self.hosts)


def read_rules(text: str) -> tuple[Rules, list[int]]:
    """The rules of a list, and the lines that mean nothing, counted from 1."""
    callers, beginnings, hosts, wrong = set[str](), set[str](), set[str](), list[int]()
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        if entry.lower().startswith(("sip:*@", "sips:*@")):
            hosts.add(entry.partition("@")[2].lower())
            continue
        caller = caller_of(entry.removesuffix("*"))
        known = caller.address.lstrip("+").isdigit() or "@" in caller.address
        if not known or (entry.endswith("*") and "@" in caller.address):
            wrong.append(number)
        elif entry.endswith("*"):
            beginnings.add(caller.address)
        else:
            callers.add(caller.address)
    return Rules(frozenset(callers), tuple(sorted(beginnings)), frozenset(hosts)), wrong


class BlockFile:
    """`path` may not be there yet. What cannot be read leaves the last list in force."""

    def __init__(self, path: Path, now_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now_s = now_s
        self._looked_s = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._rules = Rules()

    async def match(self, caller: Caller) -> bool:
        """Reads the file again if it changed, once a second at most, in another thread."""
        if self._now_s() >= self._looked_s + LOOK_EVERY_S:
            self._looked_s = self._now_s()
            await asyncio.to_thread(self._look)
        return self._rules.match(caller)

    def _look(self) -> None:
        try:
            stat = os.stat(self._path)
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return
            self._seen = seen
            with self._path.open(encoding="utf-8", errors="replace") as file:
                rules, wrong = read_rules(file.read(MOST_BYTES))
        except FileNotFoundError:
            if self._seen is not None:
                event(logger, logging.WARNING, "the list of blocked callers is gone")
            self._seen, self._rules = None, Rules()
            return
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "the list of blocked callers cannot be read", error=why)
            return
        self._rules = rules
        event(logger, logging.INFO, "blocked callers", entries=len(rules))
        for line in wrong[:5]:
            event(logger, logging.WARNING, "a line of blocked callers means nothing", line=line)
