"""Lines that are added to files in a call's folder, by another thread, in order; nobody waits."""

import asyncio
import logging
import os
from collections import deque
from pathlib import Path
from typing import Final

from app.observe.log import event

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000


class CallLines:
    """One per process; belongs to one event loop."""

    def __init__(self, data_dir: Path) -> None:
        self._calls = data_dir / "calls"
        self._waiting: deque[tuple[str, str, str]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self.dropped = 0
        """Lines for which there was no room while the disk was slow."""

    def put(self, call_id: str, file: str, line: str) -> None:
        """`line`: without its end. Never waits. Dropped where 1000 wait already."""
        if not call_id.replace("_", "").isalnum() or len(self._waiting) >= MOST_WAITING:
            self.dropped += 1  # an id of other characters would be a path of somebody's choice
            return
        self._waiting.append((call_id, file, line))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def written(self) -> None:
        """Wait for what was put so far."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        while self._waiting:
            lines = list(self._waiting)
            self._waiting.clear()
            try:
                await asyncio.to_thread(self._append, lines)
            except OSError as error:
                why = error.strerror or type(error).__name__
                event(logger, logging.ERROR, "a call's lines could not be written", error=why)

    def _append(self, lines: list[tuple[str, str, str]]) -> None:
        for call_id, name, line in lines:
            path = self._calls / call_id / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, f"{line}\n".encode())
            finally:
                os.close(file)
