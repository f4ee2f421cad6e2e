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
from sippy.UasStateRinging import UasStateRinging
from sippy.UasStateTrying import UasStateTrying

from app.sip_line.admission import ALLOW, Reply, abilities, header, not_allowed, unsupported
from app.sip_line.stack import Answer, SipStack

NORMAL_CLEARING: Final = 16
"""Q.850: somebody hung up."""
_EARLY: Final = (UasStateTrying, UasStateRinging)
_NOT_YET: Final = Reply(500, "Server Internal Error", (header("Retry-After", 3),))
"""To a second INVITE before the first is answered (RFC 3261, 14.2)."""
_NO_INFO: Final = Reply(415, "Unsupported Media Type", (header("Accept", ""),))


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what the peer does. Bodies are texts."""

    ended: Callable[[], None]
    """BYE, CANCEL, or the dialog broke."""
    described: Callable[[str], None]
    """A new offer in a re-INVITE; answer it with `accept` or `refuse`."""
    answered: Callable[[str], None]
    """The peer's answer in its ACK to an offer of ours; "" if it has none."""
    asked: Callable[[], None]
    """A re-INVITE without an offer: `accept` with one of ours, and be `answered`."""


class _Agent(UA):  # type: ignore[misc]
    """sippy's, without its two liberties: it ends calls that are to be referred elsewhere, and it
    takes a re-INVITE without a body for a hold, which asks for an offer (RFC 3261, 14.2)."""

    offers = False
    """What goes with the next 200 is an offer; the ACK brings the answer."""

    def recvRequest(self, req: Any, sip_t: Any) -> Answer:
        reply = self._reply(req)
        if reply is not None:
            return reply.response(req), None, None
        if req.getMethod() == "INVITE" and self.isConnected():
            self.aim_at(req)
            self.offers = req.getBody() is None
            if self.offers:
                req.setBody(MsgBody(""))  # sippy puts a description of its own where there is none
        answer: Answer = super().recvRequest(req, sip_t)
        return answer

    def aim_at(self, req: Any) -> None:
        """Our BYE is to go where the peer now says that it is (RFC 3261, 12.2.2), and by UDP, which
        is all that we have, whatever transport it prefers."""
        loose = not self.routes or self.routes[0].getUrl().lr
        if loose and req.countHFs("contact"):
            self.rTarget = req.getHFBody("contact").getUrl().getCopy()
        if not self.routes:
            self.rAddr = self.rTarget.getTAddr()
        self.rAddr = (self.rAddr[0], "udp")

    def _reply(self, req: Any) -> Reply | None:
        """The answer to what sippy has nothing to do with."""
        match req.getMethod():
            case "BYE":
                reply = None
            case "INVITE":
                reply = _NOT_YET if isinstance(self.state, _EARLY) else unsupported(req)
            case "OPTIONS":
                reply = unsupported(req) or abilities()
            case "INFO":
                reply = Reply(200, "OK") if req.getBody() is None else _NO_INFO
            case _:
                reply = not_allowed()
        return reply

    def sendUasResponse(self, *told: Any, ack_wait: bool = False, **more: Any) -> None:
        super().sendUasResponse(*told, ack_wait=ack_wait or self.offers, **more)


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
        self._agent.aim_at(request)
        self._agent.branch = None  # sippy would take an early dialog's requests for another's
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
            if self._agent.offers:
                self._listener.asked()
            else:
                self._listener.described(str(event.getData()))
        elif isinstance(event, CCEventConnect):
            body = event.getData()[2]
            self._listener.answered("" if body is None else str(body))
