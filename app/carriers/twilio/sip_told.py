"""What SIP systems tell of a call that is on its way to them: where a REFER leads, and headers of
an answer. Fields: Twilio docs, "TwiML Voice: <Dial>" (`ReferTransferTarget`, `DialSipHeader_`)."""

import re
from collections.abc import Mapping
from typing import Final

MOST_ANSWER_HEADERS: Final = 5
MOST_ANSWER_CHARS: Final = 255
"""Of a header's value. All of them travel in URLs."""
_ANGLES: Final = re.compile(r"<([^<>]*)>")
_VISUAL: Final = str.maketrans("", "", "-.() ")
"""What may stand between the digits of a tel: address (RFC 3966)."""


def refer_target(fields: Mapping[str, str]) -> str:
    """Where a REFER leads; as carriers send it, often in angle brackets, and with a name in front.
    A tel: address is the number itself."""
    text = fields.get("ReferTransferTarget", "").strip()
    inside = _ANGLES.search(text)
    bare = (inside[1] if inside else text).strip()
    if bare[:4].lower() == "tel:":
        return bare[4:].partition(";")[0].translate(_VISUAL)
    return bare


def answer_headers(fields: Mapping[str, str]) -> dict[str, str]:
    """Of a SIP system's answer: told to the action of a <Dial>, and to a whisper."""
    found: dict[str, str] = {}
    for prefix in ("DialSipHeader_", "SipHeader_"):
        for name, value in fields.items():
            header = name.removeprefix(prefix)
            if header != name and header and len(found) < MOST_ANSWER_HEADERS:
                found.setdefault(header, value[:MOST_ANSWER_CHARS])
    return found
