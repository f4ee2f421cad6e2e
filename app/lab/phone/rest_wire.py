"""Twilio's REST API in words: what a call looks like as JSON, and its errors.

Codes 20003, 20404, 20429, 21211, 21215, 21220, 21408 and 21602 to 21617 are those of Twilio's error
pages; the others are as users report them.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from app.lab.phone.identity import API_VERSION, ENDED, CallIdentity, CallStatus

AUTHENTICATE = 20003
BAD_REQUEST = 20001
NOT_FOUND = 20404
NO_TO = 21201
BAD_URL = 21205
BAD_TO = 21211
BAD_FROM = 21212
NO_FROM = 21213
NOT_IN_PROGRESS = 21220
TOO_MANY_REQUESTS = 20429
GEO_FORBIDS_CALL = 21215
NOT_OUR_NUMBER = 21210
NO_TEXT_TO = 21604
NO_SENDER = 21603
NO_BODY = 21602
FROM_NOT_OURS = 21606
OPTED_OUT = 21610
BODY_TOO_LONG = 21617
SAME_NUMBERS = 21266
GEO_FORBIDS_TEXT = 21408
NO_SUCH_SERVICE = 21701

TWIML_LIMIT_CHARS = 4000

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_OTHER = re.compile(r"(sip|sips|client):\S+")
_SUBRESOURCES = (
    "events",
    "notifications",
    "payments",
    "recordings",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)


class RestError(Exception):
    """The bot's fault: a request that Twilio refuses."""

    def __init__(
        self, http_status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.http_status,
        }


def check_parties(to: str, from_: str) -> None:
    """Raises RestError for parties that cannot be called from one another."""
    if not to:
        raise RestError(400, NO_TO, "No 'To' number is specified")
    if not (_NUMBER.fullmatch(to) or _OTHER.fullmatch(to)):
        raise RestError(400, BAD_TO, "The 'To' number is not a valid phone number")
    if not from_:
        raise RestError(400, NO_FROM, "A 'From' phone number is required")
    if to.startswith("+") and not _NUMBER.fullmatch(from_):
        raise RestError(400, BAD_FROM, "The 'From' number is not a valid phone number")


def check_twiml_source(url: str, twiml: str) -> None:
    """Raises RestError unless TwiML can be had from one of the two."""
    if not url and not twiml:
        raise RestError(400, BAD_URL, "Url parameter is required")
    if url and not re.match(r"https?://[^\s/]", url):
        raise RestError(400, BAD_URL, "Url is not a valid URL")
    if len(twiml) > TWIML_LIMIT_CHARS:
        raise RestError(400, BAD_REQUEST, f"Twiml is longer than {TWIML_LIMIT_CHARS} characters")


def call_resource(
    identity: CallIdentity,
    status: CallStatus,
    *,
    created: datetime,
    updated: datetime,
    dialled: datetime | None,
    answered: datetime | None,
    ended: datetime | None,
    pace: float = 1.0,
    answered_by: str = "",
    queue_ms: int = 0,
) -> Mapping[str, object]:
    """The Call resource (Twilio docs: Call resource). A call is `initiated` in callbacks only.

    `dialled` None: it waits, and has no start time yet. `pace`: how fast the call's own time runs.
    `queue_ms`: how long it waits before it is dialled.
    """
    uri = f"/{API_VERSION}/Accounts/{identity.account_sid}/Calls/{identity.call_sid}"
    length_s = round((ended - answered).total_seconds() * pace) if answered and ended else None
    return {
        "sid": identity.call_sid,
        "account_sid": identity.account_sid,
        "parent_call_sid": identity.parent_call_sid or None,
        "to": identity.to,
        "to_formatted": identity.to,
        "from": identity.from_,
        "from_formatted": identity.from_,
        "phone_number_sid": None,
        "status": "queued" if status == "initiated" else status,
        "start_time": dialled and format_datetime(dialled),
        "end_time": format_datetime(ended) if ended and status in ENDED else None,
        "duration": None if length_s is None else str(length_s),
        "price": None,
        "price_unit": "USD",
        "direction": identity.direction,
        "answered_by": answered_by or None,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(queue_ms),
        "trunk_sid": None,
        "annotation": None,
        "date_created": format_datetime(created),
        "date_updated": format_datetime(updated),
        "uri": f"{uri}.json",
        "subresource_uris": {name: f"{uri}/{_camel(name)}.json" for name in _SUBRESOURCES},
    }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
