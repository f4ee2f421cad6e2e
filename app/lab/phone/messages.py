"""Text messages of an account, both ways, with the refusals and the opt-outs that Twilio has.

Source: shared notes on Twilio Voice, section 9; error pages 21211, 21212, 21602 to 21617; Twilio's
help article about opt-out keywords. The confirmations that Twilio sends by itself are worded by us.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal, Protocol, TypeAlias
from urllib.parse import urljoin

from app.lab.phone.identity import API_VERSION, new_sid
from app.lab.phone.notices import Notices
from app.lab.phone.opt_out import OptOuts, OptOutType, keyword
from app.lab.phone.people import Callee
from app.lab.phone.report import CallError
from app.lab.phone.rest_wire import (
    BAD_FROM,
    BAD_TO,
    BODY_TOO_LONG,
    FROM_NOT_OURS,
    GEO_FORBIDS_TEXT,
    NO_BODY,
    NO_SENDER,
    NO_SUCH_SERVICE,
    NO_TEXT_TO,
    OPTED_OUT,
    SAME_NUMBERS,
    RestError,
)
from app.lab.phone.twiml import MESSAGING, TwimlError, Verb, read_twiml
from app.lab.phone.webhook import Method, WebhookFailed, read_method

BODY_LIMIT_CHARS = 1600
DOCUMENT_LIMIT = 10

MessageStatus: TypeAlias = Literal[
    "accepted", "queued", "sent", "delivered", "undelivered", "failed", "received"
]

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")

AUTOMATIC: Mapping[OptOutType, str] = {
    "STOP": "You are unsubscribed and get no more messages. Reply START to subscribe again.",
    "START": "You are subscribed again. Reply HELP for help, STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Message and data rates may apply.",
}


class Owner(Protocol):
    """What messages need of their account."""

    account_sid: str
    numbers: set[str]
    notices: Notices

    def callee(self, address: str) -> Callee: ...

    def blocks(self, address: str) -> bool: ...


@dataclass(eq=False, slots=True)
class Message:
    """One message; `status` goes on changing after it was created."""

    to: str
    from_: str
    body: str
    direction: Literal["inbound", "outbound-api", "outbound-reply"]
    status: MessageStatus
    service_sid: str = ""
    error_code: int | None = None
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    automatic: bool = False
    """A confirmation by Twilio itself."""

    def resource(self, account_sid: str) -> Mapping[str, object]:
        """The Message resource."""
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "messaging_service_sid": self.service_sid or None,
            "to": self.to,
            "from": self.from_ or None,
            "body": self.body,
            "status": self.status,
            "direction": self.direction,
            "num_segments": str(-(-len(self.body) // 153) or 1),
            "num_media": "0",
            "error_code": self.error_code,
            "error_message": None,
            "api_version": API_VERSION,
            "date_created": format_datetime(self.created),
            "date_updated": format_datetime(datetime.now(UTC)),
            "date_sent": None,
            "price": None,
            "price_unit": "USD",
            "uri": f"/{API_VERSION}/Accounts/{account_sid}/Messages/{self.sid}.json",
            "subresource_uris": {},
        }


@dataclass(frozen=True, slots=True)
class TextReport:
    """What became of a message to the bot."""

    message: Message
    opt_out: OptOutType | None
    replies: tuple[Message, ...]
    """What the sender got back: the bot's answers, and Twilio's own confirmations."""
    errors: tuple[CallError, ...]
    """What Twilio's debugger would show."""


class Messages:
    """Sends, receives and keeps an account's messages."""

    def __init__(self, owner: Owner, services: tuple[str, ...] = ()) -> None:
        self._owner = owner
        self._services = services
        self._notices = owner.notices
        self._people = owner.callee
        self.by_sid: dict[str, Message] = {}
        self.opt_outs = OptOuts()

    def inbox(self, number: str) -> list[Message]:
        """What this number's phone has shown, oldest first."""
        return [
            one for one in self.by_sid.values() if one.to == number and one.status == "delivered"
        ]

    def send(
        self,
        *,
        to: str,
        from_: str = "",
        service_sid: str = "",
        body: str = "",
        callback: str = "",
        method: Method = "POST",
    ) -> Message:
        """`messages.create`. Raises RestError for what Twilio refuses."""
        self._check(to, from_, service_sid, body)
        sender = from_ or min(self._owner.numbers, default="")
        status: MessageStatus = "accepted" if service_sid else "queued"
        one = Message(to, sender, body, "outbound-api", status, service_sid)
        self.by_sid[one.sid] = one
        self._deliver(one, callback, method)
        return one

    async def receive(self, url: str, *, from_: str, to: str, body: str) -> TextReport:
        """A text message comes in: keywords are honoured, the bot is asked, its answer is sent."""
        one = Message(to, from_, body, "inbound", "received")
        self.by_sid[one.sid] = one
        word = keyword(body)
        self.opt_outs.take(word, ours=to, theirs=from_)
        replies: list[Message] = []
        if word is not None:
            confirmation = Message(from_, to, AUTOMATIC[word], "outbound-reply", "delivered")
            confirmation.automatic = True
            self.by_sid[confirmation.sid] = confirmation
            replies.append(confirmation)
        errors: list[CallError] = []
        try:
            for verb in await self._answer(url, one, word):
                replies.append(self._reply(verb, one, url))
        except (WebhookFailed, TwimlError) as error:
            errors.append(CallError(error.code, error.detail, 0))
        except RestError as error:
            errors.append(CallError(error.code, error.message, 0))
        await self._notices.settled()
        return TextReport(one, word, tuple(replies), tuple(errors))

    async def _answer(self, url: str, one: Message, word: OptOutType | None) -> tuple[Verb, ...]:
        parameters = _webhook(one, self._owner.account_sid)
        if word is not None:
            parameters["OptOutType"] = word
        method: Method = "POST"
        found: list[Verb] = []
        for _ in range(DOCUMENT_LIMIT):
            answer = await self._notices.ask("message", url, parameters, method)
            if answer.content_type == "text/plain":
                text = answer.body.decode()
                return (Verb("Message", {}, text, ()),) if text.strip() else ()
            verbs = read_twiml(answer.body, answer.content_type, MESSAGING)
            found += [verb for verb in verbs if verb.name == "Message"]
            redirect = next((verb for verb in verbs if verb.name == "Redirect"), None)
            if redirect is None:
                break
            url, method = urljoin(url, redirect.text), read_method(redirect.get("method"))
        return tuple(found)

    def _reply(self, verb: Verb, to: Message, url: str) -> Message:
        body = next((noun.text for noun in verb.children if noun.name == "Body"), verb.text)
        target, sender = verb.get("to") or to.from_, verb.get("from") or to.to
        self._check(target, sender, "", body)
        one = Message(target, sender, body, "outbound-reply", "queued")
        self.by_sid[one.sid] = one
        callback = verb.get("statusCallback") or verb.get("action")
        self._deliver(one, urljoin(url, callback) if callback else "", "POST")
        return one

    def _check(self, to: str, from_: str, service_sid: str, body: str) -> None:
        """In the order in which Twilio looks at a message."""
        if not to:
            raise RestError(400, NO_TEXT_TO, "A 'To' phone number is required.")
        if not (to.isascii() and _NUMBER.fullmatch(to)):
            raise RestError(400, BAD_TO, "The 'To' number is not a valid phone number.")
        self._check_sender(from_, service_sid)
        if from_ == to:
            raise RestError(400, SAME_NUMBERS, "'To' and 'From' number cannot be the same")
        if not body:
            raise RestError(400, NO_BODY, "Message body is required.")
        if len(body) > BODY_LIMIT_CHARS:
            raise RestError(
                400, BODY_TOO_LONG, "The concatenated message body exceeds the 1600 character limit"
            )
        if self._owner.blocks(to):
            raise RestError(400, GEO_FORBIDS_TEXT, "Permission to send an SMS has not been enabled")
        if self.opt_outs.blocked(ours=from_, theirs=to, service=bool(service_sid)):
            raise RestError(400, OPTED_OUT, "Attempt to send to unsubscribed recipient")

    def _check_sender(self, from_: str, service_sid: str) -> None:
        if not from_ and not service_sid:
            raise RestError(400, NO_SENDER, "A 'From' phone number is required.")
        known = not self._services or service_sid in self._services
        if service_sid and not (service_sid.startswith("MG") and known):
            raise RestError(404, NO_SUCH_SERVICE, "The Messaging Service does not exist")
        if not from_:
            return
        if not from_.isascii() or not (_NUMBER.fullmatch(from_) or _SENDER_NAME.fullmatch(from_)):
            raise RestError(400, BAD_FROM, "The 'From' number is not a valid phone number.")
        ours = self._owner.numbers
        if from_.startswith("+") and ours and from_ not in ours:
            raise RestError(
                400, FROM_NOT_OURS, "The 'From' number is not an SMS-capable number of the account"
            )

    def _deliver(self, one: Message, callback: str, method: Method) -> None:
        """Sent at once and delivered, or not, as the directory says."""
        callee = self._people(one.to)
        steps: list[MessageStatus] = ["sent", "delivered"]
        if callee.text != "delivered":
            steps = ["sent", "undelivered"] if callee.text == "undelivered" else ["failed"]
        for status in steps:
            one.status = status
            one.error_code = callee.text_error if status in ("undelivered", "failed") else None
            if callback:
                told = _status(one, self._owner.account_sid)
                self._notices.send(one.sid, "message_status", callback, told, method)


def _status(one: Message, account_sid: str) -> dict[str, str]:
    error = {"ErrorCode": str(one.error_code)} if one.error_code else {}
    service = {"MessagingServiceSid": one.service_sid} if one.service_sid else {}
    return {
        "MessageSid": one.sid,
        "SmsSid": one.sid,
        "MessageStatus": one.status,
        "SmsStatus": one.status,
        "AccountSid": account_sid,
        "From": one.from_,
        "To": one.to,
        "ApiVersion": API_VERSION,
        **error,
        **service,
    }


def _webhook(one: Message, account_sid: str) -> dict[str, str]:
    places = {
        f"{party}{part}": "US" if part == "Country" else ""
        for party in ("From", "To")
        for part in ("City", "State", "Zip", "Country")
    }
    return {
        "MessageSid": one.sid,
        "SmsSid": one.sid,
        "SmsMessageSid": one.sid,
        "AccountSid": account_sid,
        "From": one.from_,
        "To": one.to,
        "Body": one.body,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
        **places,
    }
