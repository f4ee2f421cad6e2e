"""What the caller says across a change of legs.

What the caller is saying is heard by the next leg from its first byte. Of a turn that ended before,
which is told as words or as its audio, it hears nothing again. A leg that finds the speech that it
was handed tells of it as if it began now; one that finds none in time ends the caller's turn.
"""

from app.call.events import SpeechStarted, SpeechStopped
from app.call.history import History
from app.call.scribe import Scribe

WORDS_WAIT_MS = 2_500
"""How long a change waits for the words of the caller's last turn."""
CARRIED_WAIT_MS = 2_000
"""Longest wait until a new leg has found the speech that it was handed."""


class CarriedSpeech:
    """One per call; `history` is only read."""

    def __init__(self, history: History, scribe: Scribe, *, finds_speech: bool) -> None:
        """`finds_speech`: a leg tells of the speech that it is handed."""
        self._history = history
        self._scribe = scribe
        self._finds_speech = finds_speech
        self._speech: SpeechStarted | None = None
        """What the caller is saying."""
        self._heard_ms = 0
        """Up to here on the caller axis the caller's turns are told or answered."""
        self._heard_at_ms = 0
        self.due_ms: int | None = None
        """Speech was handed to a new leg, which should have found it by then."""

    @property
    def speaking(self) -> bool:
        return self._speech is not None

    def started(self, event: SpeechStarted) -> bool:
        """False if this is the speech that the leg was handed: the caller began it long ago."""
        before, self._speech = self._speech, event
        if self.due_ms is None or before is None:
            return True
        self.due_ms = None
        self._scribe.carried(before.item_id, event.item_id)
        return False

    def stopped(self, event: SpeechStopped, now_ms: int) -> int | None:
        """How long it lasted; None: its beginning is not known."""
        speech, self._speech = self._speech, None
        self._heard_ms, self._heard_at_ms = event.audio_end_ms, now_ms
        return None if speech is None else event.audio_end_ms - speech.audio_start_ms

    def words_known(self, now_ms: int) -> bool:
        """A change need not wait for the words of the caller's last turn, or no longer."""
        return not self._history.words_awaited or now_ms - self._heard_at_ms > WORDS_WAIT_MS

    def hand_over(self, now_ms: int) -> int:
        """Another leg takes over. From where on the caller axis it hears the caller."""
        if self._speech is None:
            return self._heard_ms
        if self._finds_speech:
            self.due_ms = now_ms + CARRIED_WAIT_MS
        return self._speech.audio_start_ms

    def let_go(self) -> None:
        """The leg is gone: it finds nothing any more."""
        self.due_ms = None

    def not_found(self, now_ms: int) -> bool:
        """True once when the new leg found no speech in what it was handed: it is over."""
        if self.due_ms is None or now_ms < self.due_ms:
            return False
        self.due_ms = self._speech = None
        return True

    @property
    def needed_from_ms(self) -> int | None:
        """From where on the caller axis audio may still be asked for: what is being said, and
        turns whose words are not known. None: only the newest quiet."""
        needed = [self._speech.audio_start_ms] if self._speech is not None else []
        needed += self._history.wordless_from_ms
        return min(needed, default=None)
