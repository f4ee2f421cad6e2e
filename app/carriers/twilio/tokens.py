"""Tokens that let one media stream in: signed, for one call, short-lived and good once.

A webhook hands the token to Twilio in a `<Parameter>`; it comes back in the stream's `start`. It is
signed with a key derived from the account's auth token, so any worker can check what another one
issued. The one thing that workers must share to stop a replay is which tokens were used: that is
`UsedTokens`, whose in-process form serves a single worker.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, Literal, Protocol, TypeAlias

import msgspec

from app.call.events import Direction

TOKEN_PARAMETER: Final = "token"
"""Name of the `<Parameter>` that carries the token."""
_PURPOSE: Final = b"earshot media stream token, version 1"
_MOST_CHARACTERS: Final = 480
"""Twilio takes fewer than 500 characters of name and value together."""


class Refusal(StrEnum):
    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"
    OTHER_CALL = "other_call"
    REPLAYED = "replayed"
    OVERLOADED = "overloaded"


_WORDS: Final = {
    Refusal.MALFORMED: "it is missing or is no token of ours",
    Refusal.FORGED: "its signature is wrong; do all workers have the same TWILIO_AUTH_TOKEN?",
    Refusal.EXPIRED: "it is too old; do all workers have the same time?",
    Refusal.OTHER_CALL: "it was issued for another call",
    Refusal.REPLAYED: "it was used before",
    Refusal.OVERLOADED: "too many tokens are remembered; start fewer calls at once",
}


class TokenRefusedError(Exception):
    """The stream may not begin; `reason` is safe to log and to count."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"stream token refused: {_WORDS[reason]}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: this call, with this agent."""

    call_sid: str
    agent: str
    direction: Direction
    news: str = ""
    """What came of the call elsewhere, if it was; opaque here."""


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """An authentic token of this call that has not expired; whether it was used is still open."""

    grant: Grant
    token_id: str
    expires_s: int


Burn: TypeAlias = Literal["fresh", "used", "full"]


class UsedTokens(Protocol):
    """Remembers which tokens were used, until they would have expired anyway."""

    async def burn(self, token_id: str, expires_s: int, now_s: float) -> Burn:
        """Mark as used; "fresh" for the first one to ask, "used" for all others."""
        ...


class _Claims(msgspec.Struct, array_like=True):
    call_sid: str
    agent: str
    direction: Direction
    expires_s: int
    token_id: str
    news: str = ""


class StreamTokens:
    """Issues and checks tokens. Times are Unix seconds, so that workers can share them.

    `auth_tokens`: the first one signs, any one checks. `ttl_s`: how long a token is good.
    """

    def __init__(self, auth_tokens: Sequence[str], *, ttl_s: int = 30) -> None:
        if not auth_tokens or not all(auth_tokens):
            raise ValueError("expected at least one Twilio auth token, and none of them empty")
        self._keys = tuple(_derived(token) for token in auth_tokens)
        self._ttl_s = ttl_s

    def issue(self, grant: Grant, now_s: float) -> str:
        """Raises `ValueError` for a grant too long to fit into a `<Parameter>`."""
        claims = _Claims(
            grant.call_sid,
            grant.agent,
            grant.direction,
            int(now_s) + self._ttl_s,
            secrets.token_urlsafe(12),
            grant.news,
        )
        body = _b64(msgspec.json.encode(claims))
        token = f"{body}.{_b64(_mac(self._keys[0], body))}"
        if len(token) > _MOST_CHARACTERS:
            raise ValueError("expected an agent name short enough for a Twilio <Parameter>")
        return token

    def check(self, token: str, call_sid: str, now_s: float) -> CheckedToken:
        """Everything but single use. Raises `TokenRefusedError`."""
        body, dot, mac = token.partition(".")
        if not dot or len(token) > _MOST_CHARACTERS or not token.isascii():
            raise TokenRefusedError(Refusal.MALFORMED)
        given = mac.encode()
        fits = [hmac.compare_digest(_b64(_mac(key, body)).encode(), given) for key in self._keys]
        if not any(fits):
            raise TokenRefusedError(Refusal.FORGED)
        claims = msgspec.json.decode(urlsafe_b64decode(_padded(body)), type=_Claims)
        if not hmac.compare_digest(claims.call_sid.encode(), call_sid.encode()):
            raise TokenRefusedError(Refusal.OTHER_CALL)
        if now_s >= claims.expires_s:
            raise TokenRefusedError(Refusal.EXPIRED)
        grant = Grant(claims.call_sid, claims.agent, claims.direction, claims.news)
        return CheckedToken(grant, claims.token_id, claims.expires_s)

    async def redeem(self, token: str, call_sid: str, used: UsedTokens, now_s: float) -> Grant:
        """Check a token and use it up. Raises `TokenRefusedError`."""
        checked = self.check(token, call_sid, now_s)
        burn = await used.burn(checked.token_id, checked.expires_s, now_s)
        if burn != "fresh":
            raise TokenRefusedError(Refusal.REPLAYED if burn == "used" else Refusal.OVERLOADED)
        return checked.grant


class UsedTokensHere:
    """`UsedTokens` of one process. When `most` tokens are remembered and none has expired, new ones
    are refused: forgetting one would let it in twice."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._expires_s: dict[str, int] = {}

    async def burn(self, token_id: str, expires_s: int, now_s: float) -> Burn:
        self._forget_expired(now_s)
        if token_id in self._expires_s:
            return "used"
        if len(self._expires_s) >= self._most:
            return "full"
        self._expires_s[token_id] = expires_s
        return "fresh"

    def _forget_expired(self, now_s: float) -> None:
        """All tokens live equally long, so the oldest are at the front."""
        while self._expires_s:
            oldest = next(iter(self._expires_s))
            if self._expires_s[oldest] > now_s:
                return
            del self._expires_s[oldest]


def _derived(auth_token: str) -> bytes:
    # A key of its own: what is signed here can never pass as a signature of Twilio's.
    return hmac.digest(auth_token.encode(), _PURPOSE, sha256)


def _mac(key: bytes, body: str) -> bytes:
    return hmac.digest(key, body.encode(), sha256)


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
