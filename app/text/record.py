"""What remains of a conversation by text on disk: one JSON line for each thing that happened.

`DATA_DIR/texts/<id>/conversation.jsonl`, for its owner only. The id is a keyed digest of the two
numbers, which stand nowhere in it.
"""

import asyncio
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from app.observe.log import event

logger = logging.getLogger(__name__)

FILE = "conversation.jsonl"


class TextRecord:
    """`keep` False: nothing is written."""

    def __init__(self, data_dir: Path, *, keep: bool = True) -> None:
        self._folder = data_dir / "texts"
        self._keep = keep

    def path(self, conversation: str) -> Path:
        return self._folder / conversation / FILE

    async def add(self, conversation: str, kind: str, now_s: float, **fields: object) -> None:
        """Append a line; nobody waits for a disk that fails, the log says so."""
        if not self._keep:
            return
        at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "kind": kind, **fields}, ensure_ascii=False) + "\n"
        try:
            await asyncio.to_thread(_append, self.path(conversation), line)
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "a text conversation is not recorded", error=why)


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One write in append mode: lines of two processes never mix.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)
