"""Old recordings of ours are deleted: each when it is older than its agent wanted.

Beside each recording a small file says for how many days it is kept. A recording without one stays.
"""

import json
import logging
import time
from pathlib import Path
from typing import Final

from app.observe.log import event

logger = logging.getLogger(__name__)

DAY_S: Final = 86_400
SWEEP_EVERY_S: Final = 6 * 3_600


def keep_file(recording: Path) -> Path:
    """Where it stands for how long a recording is kept."""
    return recording.with_suffix(".json")


def kept_for(recording: Path, days: int, agent: str) -> None:
    """Write it down. Raises `OSError`."""
    path = keep_file(recording)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"keep_days": days, "agent": agent}) + "\n", encoding="utf-8")


def sweep(data_dir: Path, now_s: float | None = None) -> int:
    """Delete what is too old; how many. Blocks, so run it in a thread. Raises nothing."""
    now_s = time.time() if now_s is None else now_s
    deleted = 0
    for keep in (data_dir / "calls").glob("*/recording-*.json"):
        recording = keep.with_suffix(".wav")
        try:
            days = json.loads(keep.read_text("utf-8"))["keep_days"]
            written_s = recording.stat().st_mtime if recording.exists() else keep.stat().st_mtime
            if not isinstance(days, int) or not days or now_s - written_s < days * DAY_S:
                continue
            recording.unlink(missing_ok=True)
            keep.unlink(missing_ok=True)
            deleted += 1
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = type(error).__name__
            event(logger, logging.ERROR, "an old recording cannot be deleted", error=why)
    if deleted:
        event(logger, logging.INFO, "old recordings deleted", recordings=deleted)
    return deleted
