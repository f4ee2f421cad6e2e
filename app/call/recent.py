"""A mapping that remembers the newest entries only, so that a long call stays small."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    __slots__ = ("_entries", "most")

    def __init__(self, most: int = 64) -> None:
        self.most = most
        """Entries kept; the one that was put first goes first."""
        self._entries: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def get(self, key: str) -> T | None:
        return self._entries.get(key)

    def put(self, key: str, value: T) -> None:
        self._entries[key] = value
        while len(self._entries) > self.most:
            del self._entries[next(iter(self._entries))]

    def pop(self, key: str) -> T | None:
        return self._entries.pop(key, None)

    def items(self) -> list[tuple[str, T]]:
        return list(self._entries.items())
