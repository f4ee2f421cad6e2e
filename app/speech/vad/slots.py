"""Numbers that are handed out again when they are given back, so that pools stay dense."""


class Slots:
    __slots__ = ("_free", "_used")

    def __init__(self) -> None:
        self._free: list[int] = []
        self._used = 0

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self._used += 1
        return self._used - 1

    def give_back(self, slot: int) -> None:
        self._free.append(slot)
