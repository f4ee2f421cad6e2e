"""The first of several deadlines, some of which may not be set."""

from collections.abc import Iterable


def earliest(times_ms: Iterable[int | None]) -> int | None:
    """None: nothing is due. A plain loop, because it runs several times for every event of a call:
    a third of what `min` of a generator takes."""
    first_ms: int | None = None
    for at_ms in times_ms:
        if at_ms is not None and (first_ms is None or at_ms < first_ms):
            first_ms = at_ms
    return first_ms
