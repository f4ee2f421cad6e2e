"""Keys that the caller presses: one entry until a pause, or a collection that was asked for.

    free --collect--> collecting --complete, cancelled, no tries left--> free
    collecting --a try failed and others are left--> collecting

Free keys are told to the model as one entry after a pause (`take`). A collection has a length, an
end key, times and tries, and the model is told its result only (`take_collected`). Keys pressed
just before a collection begins belong to it: callers press before they are asked to the end.
What follows a collection without a pause belongs to it too: the end key after the last digit is
dropped, and so is every key after a masked entry, because the rest of a card number that was
broken off is as private as its beginning. Keys that come soon after a masked collection for which
no key was pressed are free, but hidden: a caller who was slow, or spoke first, types the PIN now.

A key that is hidden is written down as `MASK` everywhere (`shown`). Keys that belong to a masked
collection although they were pressed before it may be written down already: `take_to_hide` tells
them. A call that is replayed from its record presses `MASK` again, which counts as a key that is
allowed, so it goes as it went.

A stream of a call that comes back begins in `doubt`: the one before may have broken in the middle
of a private entry, whose rest is hidden as if that were known.
"""

from typing import Final, Literal, TypeAlias

from app.call.earliest import earliest
from app.call.key_entry import MASK, Collect, KeyEntry, Reason

__all__ = ["Collect", "Guard", "KeyEntry", "Keypad"]

DOUBT_MS: Final = 15_000
"""How long keys are hidden after a stream broke in which a private number may have been typed."""

Guard: TypeAlias = Literal["none", "tones", "undecided", "private", "typing"]
"""What of the caller's voice may be passed on, because of keys: all of it, while an entry goes on
that is not private; all but tones; the same, while keys were pressed that may come to be private;
the same, while a private entry is awaited or has just ended; nothing, while one is typed."""


class Keypad:
    """One per call. Times are call-clock milliseconds."""

    __slots__ = (
        "_asking",
        "_collecting",
        "_done",
        "_ended",
        "_first_due_ms",
        "_free",
        "_free_due_ms",
        "_free_hidden",
        "_free_rest",
        "_free_run",
        "_last_ms",
        "_late",
        "_late_until_ms",
        "_to_hide",
        "_tries_left",
        "_typed",
        "pause_ms",
        "shown",
        "taken",
    )

    def __init__(self, pause_ms: int) -> None:
        self.pause_ms = pause_ms
        """Free keys pressed closer together than this are one entry."""
        self._free = ""
        """Keys pressed outside of collections ..."""
        self._free_due_ms: int | None = None
        """... and when they are complete."""
        self._free_run = 0
        """How many of them were pressed one after the other, up to now."""
        self._free_hidden = False
        """They may be what a masked collection had asked for."""
        self._free_rest = False
        """They followed a collection without a pause: the rest of what was typed for it."""
        self._collecting: Collect | None = None
        self._typed = ""
        """Keys of the try that goes on."""
        self._last_ms = 0
        """When the last key was pressed."""
        self._first_due_ms = 0
        """When a try without a key has taken too long, unless the caller is still being asked."""
        self._asking = False
        self._tries_left = 0
        self._done: list[tuple[int, KeyEntry]] = []
        """Tries that ended, and when."""
        self._ended: Collect | None = None
        """The collection that ended last, while keys may still belong to it."""
        self._late: Collect | None = None
        """A masked collection that ended without a key, while its keys may still come."""
        self._late_until_ms = 0
        self._to_hide: tuple[str, ...] = ()
        self.shown = ""
        """The key that was pressed last, as it may be written down."""
        self.taken: tuple[int, str] | None = None
        """When the newest free entry was taken, and what it was, for whoever looks on. "" where it
        was the rest of a collection."""

    @property
    def busy(self) -> bool:
        """Keys are being gathered, or an entry waits to be taken."""
        return self.collecting or bool(self._done) or self._free_due_ms is not None

    @property
    def collecting(self) -> bool:
        return self._collecting is not None

    @property
    def masked(self) -> bool:
        """A key pressed now must not be written down anywhere."""
        private = self._private
        return private is not None and private.masked

    @property
    def typing(self) -> bool:
        """A key of the try that goes on was pressed."""
        return bool(self._typed)

    @property
    def undecided(self) -> bool:
        """Free keys were pressed that may come to belong to a collection."""
        return self._free_due_ms is not None

    def guard(self, now_ms: int) -> Guard:
        """See `Guard`. Changes nothing, so it may be asked at any time."""
        entry = self._collecting
        if entry is not None:
            if not entry.masked:
                return "none"
            return "typing" if self._typed else "private"
        if self._free_due_ms is not None and self._free_hidden:
            return "typing"
        ended = self._ended
        if ended is not None and now_ms - self._last_ms < ended.inter_digit_ms:
            return "private" if ended.masked else "none"
        if self._late is not None and now_ms < self._late_until_ms:
            return "private"
        return "tones" if self._free_due_ms is None else "undecided"

    @property
    def due_ms(self) -> int | None:
        """When `take` or `take_collected` has something to give."""
        done_ms = [at_ms for at_ms, _ in self._done] if self._done else ()
        return earliest((self._free_due_ms, self._try_due_ms, *done_ms))

    # Keys

    def press(self, digit: str, now_ms: int) -> bool:
        """False for a key that means nothing any more. See `shown` afterwards."""
        self._settle(now_ms)
        self.shown = _shown(digit, self._private)
        dropped = self._belongs_to_ended(digit)
        self._last_ms = now_ms
        if dropped:
            return False
        rest, self._ended = self._ended is not None, None
        if self._collecting is None:
            paused = self._free_due_ms is None or now_ms >= self._free_due_ms
            self._free_run = 1 if paused else self._free_run + 1
            self._free += digit
            self._free_due_ms = now_ms + self.pause_ms
            self._free_hidden = self._free_hidden or self._late is not None
            self._free_rest = self._free_rest or rest
        else:
            self._type(digit, self._collecting, now_ms)
        return True

    def take_to_hide(self) -> tuple[str, ...]:
        """The newest keys, oldest first, as they should have been written down; once."""
        keys, self._to_hide = self._to_hide, ()
        return keys

    def take(self, now_ms: int) -> str:
        """The complete free entry, or "" while there is none. `MASK` stands for a hidden key."""
        if self._free_due_ms is None or now_ms < self._free_due_ms:
            return ""
        hidden, rest = self._free_hidden, self._free_rest
        keys = self._take_free(len(self._free))
        shown = "".join(MASK if hidden and key.isdigit() else key for key in keys)
        self.taken = (now_ms, "" if rest else shown)
        return shown

    # Collections

    def collect(self, settings: Collect, now_ms: int) -> None:
        """Begin a collection. One that goes on is cancelled."""
        self.cancel(now_ms)
        self._collecting, self._ended, self._late = settings, None, None
        self._tries_left = settings.retries
        self._asking = False
        self._first_due_ms = now_ms + settings.first_digit_ms
        if self._free_due_ms is not None and now_ms < self._free_due_ms:
            self._adopt(settings)

    def _adopt(self, settings: Collect) -> None:
        """Hidden keys are not for a collection that would show them."""
        hidden = self._free_hidden
        keys = self._take_free(self._free_run)
        if hidden and not settings.masked:
            return
        if settings.masked and not hidden:
            self._to_hide = tuple(_shown(key, settings) for key in keys)
        for key in keys:
            self.press(key, self._last_ms)

    def doubt(self, now_ms: int) -> None:
        """What is pressed soon may be the rest of a private entry that is not known here."""
        self._late = Collect(masked=True, to_model="masked")
        self._late_until_ms = now_ms + DOUBT_MS

    def question(self, now_ms: int, *, playing: bool) -> None:
        """Tell after every step whether the caller is still being asked: the first key is waited
        for from the end of the question on."""
        if self._asking and not playing and self._collecting is not None:
            self._first_due_ms = now_ms + self._collecting.first_digit_ms
        self._asking = playing

    def cancel(self, now_ms: int) -> None:
        """The caller speaks instead, or the collection is no longer wanted."""
        self._settle(now_ms)
        if self._collecting is not None:
            self._end_try("cancelled", self._collecting, now_ms)

    def take_collected(self, now_ms: int) -> KeyEntry | None:
        """What came of a try, once; None while there is nothing new. While it has tries left the
        collection goes on and the caller must be asked again. Of each collection one entry has
        none left: its last."""
        self._settle(now_ms)
        return self._done.pop(0)[1] if self._done else None

    def _type(self, digit: str, settings: Collect, now_ms: int) -> None:
        if digit == settings.terminator:
            self._end_try("terminator", settings, now_ms)
            return
        self._typed += digit
        if len(self._typed) == settings.max_digits:
            self._end_try("length", settings, now_ms)

    def _take_free(self, newest: int) -> str:
        """The newest so many. Older ones wait on, to be told."""
        older = len(self._free) - newest
        keys, self._free, self._free_run = self._free[older:], self._free[:older], 0
        if not self._free:
            self._free_due_ms, self._free_hidden, self._free_rest = None, False, False
        return keys

    @property
    def _private(self) -> Collect | None:
        """What a key that is pressed now belongs to, or may."""
        return self._collecting or self._ended or self._late

    @property
    def _try_due_ms(self) -> int | None:
        """When the try that goes on ends by itself."""
        if self._collecting is None:
            return None
        if self._typed:
            return self._last_ms + self._collecting.inter_digit_ms
        return None if self._asking else self._first_due_ms

    def _settle(self, now_ms: int) -> None:
        """What the time ends has ended, however late that is noticed."""
        due_ms = self._try_due_ms
        if self._collecting is not None and due_ms is not None and now_ms >= due_ms:
            self._end_try("pause" if self._typed else "no_input", self._collecting, now_ms)
        if self._ended is not None and now_ms - self._last_ms >= self._ended.inter_digit_ms:
            self._ended = None
        if self._late is not None and now_ms >= self._late_until_ms:
            self._late = None

    def _end_try(self, reason: Reason, settings: Collect, now_ms: int) -> None:
        keys, self._typed = self._typed, ""
        verdict = settings.verdict(keys, reason)
        complete = verdict in ("length", "terminator", "pause")
        left = 0 if complete or reason == "cancelled" else self._tries_left
        entry = KeyEntry(keys, complete, verdict, left, settings.masked, settings.to_model)
        self._done.append((now_ms, entry))
        self._tries_left = left - 1
        self._first_due_ms = now_ms + settings.first_digit_ms
        if not left:
            self._collecting = None
            self._ended = settings if keys or reason == "terminator" else None
            self._late = settings if settings.masked and self._ended is None else None
            self._late_until_ms = now_ms + settings.first_digit_ms

    def _belongs_to_ended(self, digit: str) -> bool:
        ended = self._ended
        return ended is not None and (ended.masked or digit == ended.terminator)


def _shown(digit: str, private: Collect | None) -> str:
    hidden = private is not None and private.masked and digit in private.allowed
    return MASK if hidden else digit
