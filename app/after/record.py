"""`after.json`: what was written about a call, beside its timeline."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from app.bridge.call_record import call_folder

AFTER_FILE: Final = "after.json"
WriteAfter: TypeAlias = Callable[[Path, str, dict[str, object]], Awaitable[Path]]
"""`write_after`, or what does it and tells somebody."""


async def write_after(data_dir: Path, call_id: str, record: dict[str, object]) -> Path:
    """Whole or not at all, for this user only. Raises `OSError`."""
    folder = call_folder(data_dir, call_id)
    path = folder / AFTER_FILE
    text = json.dumps(record, indent=2, ensure_ascii=False)

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_text(text + "\n", encoding="utf-8", errors="replace")
        unfinished.replace(path)

    await asyncio.to_thread(write)
    return path
