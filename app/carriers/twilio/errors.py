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
        self,
        text: str,
        *,
        why: str = "",
        status: int = 0,
        code: int = 0,
        outcome_unknown: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(text)
        self.why = why or text
        """In static words."""
        self.status = status
        """HTTP status, or 0 when there was no answer."""
        self.code = code
        """Twilio's error code, or 0 when it gave none."""
        self.outcome_unknown = outcome_unknown
        self.retry_after_s = retry_after_s
        """When to ask again, where Twilio says it."""


class CallInputError(TwilioError):
    """What was asked for cannot be done: the caller's input."""


class NumberError(CallInputError):
    """There is no such number: no call will ever reach it."""


class OptedOutError(CallInputError):
    """Whoever has this number wants no messages from us: never send there again."""


class AccountError(TwilioError):
    """The account may not do it: credentials, permissions, money."""


class DestinationError(AccountError):
    """The account may not call this number; it may call others."""


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
    10001: _Remedy(AccountError, "the account is not active; see the console"),
    10004: _Remedy(
        RateError, "the account has too many calls at once; end some or raise its limit"
    ),
    13223: _Remedy(NumberError, "the number to call is not E.164; write it like +14155550100"),
    # Said of numbers in service too, while no carrier of Twilio's reaches them.
    13224: _Remedy(CallInputError, "the number does not exist, or no carrier reaches it now"),
    13225: _Remedy(DestinationError, "Twilio does not call that number"),
    13226: _Remedy(NumberError, "the number to call has no known country code; check it"),
    13227: _Remedy(
        DestinationError, "the account may not call that country; allow it in the console"
    ),
    20003: _Remedy(
        AccountError, "Twilio refused the credentials; check TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"
    ),
    20404: _Remedy(CallInputError, "Twilio knows no such call; check the CallSid and the account"),
    20429: _Remedy(RateError, "too many requests at once; wait and send fewer"),
    21210: _Remedy(
        CallInputError, "the calling number is neither owned nor verified; choose another"
    ),
    21211: _Remedy(NumberError, "the number to call is not valid; write it like +14155550100"),
    21212: _Remedy(CallInputError, "the calling number is not valid; use one of the account's own"),
    21213: _Remedy(CallInputError, "a calling number is missing; choose one of the account's own"),
    21214: _Remedy(NumberError, "the number to call cannot be reached; check it"),
    21215: _Remedy(
        DestinationError, "the account may not call that country; allow it in the console"
    ),
    21216: _Remedy(
        DestinationError, "Twilio blocks calls to that number; ask its support, or see TrustHub"
    ),
    21217: _Remedy(NumberError, "the number to call does not appear to be valid; check it"),
    21219: _Remedy(
        DestinationError, "a trial account calls verified numbers only; verify it or upgrade"
    ),
    21220: _Remedy(CallInputError, "the call has ended already, so nothing can be changed in it"),
    21231: _Remedy(
        CallInputError, "the SIP domain is not as Twilio wants it, or the name is somebody else's"
    ),
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


def from_twilio(
    error: TwilioException, *, creating: bool, retry_after_s: float | None = None
) -> TwilioError:
    """The error of the SDK as one of ours. `creating`: the request was to start something.

    A 5xx leaves open whether it did: Twilio may have failed before it took the call or after.
    """
    if not isinstance(error, TwilioRestException | TwilioServiceException):
        # Of a list that is refused the SDK keeps nothing but the response.
        status = getattr(error.args[-1], "status_code", 0) if error.args else 0
        if not status:
            text = f"the Twilio library failed: {_redacted(error)}"
            return VendorError(text, why="the Twilio library failed", outcome_unknown=creating)
        error = TwilioRestException(status, "", str(error.args[0]), status)
    status, code = int(error.status or 0), int(error.code or 0)
    remedy = _BY_CODE.get(code) or _by_status(status)
    said = error.title if isinstance(error, TwilioServiceException) else error.msg
    return remedy.kind(
        f"{remedy.text} (HTTP {status}, code {code}: {_redacted(said)})",
        why=remedy.text,
        status=status,
        code=code,
        outcome_unknown=creating and remedy.kind is VendorError,
        retry_after_s=retry_after_s,
    )


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
