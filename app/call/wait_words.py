"""While a slow tool runs and nobody is heard, the agent says a line: "Let me look that up."

It is said once for each run, in the agent's voice, if it is at hand as a phrase. The sound that
tool_sound.py plays may follow. Never while the caller speaks. An agent that was handed the call
does not say the words of the one before it.
"""

from app.call.commands import Command, PlayPhrase
from app.call.events import PhraseStored
from app.call.machines import Machines
from app.call.phrases import say_phrase


class WaitWords:
    """One per call. Times are call-clock milliseconds."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._after_ms = machines.settings.wait_words_after_ms
        self._waits_since_ms: int | None = None
        self._told: set[str] = set()
        """Runs for which a line was said or asked for."""
        self._asked = ""
        """The line that is being fetched."""
        self._said = 0

    @property
    def due_ms(self) -> int | None:
        """When `look` has a line to say though nothing happens."""
        return None if self._waits_since_ms is None else self._waits_since_ms + self._after_ms

    def look(self, now_ms: int, *, silent: bool) -> list[Command]:
        """After each step. `silent`: nobody is heard or about to be."""
        words = self._due_words() if silent else ""
        if not words:
            self._waits_since_ms = None
            return []
        if self._waits_since_ms is None:
            self._waits_since_ms = now_ms
        if now_ms < self._waits_since_ms + self._after_ms:
            return []
        self._told.update(self._m.tools.all_at_work)
        self._waits_since_ms, self._asked = None, words
        return [PlayPhrase(words)]

    def _due_words(self) -> str:
        """Of the tool that has run longest, if no line was said for it."""
        speaker = self._m.handover.speaker
        for call_id, tool in self._m.tools.all_at_work.items():
            if tool.wait_words and tool.agent == speaker and call_id not in self._told:
                return tool.wait_words
        return ""

    def phrase_stored(
        self, event: PhraseStored, now_ms: int, *, silent: bool
    ) -> list[Command] | None:
        """None: it is none of ours."""
        if not self._asked or event.text != self._asked:
            return None
        self._asked = ""
        if not event.n_bytes or not silent or not self._m.tools.at_work:
            return []
        self._said += 1
        return say_phrase(self._m, self._m.own_id("wait", self._said), event, now_ms)
