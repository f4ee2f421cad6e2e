"""Who calls whom, as the dialplan says it: variables of the WebSocket's channel, nothing else.

Never the query string: Asterisk keeps it on the connection that calls share, and a later call can
come with that of an earlier one. Variables are set with two underscores (`Set(__EARSHOT_FROM=...)`)
to be inherited, and come with or without them. Without any, as in the plain format, the call is
anonymous and goes to the default agent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from typing import Final

from app.call.facts import CallFacts, Origin

FROM: Final = "EARSHOT_FROM"
TO: Final = "EARSHOT_TO"
CALL_ID: Final = "EARSHOT_CALL_ID"
SOURCE_IP: Final = "EARSHOT_SOURCE_IP"
AGENT: Final = "EARSHOT_AGENT"
CALLER_NAME: Final = "EARSHOT_CALLER_NAME"
AGAIN: Final = "EARSHOT_AGAIN"
"""How often the call has come before; "" or 0: never."""
NEWS: Final = "EARSHOT_NEWS"
"""What came of it elsewhere, as `/asterisk/next` has told the dialplan."""
HEADER: Final = "EARSHOT_HEADER_"
"""Before a SIP header's name. An underscore in the name stands for a hyphen."""
DIRECTION: Final = "EARSHOT_DIRECTION"
"""`OUTBOUND` for a call that we have placed."""
ATTEMPT: Final = "EARSHOT_ATTEMPT"
"""The attempt of a campaign that such a call is."""
ORDER: Final = "EARSHOT_ORDER"
"""What such a call is about, sealed: `app.carriers.asterisk.placed`."""
VARIABLES: Final = (
    *(FROM, TO, CALL_ID, SOURCE_IP, AGENT, CALLER_NAME, AGAIN, NEWS),
    *(DIRECTION, ATTEMPT, ORDER),
)
OUTBOUND: Final = "outbound"

MOST_CHARACTERS: Final = 256
"""Of one value; a longer one is cut."""
MOST_ORDER: Final = 8_192
MOST_HEADERS: Final = 20
ANONYMOUS: Final = "anonymous"
_OURS: Final = re.compile(r"AO[0-9a-f]{32}\Z")
_NUMBER: Final = re.compile(r"\+?[0-9]{2,20}\Z")
_SPACING: Final = re.compile(r"[\s().\-/]")


@dataclass(frozen=True, slots=True)
class Identity:
    call_id: str
    """Ours: fit for file names and keys."""
    facts: CallFacts = field(repr=False)
    agent: str = ""
    """Whom the dialplan wants to answer; "": the routes decide."""
    again: bool = False
    news: str = ""
    placed: bool = False
    """It says that we have placed it; `order` is to prove it."""
    order: str = field(default="", repr=False)


def read_identity(given: Mapping[str, object], channel_id: str = "") -> Identity:
    """`given`: variables as they came. `channel_id`: of the WebSocket's channel, which names a call
    that the dialplan does not name."""
    bare = {name.lstrip("_"): value for name, value in given.items()}
    known = {name: _text(value) for name, value in bare.items()}
    placed = known.get(DIRECTION, "") == OUTBOUND
    from_, to = address_of(known.get(FROM, "")) or ANONYMOUS, address_of(known.get(TO, ""))
    facts = CallFacts(
        origin=_origin(from_),
        from_number=from_,
        to_number=to,
        caller_name=known.get(CALLER_NAME, ""),
        source_ip=known.get(SOURCE_IP, ""),
        sip_headers=_headers(known),
    )
    return Identity(
        call_id=call_id_of(known.get(CALL_ID, ""), channel_id, placed=placed),
        facts=facts,
        agent=known.get(AGENT, ""),
        again=known.get(AGAIN, "") not in ("", "0"),
        news=known.get(NEWS, ""),
        placed=placed,
        order=_text(bare.get(ORDER), MOST_ORDER),
    )


def is_ours(call_id: str) -> bool:
    """Only calls that we have placed have such an id."""
    return bool(_OURS.match(call_id))


def call_id_of(named: str, channel_id: str = "", *, placed: bool = False) -> str:
    """The same for the same call wherever it is asked for, if the dialplan names it. A channel's id
    alone may be another PBX's too: then the call is nobody's to ask for. `placed`: by us, so that
    the id is ours already."""
    if placed and is_ours(named):
        return named
    name = f"named:{named}" if named else f"channel:{channel_id}:{token_hex(16)}"
    return f"AS{sha256(name.encode()).hexdigest()[:32]}"


def address_of(text: str) -> str:
    """A number as "+" and digits where it is international, else as it came; SIP addresses too."""
    text = text.strip()
    if text.lower().startswith("tel:"):
        text = text[4:].partition(";")[0]
    number = _SPACING.sub("", text)
    if not _NUMBER.match(number):
        return text
    return f"+{number[2:]}" if number.startswith("00") else number


def _text(value: object, most: int = MOST_CHARACTERS) -> str:
    return "".join(c for c in str(value or "") if c.isprintable()).strip()[:most]


def _origin(address: str) -> Origin:
    return "sip" if address.lower().startswith(("sip:", "sips:")) else "pstn"


def _headers(known: Mapping[str, str]) -> dict[str, str]:
    named = (
        (name.removeprefix(HEADER).replace("_", "-"), value)
        for name, value in known.items()
        if name.startswith(HEADER) and value
    )
    return dict([(name, value) for name, value in named if name][:MOST_HEADERS])
