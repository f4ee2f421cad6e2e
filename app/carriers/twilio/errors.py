"""What can go wrong between us and Twilio's REST API, by who can mend it.

Source of the codes: Twilio docs, "Errors and warnings". Messages say what to do; Twilio's own words
are added with numbers and addresses taken out, so they are safe to log.
"""

import re
from dataclasses import dataclass
from typing import Final

import aiohttp
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)


class TwilioError(Exception):
    """A request to Twilio did not do what was asked.

    `outcome_unknown`: Twilio may have carried it out all the same, so it must not be sent again
    before the call's status is known.
    """

    def __init__(
        self, text: str, *, status: int = 0, code: int = 0, outcome_unknown: bool = False
    ) -> None:
        super().__init__(text)
        self.status = status
        """HTTP status, or 0 when there was no answer."""
        self.code = code
        """Twilio's error code, or 0 when it gave none."""
        self.outcome_unknown = outcome_unknown


class CallInputError(TwilioError):
    """What was asked for cannot be done: the caller's input."""


class OptedOutError(CallInputError):
    """Whoever has this number wants no messages from us: never send there again."""


class AccountError(TwilioError):
    """The account may not do it: credentials, permissions, money."""


class RateError(TwilioError):
    """Too much at once; later it may work."""


class VendorError(TwilioError):
    """Twilio answered that it failed, or answered nonsense."""


class TransportError(TwilioError):
    """No answer came in time, or no connection."""


@dataclass(frozen=True, slots=True)
class _Remedy:
    kind: type[TwilioError]
    text: str


_BY_CODE: Final = {
    10004: _Remedy(
        RateError, "the account has too many calls at once; end some or raise its limit"
    ),
    20003: _Remedy(
        AccountError, "Twilio refused the credentials; check TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"
    ),
    20404: _Remedy(CallInputError, "Twilio knows no such call; check the CallSid and the account"),
    20429: _Remedy(RateError, "too many requests at once; wait and send fewer"),
    21210: _Remedy(
        CallInputError, "the calling number is neither owned nor verified; choose another"
    ),
    21211: _Remedy(CallInputError, "the number to call is not valid; write it like +14155550100"),
    21212: _Remedy(CallInputError, "the calling number is not valid; use one of the account's own"),
    21215: _Remedy(AccountError, "the account may not call that country; allow it in the console"),
    21219: _Remedy(
        AccountError, "a trial account calls verified numbers only; verify it or upgrade"
    ),
    21220: _Remedy(CallInputError, "the call has ended already, so nothing can be changed in it"),
    21408: _Remedy(AccountError, "the account may not text that country; allow it in the console"),
    21602: _Remedy(CallInputError, "the message is empty"),
    21606: _Remedy(
        AccountError, "the sending number is not ours or sends no messages; choose another"
    ),
    21608: _Remedy(AccountError, "a trial account texts verified numbers only; upgrade it"),
    21610: _Remedy(OptedOutError, "whoever has this number has opted out; send them nothing"),
    21611: _Remedy(RateError, "too many messages of this sender wait; send fewer"),
    21612: _Remedy(CallInputError, "no message can go from this sender to that number"),
    21614: _Remedy(CallInputError, "that number takes no messages; it may be a landline"),
    21617: _Remedy(CallInputError, "the message is longer than 1600 characters; split it"),
}


def from_twilio(error: TwilioException, *, creating: bool) -> TwilioError:
    """The error of the SDK as one of ours. `creating`: the request was to start something."""
    if not isinstance(error, TwilioRestException | TwilioServiceException):
        return VendorError(
            f"the Twilio library failed: {_redacted(error)}", outcome_unknown=creating
        )
    status, code = int(error.status or 0), int(error.code or 0)
    remedy = _BY_CODE.get(code) or _by_status(status)
    said = error.title if isinstance(error, TwilioServiceException) else error.msg
    text = f"{remedy.text} (HTTP {status}, code {code}: {_redacted(said)})"
    unknown = creating and remedy.kind is VendorError
    return remedy.kind(text, status=status, code=code, outcome_unknown=unknown)


def from_transport(error: Exception, *, creating: bool) -> TransportError:
    """No answer. Only a connection that never came about is sure to have done nothing."""
    never_sent = isinstance(error, aiohttp.ClientConnectorError)
    unknown = creating and not never_sent
    kind = type(error).__name__
    text = f"no answer from Twilio ({kind}); check the network and the API address"
    if unknown:
        text += (
            "; the call or message may have been placed, so look at its status before trying again"
        )
    return TransportError(text, outcome_unknown=unknown)


def _by_status(status: int) -> _Remedy:
    if status in (401, 403):
        return _Remedy(
            AccountError, "Twilio refused the account; check credentials and permissions"
        )
    if status == 429:
        return _BY_CODE[20429]
    if 400 <= status < 500:
        return _Remedy(CallInputError, "Twilio refused the request; see what it says")
    return _Remedy(VendorError, "Twilio failed; see its status page")


def _redacted(said: object) -> str:
    text = re.sub(r"\b(?:sips?|client):\S+", "[address]", str(said))
    return re.sub(r"\+?\d[\d ().-]{4,}\d", "[number]", text)[:300]
