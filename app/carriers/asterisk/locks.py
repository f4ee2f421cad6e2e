"""Who may bring calls: a PBX that knows the password, or one whose certificate a proxy has checked.

Asterisk signs nothing, so this is all that tells it from strangers. The names and passwords are
compared in constant time.
"""

import hmac
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field

Headers = Iterable[tuple[bytes, bytes]]
"""As ASGI has them: names in small letters."""


@dataclass(frozen=True, slots=True)
class PbxLocks:
    """`user` and `password` go together. `proxy_name` and `proxy_value`: the header that our TLS
    proxy sets once it has checked the PBX's certificate, and takes off everything else."""

    user: str = ""
    password: str = field(default="", repr=False)
    proxy_name: str = ""
    proxy_value: str = field(default="", repr=False)

    @property
    def set(self) -> bool:
        """Without a lock there is no door."""
        return bool(self.user and self.password) or bool(self.proxy_name and self.proxy_value)

    def open_for(self, headers: Headers) -> bool:
        found = list(headers)
        return self._by_password(found) or self._by_certificate(found)

    def _by_password(self, headers: Headers) -> bool:
        if not (self.user and self.password):
            return False
        wanted = f"{self.user}:{self.password}".encode()
        return _same(_credentials(_only(headers, b"authorization")), wanted)

    def _by_certificate(self, headers: Headers) -> bool:
        if not (self.proxy_name and self.proxy_value):
            return False
        given = _only(headers, self.proxy_name.lower().encode())
        return _same(given, self.proxy_value.encode())


def _only(headers: Headers, name: bytes) -> bytes:
    """A header's value; b"" where it is missing, or given twice."""
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else b""


def _credentials(header: bytes) -> bytes:
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return b64decode(encoded.strip(), validate=True)
    except ValueError:
        return b""


def _same(given: bytes, wanted: bytes) -> bool:
    return bool(given) and hmac.compare_digest(given, wanted)
