"""What an entry of the spool stands for, read from the files that it names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.records.rows import PricesOf, StreamRows, plain, stream_rows
from app.records.spool import Entry, Spool, UnreadableError


@dataclass(frozen=True, slots=True)
class Found:
    """`rows`: of a stream; or the record after a call, as it stands in its file; None: all that is
    known is that there was the call."""

    entry: Entry
    rows: StreamRows | dict[str, Any] | None


def find(
    spool: Spool, name: str, data_dir: Path, dead_ms: int, prices_of: PricesOf
) -> Found | None:
    """None: nothing to write yet, or any more. `dead_ms`: Unix ms; a stream that began before, and
    has no timeline, has none coming. Blocks.

    Raises `UnreadableError`, `OSError`.
    """
    entry = spool.read(name)
    if entry is None:
        return None
    try:
        document = msgspec.json.decode((data_dir / entry.path).read_bytes())
    except FileNotFoundError:
        return Found(entry, None) if entry.at_ms < dead_ms else None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableError(f"expected JSON, got {type(error).__name__}") from error
    if entry.kind == "stream":
        chain = _evidence(data_dir / entry.path, document)
        return Found(entry, stream_rows(entry, document, prices_of, chain))
    if not isinstance(document, dict) or not {"agent", "direction"} <= document.keys():
        raise UnreadableError("expected the record after a call")
    return Found(entry, plain(document))


def _evidence(timeline: Path, document: Any) -> bytes:
    """Beside the timeline; `earshot evidence verify` says what is missing."""
    told = document.get("evidence") if isinstance(document, dict) else None
    name = told.get("file") if isinstance(told, dict) else None
    if not isinstance(name, str) or name != Path(name).name:
        return b""
    try:
        return timeline.with_name(name).read_bytes()
    except OSError:
        return b""
