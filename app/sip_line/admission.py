"""Which INVITE is taken: from whom, for whom, and while there is room. It fails closed."""

from dataclasses import dataclass
from typing import Any, Final

from sippy.SipHeader import SipHeader

from app.sip_line.config import LineConfig
from app.sip_line.digest import Credentials
from app.sip_line.guesses import Guesses

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"
_SDP: Final = "application/sdp"


@dataclass(frozen=True, slots=True)
class Reply:
    """A final answer to a request that is not taken."""

    code: int
    reason: str
    headers: tuple[SipHeader, ...] = ()

    def response(self, request: Any) -> Any:
        """The response of `sippy`'s."""
        response = request.genResponse(self.code, self.reason, server=None)
        response.appendHeaders(list(self.headers))
        return response


def header(name: str, value: object) -> SipHeader:
    return SipHeader(s=f"{name}: {value}")


def not_allowed() -> Reply:
    return Reply(405, "Method Not Allowed", (header("Allow", ALLOW),))


def abilities() -> Reply:
    """The answer to OPTIONS."""
    return Reply(200, "OK", (header("Allow", ALLOW), header("Accept", _SDP)))


def unsupported(request: Any) -> Reply | None:
    """The refusal of a request that wants extensions understood (RFC 3261, 8.2.2.3)."""
    wanted = ", ".join(str(body) for body in request.getHFBodys("require"))
    return Reply(420, "Bad Extension", (header("Unsupported", wanted),)) if wanted else None


def busy(retry_after_s: int) -> Reply:
    """The line or its worker cannot take a call now."""
    return Reply(503, "Service Unavailable", (header("Retry-After", retry_after_s),))


class Admission:
    """One for each line."""

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._credentials = Credentials(config.credentials, config.realm)
        self._guesses = Guesses()

    def judge(self, request: Any, calls: int, now_s: float) -> Reply | None:
        """Why an INVITE is refused while `calls` calls are in progress; None: it is taken."""
        return (
            self.stranger(request, now_s)
            or unsupported(request)
            or self._not_served(request)
            or self._wrong_body(request)
            or (busy(self._config.retry_after_s) if calls >= self._config.max_calls else None)
        )

    def is_peer(self, request: Any) -> bool:
        """Whether who asks needs no credentials."""
        return self._config.is_peer(request.getSource()[0])

    def knows_of(self, host: str) -> bool:
        """Whether whoever is at `host` may ask for anything at all."""
        return self._config.is_peer(host) or bool(self._credentials)

    def stranger(self, request: Any, now_s: float) -> Reply | None:
        """The refusal or challenge for one who is neither a peer nor has credentials."""
        host = request.getSource()[0]
        if self._config.is_peer(host):
            return None
        if not self._credentials or self._guesses.too_many(host, now_s):
            return Reply(403, "Forbidden")
        verdict = self._credentials.judge(request, now_s)
        if verdict in ("again", "stale"):
            challenge = self._credentials.challenge(stale=verdict == "stale")
            return Reply(401, "Unauthorized", (challenge,))
        if verdict == "unknown":
            self._guesses.add(host, now_s)
            return Reply(403, "Forbidden")
        return None

    def _not_served(self, request: Any) -> Reply | None:
        served = self._config.serves(request.getRURI().username or "")
        return None if served else Reply(404, "Not Found")

    def _wrong_body(self, request: Any) -> Reply | None:
        if not request.countHFs("contact"):
            return Reply(400, "No Contact")
        body = request.getBody()
        if body is None or body.getType() == _SDP:
            return None
        return Reply(415, "Unsupported Media Type", (header("Accept", _SDP),))
