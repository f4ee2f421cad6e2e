"""Carries out what `Keypad.guard` says, wherever a call's sound goes."""

from app.bridge.caller_path import CallerPath
from app.bridge.recording import MARGIN_MS, PRIVATE, Recording
from app.call.keypad import Guard, Keypad


class KeyGuard:
    """One per call whose agent may ask for keys."""

    def __init__(self, keypad: Keypad, caller: CallerPath, recording: Recording | None) -> None:
        self._keypad = keypad
        self._caller = caller
        self._recording = recording
        self._guard: Guard = "tones"
        self._undecided_ms = 0

    def look(self, now_ms: int) -> None:
        """After every step, and now and then: time alone ends some of it."""
        guard = self._keypad.guard(now_ms)
        if guard == self._guard:
            return
        before, self._guard = self._guard, guard
        self._caller.guard(guard)
        if guard == "undecided":
            self._undecided_ms = now_ms
        elif guard in PRIVATE and before not in PRIVATE:
            # Keys may belong to it that were pressed when nobody could know it, or whose message
            # is still on its way.
            keys_ms = now_ms - self._undecided_ms if before == "undecided" else 0
            self._caller.hush(keys_ms + MARGIN_MS)
        if self._recording is not None:
            self._recording.guard(guard, now_ms)
