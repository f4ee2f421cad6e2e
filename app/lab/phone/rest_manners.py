"""What makes a REST API hard to use: limits, slowness, answers that never arrive."""

from collections.abc import Callable
from dataclasses import dataclass


def _none(method: str, path: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RestManners:
    concurrent: int | None = None
    """Requests that may be under way at once; one more gets 429 and 20429. None: any number."""
    delay_ms: int = 0
    """Before every answer."""
    loses: Callable[[str, str], bool] = _none
    """(HTTP method, path) -> whether the request is carried out and its answer is lost."""
    lost_after_s: float = 3600.0
    """How long a lost answer's connection stays open, unless the client gives up."""
