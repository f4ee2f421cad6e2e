"""One SIP dialog: `sippy`'s user agent behind few verbs, and what it tells in few events."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sippy.CCEvents import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventPreConnect,
    CCEventRing,
    CCEventUpdate,
)
from sippy.MsgBody import MsgBody
from sippy.SipAddress import SipAddress
from sippy.SipContact import SipContact
from sippy.SipReason import SipReason
from sippy.SipURL import SipURL
from sippy.UA import UA

from app.sip_line.admission import ALLOW, Reply, header, not_allowed
from app.sip_line.stack import Answer, SipStack

NORMAL_CLEARING: Final = 16
"""Q.850: somebody hung up."""
_TAKEN: Final = ("INVITE", "BYE", "INFO", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what the peer does. Bodies are texts."""

    ended: Callable[[], None]
    """BYE, CANCEL, or the dialog broke."""
    described: Callable[[str], None]
    """A new offer in a re-INVITE; answer it with `accept` or `refuse`."""
    answered: Callable[[str], None]
    """The peer's answer in its ACK to an offer of ours; "" if it has none."""


class _Agent(UA):  # type: ignore[misc]
    """sippy's, without its two liberties: it ends calls that are to be referred elsewhere, and it
    takes a re-INVITE without a body for a hold, which many use to refresh a session."""

    def recvRequest(self, req: Any, sip_t: Any) -> Answer:
        if req.getMethod() not in _TAKEN:
            return not_allowed().response(req), None, None
        if req.getMethod() == "INVITE" and req.getBody() is None and self.rSDP is not None:
            req.setBody(self.rSDP.getCopy())  # the same again is answered with the same
        answer: Answer = super().recvRequest(req, sip_t)
        return answer


class Dialog:
    """The side that was called."""

    def __init__(self, stack: SipStack, listener: Listener) -> None:
        self._listener = listener
        self._agent = _Agent(stack.config, event_cb=self._told)
        url = SipURL(username="earshot", host=stack.address.host, port=stack.address.port)
        self._agent.lContact = SipContact(address=SipAddress(url=url))

    def take(self, request: Any, transaction: Any) -> Answer:
        """Begin with an INVITE; 100 Trying is sent thereby."""
        answer: Answer = self._agent.recvRequest(request, transaction)
        return answer

    def ring(self) -> None:
        self._agent.recvEvent(CCEventRing((180, "Ringing", None)))

    def accept(self, description: str) -> None:
        """200 OK to an INVITE or a re-INVITE, with our answer."""
        self._send(CCEventConnect((200, "OK", MsgBody(description))), header("Allow", ALLOW))

    def offer(self, description: str) -> None:
        """200 OK with an offer of ours; the peer's answer comes with its ACK."""
        self._send(CCEventPreConnect((200, "OK", MsgBody(description))), header("Allow", ALLOW))

    def refuse(self, refusal: Reply) -> None:
        """The final answer to an INVITE or a re-INVITE that cannot be."""
        self._send(CCEventFail((refusal.code, refusal.reason)), *refusal.headers)

    def hang_up(self, cause: int = NORMAL_CLEARING) -> None:
        """BYE with a Q.850 cause."""
        event = CCEventDisconnect()
        event.reason_rfc3326 = SipReason(protocol="Q.850", cause=cause)
        self._agent.recvEvent(event)

    def _send(self, event: Any, *headers: Any) -> None:
        event.extra_headers = headers
        self._agent.recvEvent(event)

    def _told(self, event: Any, _agent: Any) -> None:
        if isinstance(event, CCEventDisconnect | CCEventFail):
            self._listener.ended()
        elif isinstance(event, CCEventUpdate):
            self._listener.described(str(event.getData()))
        elif isinstance(event, CCEventConnect):
            body = event.getData()[2]
            self._listener.answered("" if body is None else str(body))
