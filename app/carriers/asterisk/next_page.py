"""`POST /asterisk/next`: the dialplan asks what becomes of a caller whose `Dial` is over.

A form comes in, and `name=value&...` goes out, as CURL() with `hashcompat` reads it:

    do          agent       dial the bot again: to `agent`, with `news` and `rounds`
                transfer    dial `to`, let it ring `ring_s`, show `caller_id`; then ask again
                voicemail   let them leave a message
                busy        the busy tone
                hangup      nothing more is owed to them
                fallback    the bot cannot go on with them: whatever is there without it
    journey     to be given back with the next question

Whatever is no such answer, none at all included, is `fallback` to the dialplan.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.carriers.asterisk.forms import form_route
from app.carriers.asterisk.identity import OUTBOUND
from app.carriers.asterisk.locks import PbxLocks
from app.carriers.asterisk.placed import attempt_of

NEXT_PATH: Final = "/asterisk/next"

Do: TypeAlias = Literal["agent", "transfer", "voicemail", "busy", "hangup", "fallback"]
ANSWERED: Final = "ANSWER"
"""DIALSTATUS of a `Dial` that somebody answered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. Numbers are personal data."""

    call: str
    """As the dialplan names the call."""
    from_number: str = field(default="", repr=False)
    to_number: str = field(default="", repr=False)
    agent: str = ""
    status: str = ""
    """DIALSTATUS of the `Dial` that is over."""
    journey: str = field(default="", repr=False)
    """What the answer before gave along; "": it was the bot that was dialled."""
    rounds: int = 0
    """How often the bot was dialled."""
    placed: bool = False
    """It is a call that we had the PBX place."""
    attempt: str = ""
    """The attempt of a campaign that such a call is."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer. `more`: further names and values."""

    do: Do
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    def written(self) -> str:
        given = {name: value for name, value in self.more.items() if value}
        return urlencode({"do": self.do, **given})


Answer = Callable[[Asked], Awaitable[Told]]


def next_route(locks: PbxLocks, answer: Answer) -> Route:
    """`answer` never raises for what a PBX says."""

    async def page(form: Mapping[str, str]) -> Response | None:
        asked = _asked(form)
        if asked is None:
            return None
        told = await answer(asked)
        return PlainTextResponse(
            told.written(), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )

    return form_route(NEXT_PATH, locks, page, "expected a form that names the call")


def _asked(form: Mapping[str, str]) -> Asked | None:
    call, rounds = form.get("call", ""), form.get("rounds", "")
    attempt_id = form.get("attempt", "")
    if not call:
        return None
    small = rounds.isascii() and rounds.isdigit() and len(rounds) < 4
    return Asked(
        call=call,
        from_number=form.get("from", ""),
        to_number=form.get("to", ""),
        agent=form.get("agent", ""),
        status=form.get("status", ""),
        journey=form.get("journey", ""),
        rounds=int(rounds) if small else 0,
        placed=form.get("direction", "") == OUTBOUND,
        attempt=attempt_id if attempt_id == attempt_of(call) else "",
    )
