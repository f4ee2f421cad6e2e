"""Keys that the caller presses, gathered until a pause and told to the model as one entry."""


class Keypad:
    __slots__ = ("_keys", "due_ms", "pause_ms")

    def __init__(self, pause_ms: int) -> None:
        self.pause_ms = pause_ms
        """Keys pressed closer together than this are one entry."""
        self.due_ms: int | None = None
        """When the entry is complete, on the call clock."""
        self._keys = ""

    @property
    def busy(self) -> bool:
        return self.due_ms is not None

    def press(self, digit: str, now_ms: int) -> None:
        self._keys += digit
        self.due_ms = now_ms + self.pause_ms

    def take(self, now_ms: int) -> str:
        """The complete entry, or "" while there is none."""
        if self.due_ms is None or now_ms < self.due_ms:
            return ""
        keys, self._keys, self.due_ms = self._keys, "", None
        return keys
