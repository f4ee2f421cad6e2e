"""`POST /asterisk/dialled`: the dialplan tells how a call that we had it place is over.

A form comes in:

    call        the call's id, which is its channel's
    attempt     the attempt of a campaign that it is; nothing: of none
    status      DIALSTATUS of the dial: ANSWER, BUSY, NOANSWER, CANCEL, CHANUNAVAIL, CONGESTION ...
    cause       HANGUPCAUSE: why, as a number of Q.850
    seconds     since somebody answered

`heard` goes out once it was kept. Whatever else comes, the dialplan may tell it again.
Source: Asterisk docs, "Dial"; the SIP codes of causes are those of RFC 3398, 8.2.6.1.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.carriers.asterisk.forms import form_route
from app.carriers.asterisk.identity import is_ours
from app.carriers.asterisk.locks import PbxLocks
from app.carriers.asterisk.placed import attempt_of

DIALLED_PATH: Final = "/asterisk/dialled"
HEARD: Final = "heard"

Fate: TypeAlias = Literal["completed", "busy", "no-answer", "canceled", "failed"]
_FATES: Final[Mapping[str, Fate]] = {
    "ANSWER": "completed",
    "BUSY": "busy",
    "NOANSWER": "no-answer",
    "CANCEL": "canceled",
}
"""DIALSTATUS -> what came of the call; of every other one, and of none: failed."""
_SIP_CODES: Final[Mapping[str, int]] = {
    "1": 404,
    "2": 404,
    "3": 404,
    "21": 603,
    "22": 410,
    "28": 484,
}
"""Causes that say more than the status does."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call of ours that is over."""

    call_id: str
    attempt_id: str
    """ "": it is no campaign's."""
    fate: Fate
    duration_s: int | None = None
    sip_code: int | None = None


Hear = Callable[[Ended], Awaitable[bool]]
"""False: it could not be kept, and is to be told again."""


def dialled_route(locks: PbxLocks, hear: Hear) -> Route:
    async def answer(form: Mapping[str, str]) -> Response | None:
        ended = read_ended(form)
        if ended is None:
            return None
        kept = await hear(ended)
        return PlainTextResponse(HEARD) if kept else PlainTextResponse("tell it again", 503)

    return form_route(DIALLED_PATH, locks, answer, "expected a form that names a call of ours")


def read_ended(form: Mapping[str, str]) -> Ended | None:
    """None for what is about no call of ours, or names the attempt of another one."""
    call_id, attempt_id = form.get("call", ""), form.get("attempt", "")
    if not is_ours(call_id) or attempt_id not in ("", attempt_of(call_id)):
        return None
    fate, seconds = _FATES.get(form.get("status", ""), "failed"), form.get("seconds", "")
    small = seconds.isascii() and seconds.isdigit() and len(seconds) < 7
    return Ended(
        call_id,
        attempt_id,
        fate,
        int(seconds) if small and fate == "completed" else None,
        _SIP_CODES.get(form.get("cause", "")) if fate != "completed" else None,
    )
