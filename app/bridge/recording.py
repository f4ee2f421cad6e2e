"""Whether a call is being recorded, and by whom: our own recorder, or the carrier's.

What the caller types for a masked entry is in no recording: it is paused from shortly before the
entry is asked for until no key of it can come any more.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from app.bridge.recorder import Recorder
from app.call.generation import Generation
from app.call.keypad import Guard

MARGIN_MS: Final = 400
"""So much before the carrier told of a key its tone may have begun."""
PRIVATE: Final = ("private", "typing")


Note: TypeAlias = Callable[[str], None]
"""Writes something beside the turns of the call's timeline."""


class Recording(Protocol):
    """What a call's bridge tells its recording. Nothing here waits but `close`."""

    def caller(self, ulaw: bytes, end_ms: int) -> None:
        """See `app.bridge.caller_path.Tape`."""
        ...

    def bot(self, generation: Generation, start: int, ulaw: bytes, guess_ms: int) -> None:
        """See `Recorder.bot`."""
        ...

    def marked(self) -> None:
        """The carrier said how far it has played."""
        ...

    def guard(self, guard: Guard, now_ms: int) -> None:
        """What the caller's keys are, as `Keypad.guard` tells; at every step."""
        ...

    def consent(self, granted: bool) -> None:
        """The caller was asked, and answered."""
        ...

    def tick(self, now_ms: int) -> None:
        """Several times a second."""
        ...

    async def close(self) -> None:
        """The stream is over. Raises nothing."""
        ...

    def as_json(self) -> dict[str, object]:
        """For the record."""
        ...


class RecordedCall(Protocol):
    """What a recording must know of its call."""

    def now_ms(self) -> int:
        """The call clock."""
        ...

    def note(self, text: str) -> None:
        """See `Note`."""
        ...

    def keys_unsafe(self) -> None:
        """The recording hears a private entry that goes on: it must be called off."""
        ...


MakeRecording: TypeAlias = Callable[[RecordedCall], Recording]


class OwnRecording:
    """Our own recorder on one stream, begun at once or when the caller consents.

    `begin(from_ms)` makes the recorder. `waits`: for consent.
    """

    def __init__(
        self,
        begin: Callable[[int, Callable[[str], None]], Recorder],
        now_ms: Callable[[], int],
        note: Note,
        *,
        waits: bool = False,
    ) -> None:
        self._begin = begin
        self._now_ms = now_ms
        self._note = note
        self._guard: Guard = "tones"
        self._undecided_from_ms: int | None = None
        self._recorder: Recorder | None = None
        self._refused = False
        if not waits:
            self._start(0)

    def caller(self, ulaw: bytes, end_ms: int) -> None:
        if self._recorder is not None:
            self._recorder.caller(ulaw, end_ms)

    def bot(self, generation: Generation, start: int, ulaw: bytes, guess_ms: int) -> None:
        if self._recorder is not None:
            self._recorder.bot(generation, start, ulaw, guess_ms)

    def marked(self) -> None:
        if self._recorder is not None:
            self._recorder.marked()

    def guard(self, guard: Guard, now_ms: int) -> None:
        if guard == self._guard:
            return
        self._guard = guard
        if guard == "undecided":
            self._undecided_from_ms = now_ms - MARGIN_MS
        if self._recorder is not None:
            self._apply(self._recorder, now_ms)
        if guard != "undecided":
            self._undecided_from_ms = None

    def consent(self, granted: bool) -> None:
        """Given once it holds; withdrawn, the recording ends and what there is stays."""
        if granted and self._recorder is None and not self._refused:
            self._start(self._now_ms())
        elif not granted:
            self._refused = True
            if self._recorder is not None and not self._recorder.paused:
                self._recorder.pause(self._now_ms(), "asked")
                self._note("recording ended: the caller does not want it")

    def tick(self, now_ms: int) -> None:
        if self._recorder is not None:
            self._recorder.tick(now_ms)

    async def close(self) -> None:
        if self._recorder is not None:
            await self._recorder.close()

    def as_json(self) -> dict[str, object]:
        if self._recorder is None:
            return {"by": "own", "file": None, "refused": self._refused}
        return {**self._recorder.as_json(), "refused": self._refused}

    def _start(self, from_ms: int) -> None:
        self._recorder = self._begin(from_ms, self._failed)
        self._note("recording began")
        self._apply(self._recorder, from_ms)

    def _apply(self, recorder: Recorder, now_ms: int) -> None:
        if self._refused:
            return
        if self._guard in PRIVATE and not recorder.paused:
            early_ms = self._undecided_from_ms
            from_ms = max(recorder.from_ms, now_ms - MARGIN_MS) if early_ms is None else early_ms
            recorder.pause(from_ms, "private digits")
            self._note("recording paused: private digits")
        elif self._guard not in PRIVATE and recorder.paused:
            recorder.resume(now_ms)
            self._note("recording resumed")
        recorder.keep_back(self._undecided_from_ms if self._guard == "undecided" else None)

    def _failed(self, what: str) -> None:
        self._note(f"recording ended: {what}")
