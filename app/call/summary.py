"""What a leg hands to the next one in words: the request for a summary, and how it is passed on.

The summary is one JSON object, so that names and numbers stand in it verbatim and a later summary
can carry them over. A model that writes something else is not corrected: its text is passed on.
"""

import json
from collections.abc import Mapping
from typing import Literal

from app.call.commands import Summarise
from app.call.events import SummaryWritten
from app.call.history import History, as_text

KEYS: Mapping[str, str] = {
    "who": "who the caller is and what they want, in one sentence",
    "agreed": "list: what was agreed or promised, by whom",
    "facts": "list: every name, number, date, time, address and code, exactly as it was said",
    "open": "list: questions that still wait for an answer, and what was about to happen next",
    "tools": "list: results of tools that still matter, with their codes and figures",
    "language": "the language that the caller speaks",
    "tone": "how the caller feels, in a few words",
}
MOST_CHARS = 12_000
"""Of a summary; some 3,000 tokens, more than a model is allowed to write. A longer one is cut."""

IN_PROGRESS = """\
# The call is in progress
You have been speaking with this caller already, on this same call. Do not greet them or introduce
yourself again, and never mention a summary, a session or a change of line. What follows is what
you remember of the call; go on where it stands. A line of yours that ends with [interrupted] was
heard up to there and no further; the mark itself is never spoken."""

CUT_OFF_BY_THE_LINE = (
    "The connection was interrupted for a moment and is back. Say so in one short phrase, such as "
    '"Sorry, we were cut off for a second.", and then go on: answer what the caller said last if '
    "it was not answered, else finish what you were saying. Do not greet the caller again."
)
"""For the first answer after a worker died."""

GO_ON = (
    "You were cut off in the middle of your answer. The caller has heard your last words as they "
    "stand in the conversation. Continue from there, without greeting and without starting over; "
    "if a sentence broke off, say that sentence again."
)
"""For the first answer after a model was lost while it spoke."""


def request(earlier: str) -> str:
    """Instructions that make a model write the summary. `earlier`: the summary so far, or ""."""
    keys = "\n".join(f'- "{key}": {meaning}' for key, meaning in KEYS.items())
    text = (
        "Do not speak to the caller now. Write a summary of this phone call so far for the "
        "colleague who takes it over this second. Answer with one JSON object and nothing else. "
        f"Its keys:\n{keys}\n"
        "Write what was said, do not guess. Be brief, but leave out no fact: what is not in the "
        "summary is forgotten."
    )
    if not earlier:
        return text
    return (
        f"{text}\nThis summary was written earlier in the call. Keep everything of it that still "
        f"holds, above all its facts, word for word:\n{earlier}"
    )


def tidied(text: str) -> str:
    """A model's summary as it is kept: compact JSON, or the text itself if it is no object."""
    start, end = text.find("{"), text.rfind("}")
    try:
        written = json.loads(text[start : end + 1]) if 0 <= start < end else None
    except ValueError:
        written = None
    if isinstance(written, dict):
        full = {str(key): value for key, value in written.items() if value}
        text = json.dumps(full, ensure_ascii=False)
    return text.strip()[:MOST_CHARS]


def context(summary: str, *, in_progress: bool) -> str:
    """What a session must know beyond the agent's instructions; "" for a call's first one."""
    if not in_progress:
        return ""
    if not summary:
        return IN_PROGRESS
    return f"{IN_PROGRESS}\n\nSummary of the call up to the lines of the conversation:\n{summary}"


class Summaries:
    """One per call. One summary is awaited at a time: the newest that was asked for."""

    def __init__(self, history: History, by: Literal["session", "text_model"]) -> None:
        """`by`: who writes them."""
        self._history = history
        self._by = by
        self._count = 0
        self.awaited = ""
        """The request of the one that is awaited; "": none is."""
        self._covers = 0
        """How much of the log the newest one stands for, or will."""

    @property
    def uncovered(self) -> int:
        """So many entries of the log came after the newest one was asked for."""
        return len(self._history.log) - self._covers

    def ask(self) -> Summarise:
        self._count += 1
        self.awaited, self._covers = f"summary-{self._count}", len(self._history.log)
        instructions = request(self._history.summary)
        conversation = ""
        if self._by == "text_model":
            conversation = as_text(self._history.entries(keep=0, most=self._covers))
        return Summarise(self.awaited, self._by, instructions, conversation)

    def take(self, event: SummaryWritten) -> bool | None:
        """Put it in the history. False: nothing was written. None: it is not the awaited one."""
        if event.request_id != self.awaited:
            return None
        self.awaited = ""
        text = tidied(event.text)
        if text:
            self._history.summarised(text, self._covers)
        return bool(text)

    def give_up(self) -> None:
        """Who was to write it is gone."""
        self.awaited = ""
