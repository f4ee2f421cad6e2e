"""Short secrets of ours that a carrier carries for us: sealed, so that nobody else reads or makes
one.

What travels in a URL ends up in the logs of proxies, what travels in a `<Parameter>` in Twilio's
console, and what travels in a channel's variable in the PBX's own log. So it is enciphered as well
as signed, with what the standard library has: the MAC of the text is also the start of its key
stream (the "synthetic IV" of RFC 5297, with HMAC as the pseudo-random function). The same text
sealed twice looks the same; nothing else shows. Keys are derived from what all workers know, such
as the account's auth token, each for one purpose, so that any worker opens what another one sealed.
"""

import hmac
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

_TAG_BYTES: Final = 16
_MOST_BYTES: Final = 16_384
"""Longest text that is opened; one of ours is far shorter."""


class Seals:
    """`secrets`: the first one seals, any one opens. `purpose`: what is sealed, so that no text
    passes for one of another kind."""

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        if not secrets or not all(secrets):
            raise ValueError("expected at least one secret to seal with, and none of them empty")
        self._keys = tuple(
            (_derived(one, f"earshot {purpose}, mac"), _derived(one, f"earshot {purpose}, key"))
            for one in secrets
        )

    def seal(self, text: bytes, bound_to: str) -> str:
        """Letters, digits, "-" and "_" that `open` turns back, for the same `bound_to` only."""
        mac_key, stream_key = self._keys[0]
        packed = zlib.compress(text, 9)
        tag = _tag(mac_key, packed, bound_to)
        sealed = tag + _crypted(stream_key, tag, packed)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def open(self, sealed: str, bound_to: str) -> bytes | None:
        """None for what we did not seal, or sealed for something else."""
        raw = _decoded(sealed)
        if raw is None:
            return None
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        for mac_key, stream_key in self._keys:
            packed = _crypted(stream_key, tag, body)
            if hmac.compare_digest(_tag(mac_key, packed, bound_to), tag):
                return zlib.decompressobj().decompress(packed, _MOST_BYTES)
        return None


def _decoded(text: str) -> bytes | None:
    if not text.isascii() or len(text) > _MOST_BYTES:
        return None
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None


def _crypted(key: bytes, tag: bytes, text: bytes) -> bytes:
    """`text` with the key stream that begins at `tag` laid over it; twice is not at all."""
    blocks = range(0, len(text), sha256().digest_size)
    stream = b"".join(hmac.digest(key, tag + at.to_bytes(4), sha256) for at in blocks)
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _tag(key: bytes, packed: bytes, bound_to: str) -> bytes:
    bound = bound_to.encode()
    return hmac.digest(key, len(bound).to_bytes(4) + bound + packed, sha256)[:_TAG_BYTES]


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), purpose.encode(), sha256)
