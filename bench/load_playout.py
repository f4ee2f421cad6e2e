"""A carrier's playout buffer by arithmetic: when what was queued is over, and when it ran dry.

Twilio's rules (Twilio docs: websocket messages): audio is played in the order in which it came;
a mark is echoed when all that was queued before it was played, at once if nothing was; `clear`
empties the buffer and sends every waiting mark back. No ticks: the end of the queue is a time.
Times are seconds of one monotonic clock.
"""

from collections import deque

BYTES_PER_S = 8_000


class PlayoutBuffer:
    """One stream's buffer. `underruns` counts the times at which an answer was left hanging."""

    __slots__ = ("_marks", "dry_at_s", "longest_gap_s", "underruns")

    def __init__(self) -> None:
        self.dry_at_s = 0.0
        """When everything queued so far will have been played, or was."""
        self._marks: deque[tuple[float, str]] = deque()
        self.underruns = 0
        self.longest_gap_s = 0.0
        """The longest pause within an answer."""

    def queue(self, n_bytes: int, now_s: float, *, within_answer: bool) -> None:
        """Take audio. `within_answer`: it goes on with an answer whose beginning was played."""
        if self.dry_at_s < now_s:
            if within_answer:
                self.underruns += 1
                self.longest_gap_s = max(self.longest_gap_s, now_s - self.dry_at_s)
            self.dry_at_s = now_s
        self.dry_at_s += n_bytes / BYTES_PER_S

    def mark(self, name: str) -> None:
        self._marks.append((self.dry_at_s, name))

    def due_marks(self, now_s: float) -> list[str]:
        """The marks that were reached by now, in order; each is returned once."""
        due = []
        while self._marks and self._marks[0][0] <= now_s:
            due.append(self._marks.popleft()[1])
        return due

    def clear(self, now_s: float) -> list[str]:
        """Forget what was not played; returns the marks that come back for it."""
        flushed = [name for _, name in self._marks]
        self._marks.clear()
        self.dry_at_s = min(self.dry_at_s, now_s)
        return flushed
