"""REGISTER at a trunk (RFC 3261, section 10): with digest, refreshed in time, and withdrawn."""

import asyncio
import logging
from typing import Any, Final

from sippy.SipAddress import SipAddress
from sippy.SipContact import SipContact
from sippy.SipFrom import SipFrom
from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest
from sippy.SipTo import SipTo
from sippy.SipURL import SipURL

from app.sip_line.admission import header
from app.sip_line.config import Trunk
from app.sip_line.log import event
from app.sip_line.stack import SipStack
from app.sip_line.wire import resolved

_log = logging.getLogger(__name__)

REFRESH_PART: Final = 0.8
"""A registration is renewed after this part of its time."""
RETRY_S: Final = (5.0, 10.0, 30.0, 60.0)
"""The waits after failures; the last one stays."""
WITHDRAW_S: Final = 2.0
MOST_GRANTED_S: Final = 86_400
_CHALLENGES: Final = {
    401: ("www-authenticate", "authorization"),
    407: ("proxy-authenticate", "proxy-authorization"),
}


class Registration:
    """`run` it until it is cancelled; it withdraws itself then."""

    def __init__(self, stack: SipStack, trunk: Trunk) -> None:
        self._stack = stack
        self._trunk = trunk
        self._expires_s = trunk.expires_s
        self.registered = asyncio.Event()
        """Set while the trunk knows us."""
        url = SipURL(username=trunk.user, host=trunk.registrar.host)
        self._from = SipFrom(address=SipAddress(url=url))
        self._from.genTag()
        self._to = SipTo(address=SipAddress(url=url.getCopy()))
        self._call_id: Any = None
        self._sequence = 0

    async def run(self) -> None:
        failures = 0
        try:
            while True:
                granted_s = await self._tried(self._expires_s)
                if granted_s > 0:
                    failures = 0
                    self._now_registered(granted_s)
                    await asyncio.sleep(granted_s * REFRESH_PART)
                else:
                    self.registered.clear()
                    await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                    failures += 1
        finally:
            if self.registered.is_set():
                await self._withdraw()

    async def _tried(self, expires_s: int) -> int:
        """The seconds that were granted, 0 for none, whatever the trunk answers."""
        try:
            return min(await self._register(expires_s), MOST_GRANTED_S)
        except Exception as error:  # an answer that breaks a parser must not end the trying
            event(
                _log,
                logging.WARNING,
                "the SIP trunk's answer cannot be read",
                error_kind=type(error).__name__,
            )
            return 0

    def _now_registered(self, granted_s: int) -> None:
        if not self.registered.is_set():
            event(_log, logging.INFO, "registered at the SIP trunk", expires_s=granted_s)
            self.registered.set()

    async def _withdraw(self) -> None:
        self.registered.clear()
        try:
            async with asyncio.timeout(WITHDRAW_S):
                await self._tried(0)
        except TimeoutError:
            pass  # it lapses by itself

    async def _register(self, expires_s: int) -> int:
        """One registration with its challenge; the seconds that were granted, 0 for none."""
        try:
            target = await resolved(self._trunk.registrar)
        except OSError:
            event(_log, logging.WARNING, "the SIP trunk's name has no address")
            return 0
        response = await self._ask(target, expires_s, None)
        code = response.getSCode()[0]
        if code in _CHALLENGES and (credentials := self._credentials(response, code)):
            response = await self._ask(target, expires_s, credentials)
            code = response.getSCode()[0]
        if code == 423 and 0 < expires_s < (least_s := self._least_s(response)):
            self._expires_s = least_s
            return await self._register(least_s)
        if not 200 <= code < 300:
            event(_log, logging.WARNING, "the SIP trunk refused the registration", code=code)
            return 0
        return self._granted_s(response, expires_s)

    async def _ask(self, target: tuple[str, int], expires_s: int, auth: Any) -> Any:
        """Send one REGISTER and wait for its final response; a timeout is one too (408)."""
        request = self._request(target, expires_s, auth)
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def take(response: Any) -> None:
            if response.getSCode()[0] >= 200 and not answered.done():
                answered.set_result(response)

        self._stack.manager.newTransaction(request, take)
        return await answered

    def _request(self, target: tuple[str, int], expires_s: int, auth: Any) -> Any:
        self._sequence += 1
        address = self._stack.address
        contact = SipURL(username=self._trunk.user, host=address.host, port=address.port)
        registrar = self._trunk.registrar
        request = SipRequest(
            method="REGISTER",
            ruri=SipURL(host=registrar.host, port=registrar.port),
            fr0m=self._from.getCopy(),
            to=self._to.getCopy(),
            callid=self._call_id,
            cseq=self._sequence,
            contact=SipContact(address=SipAddress(url=contact)),
            target=(target, "udp"),
        )
        self._call_id = request.getHFBCopy("call-id")
        request.appendHeader(header("Expires", expires_s))
        if auth is not None:
            request.appendHeader(SipHeader(body=auth))
        return request

    def _credentials(self, response: Any, code: int) -> Any:
        trunk = self._trunk
        uri = str(SipURL(host=trunk.registrar.host, port=trunk.registrar.port))
        for challenge in response.getHFBodys(_CHALLENGES[code][0]):
            supported, qop = challenge.supportedAlgorithm()
            if supported:
                user = trunk.realm_user or trunk.user
                return challenge.genAuthHF(user, trunk.password, "REGISTER", uri, qop=qop)
        return None

    def _least_s(self, response: Any) -> int:
        """What a 423 says of the registrar's least time, 0 if it says nothing."""
        told = response.getHFBodys("min-expires")
        return int(str(told[0])) if told and str(told[0]).isdecimal() else 0

    def _granted_s(self, response: Any, asked_s: int) -> int:
        """From our Contact, else from Expires, else what was asked for (RFC 3261, 10.2.4)."""
        ours = self._stack.address
        for contact in response.getHFBodys("contact"):
            if contact.asterisk:
                continue
            url, expires = contact.getUrl(), contact.address.params.get("expires")
            if (str(url.host), int(url.port)) == (ours.host, ours.port) and expires is not None:
                return int(expires)
        if response.countHFs("expires"):
            return int(response.getHFBody("expires").getNum())
        return asked_s
