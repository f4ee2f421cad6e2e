"""Numbers where numbers must not stand: keyed digests, the same in all workers of a deployment."""

import hmac
from collections.abc import Sequence
from typing import Final
from uuid import UUID

_PURPOSE: Final = b"earshot: numbers"


class Digests:
    """`secrets`: those in use, the one that counts first; others while one replaces another.

    Without a secret anybody could try all numbers. Raises `ValueError` when there is none.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("expected at least one secret, and none of them empty")
        self._keys = [hmac.digest(secret.encode(), _PURPOSE, "sha256") for secret in secrets]

    def of(self, number: str) -> str:
        return _digest(self._keys[0], number)

    def all(self, number: str) -> tuple[str, ...]:
        """Under each secret."""
        return tuple(_digest(key, number) for key in self._keys)

    def conversation(self, ours: str, theirs: str) -> str:
        """The id of what two numbers write to each other."""
        return _digest(self._keys[0], f"{ours} {theirs}")


def _digest(key: bytes, text: str) -> str:
    # Written as a UUID: bare digits in a row could be hidden in a log as somebody's number.
    return str(UUID(bytes=hmac.digest(key, text.encode(), "sha256")[:16]))
