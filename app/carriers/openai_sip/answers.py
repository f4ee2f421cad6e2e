"""How a call that is not taken is answered, as SIP (RFC 3261, section 21). The one place for it."""

from typing import Final, Literal, TypeAlias

Why: TypeAlias = Literal["unknown", "closed", "busy", "full", "blocked", "broken"]
"""unknown: there is no such agent. closed: outside its hours. busy, full: there is no place.
blocked: this caller is not let in. broken: a fault of ours."""

SIP_CODES: Final[dict[Why, int]] = {
    "unknown": 404,
    "closed": 480,
    "busy": 486,
    "full": 503,
    "blocked": 603,
    "broken": 500,
}
"""Not Found, Temporarily Unavailable, Busy Here, Service Unavailable, Decline, Server Error."""
