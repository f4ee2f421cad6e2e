"""Files that operators change while calls are answered: looked at once a second, loaded when they
have changed, and swapped for new calls when they are right.

A file that is wrong changes nothing: what it last said well goes on, and the log says once for each
change what is wrong. Looking and loading happen in a thread, beside the event loop.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from app.agents.files import content
from app.observe.log import event

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often the files are looked at."""

T = TypeVar("T")
_Stamps: TypeAlias = dict[Path, tuple[int, int, int] | None]


class Watched(Protocol):
    """Something that files say."""

    def look(self) -> bool:
        """Load it anew if its files have changed; True: it says something else now. Waits for the
        disk."""
        ...


class Kept(Generic[T]):
    """What some files say, as it was when they were last right.

    `name`: for the log. `files`: what to look at, asked again after each change. Making one loads
    it, and raises what `load` raises.
    """

    def __init__(
        self, name: str, load: Callable[[], T], files: Callable[[], Iterable[Path]]
    ) -> None:
        self._name = name
        self._load = load
        self._files = files
        self._remember()
        self.value = load()

    def look(self) -> bool:
        """See `Watched`."""
        if _stamps(self._stamps) == self._stamps:
            return False
        before = self._digest
        self._remember()
        if self._digest == before:
            return False  # only touched
        try:
            self.value = self._load()
        except (ValueError, OSError) as error:
            problems = " | ".join(str(error).splitlines())
            event(
                logger,
                logging.ERROR,
                "a changed file is wrong; its last good version goes on",
                what=self._name,
                problems=problems,
            )
            return False
        except Exception:
            fields = {"what": self._name}
            logger.exception("a changed file could not be loaded", extra={"fields": fields})
            return False
        return True

    def _remember(self) -> None:
        """Before it is loaded: what changes while it is loaded counts as a change."""
        self._stamps = _stamps(self._files())
        self._digest = _digest(self._stamps)


class Reloader:
    """Looks after all that is watched. `watched`: asked at each look, in the order of loading.
    `swapped`: called in the event loop when something says something else now; `looked`: after
    every look, when nothing is being loaded."""

    def __init__(
        self,
        watched: Callable[[], Iterable[Watched]],
        swapped: Callable[[], None] = lambda: None,
        look_s: float = LOOK_S,
        looked: Callable[[], None] = lambda: None,
    ) -> None:
        self._watched = watched
        self._swapped = swapped
        self._look_s = look_s
        self._looked = looked
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            await self.look()

    async def look(self) -> bool:
        """One look at everything; True: something was swapped."""
        async with self._looking:
            watched = tuple(self._watched())
            changed = await asyncio.to_thread(lambda: any([each.look() for each in watched]))
            if changed:
                self._swapped()
            self._looked()
            return changed


def _stamps(files: Iterable[Path]) -> _Stamps:
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file does; None: it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _digest(files: Iterable[Path]) -> bytes:
    digest = sha256()
    for path in files:
        digest.update(f"\0{path}\0{path.is_file()}\0".encode() + content(path))
    return digest.digest()
