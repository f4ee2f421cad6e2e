"""Digest credentials (RFC 3261, section 22): challenge callers, and believe nobody twice.

sippy makes nonces that it can check without keeping them; what it lacks is a memory of the nonces
that were used, without which whoever reads a call on its way can place another one with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sippy.SipAuthorization import NameList2AlgMask, SipAuthorization
from sippy.SipHeader import SipHeader
from sippy.SipWWWAuthenticate import SipWWWAuthenticate

Verdict: TypeAlias = Literal["known", "unknown", "again", "stale"]
"""`again`: no credentials: challenge. `stale`: ones for a nonce that is over: challenge, and say
that it is not the password (RFC 7616, 3.3), or telephones ask their owner. `unknown`: refuse."""

NONCE_S: Final = 32.0
"""So long sippy takes a nonce."""
_ALGORITHM: Final = "MD5"


@dataclass(frozen=True, slots=True)
class _Use:
    nonce: str
    count: str


class Credentials:
    """Who may call from anywhere. Time is the caller's, in seconds."""

    def __init__(self, passwords: Mapping[str, str], realm: str) -> None:
        self._passwords = dict(passwords)
        self._realm = realm
        self._used: dict[_Use, float] = {}

    def __bool__(self) -> bool:
        return bool(self._passwords)

    def challenge(self, *, stale: bool = False) -> SipHeader:
        """A header with a fresh nonce for a 401."""
        body = SipWWWAuthenticate(realm=self._realm, algorithm=_ALGORITHM)
        return SipHeader(s=f"WWW-Authenticate: {body}{',stale=true' if stale else ''}")

    def judge(self, request: Any, now_s: float) -> Verdict:
        """What the credentials of a request are worth. Each set of them is taken once."""
        told = [
            auth
            for name in ("authorization", "proxy-authorization")
            for auth in request.getHFBodys(name)
            if auth.realm == self._realm
        ]
        if not told:
            return "again"
        auth = told[0]
        if auth.algorithm not in (None, _ALGORITHM) or not auth.nonce or not auth.response:
            return "unknown"
        if not auth.ho.validate_challenge(auth.nonce, NameList2AlgMask((_ALGORITHM,))):
            return "stale"
        if not self._fits(auth, request.getMethod()):
            return "unknown"
        return "known" if self._first_use(auth, now_s) else "stale"

    def _fits(self, auth: SipAuthorization, method: str) -> bool:
        password = self._passwords.get(auth.username or "")
        return password is not None and bool(auth.verify(password, method))

    def _first_use(self, auth: SipAuthorization, now_s: float) -> bool:
        self._used = {use: at for use, at in self._used.items() if now_s - at < 2 * NONCE_S}
        # Only with all three the count is part of what was hashed; else anybody may change it.
        counted = auth.qop and auth.nc and auth.cnonce
        use = _Use(auth.nonce, auth.nc if counted else "")
        first = use not in self._used
        self._used[use] = now_s
        return first
