"""Has the caller said all? A small text model is asked, for a yes or a no, within a moment.

The caller waits while it is asked, so the answer is worth nothing once the time is up. It is asked
once and never waited for longer; without a verdict the silence decides, as it would have anyway.
"""

import logging
from dataclasses import dataclass
from typing import Final

from app.call.commands import JudgeTurn
from app.call.events import TurnJudged
from app.models.openai_answer import TextFailed
from app.models.openai_connect import Credentials
from app.models.openai_text import Effort, TextResult, write_text

logger = logging.getLogger(__name__)

INSTRUCTIONS: Final = (
    "A telephone agent and a caller speak. The caller has paused. Is what the caller said "
    "complete, so that the agent should answer now? Answer no if the sentence breaks off, ends in "
    "a hesitation, or a number or spelling that was asked for is not whole. Short answers can be "
    "complete. The words come from speech recognition: punctuation means nothing. Answer with one "
    "word, yes or no."
)
MAX_OUTPUT_TOKENS: Final = 16
"""The least that the API takes; the answer is one."""
_LONGEST_CHARS: Final = 600
"""Of the words on either side, the newest: what a turn ends with tells whether it is over."""
_VERDICTS: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks `model`. Raises `ValueError` without a model, or for a time that is none."""

    model: str
    credentials: Credentials
    timeout_s: float = 0.4
    effort: Effort | None = "none"
    """None: for models that do not reason, which refuse the setting."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model: expected a text model's id, got an empty text")
        if self.timeout_s <= 0:
            raise ValueError(f"timeout_s: expected more than 0, got {self.timeout_s}")

    async def judge(self, request: JudgeTurn) -> TurnJudged:
        """The verdict, or none: the model was too slow, refused, or said neither yes nor no.

        Raises nothing but cancellation. Words that nobody said are not sent.
        """
        if not request.text.strip():
            return TurnJudged(request.request_id, None)
        written = await write_text(
            self.model,
            INSTRUCTIONS,
            transcript_of(request),
            self.credentials,
            timeout_s=self.timeout_s,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            effort=self.effort,
            temperature=0.0 if self.effort in (None, "none") else None,
        )
        complete = _verdict_of(written)
        if complete is None:
            _report(written)
        return TurnJudged(request.request_id, complete, written.usage)


def transcript_of(request: JudgeTurn) -> str:
    """What the model reads: the agent's last words, if there are any, and the caller's."""
    lines = [("Agent", request.agent_text), ("Caller", request.text)]
    return "\n".join(f"{who}: {_newest(words)}" for who, words in lines if words.strip())


def _newest(words: str) -> str:
    """On one line, cut in front at a word."""
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_CHARS else line[-_LONGEST_CHARS:].split(" ", 1)[-1]


def _verdict_of(written: TextResult | TextFailed) -> bool | None:
    if isinstance(written, TextFailed):
        return None
    words = written.text.strip().strip("'\"*.!").lower().split()
    return _VERDICTS.get(words[0].rstrip(".,!;:")) if words else None


def _report(written: TextResult | TextFailed) -> None:
    """Why there is no verdict: what no later turn will mend is worth a warning."""
    fields = {"cause": "nonsense", "detail": "neither yes nor no"}
    if isinstance(written, TextFailed):
        fields = {"cause": written.cause, "detail": written.detail}
    level = logging.WARNING if fields["cause"] in ("refused", "empty") else logging.INFO
    logger.log(level, "no verdict on a turn", extra={"fields": fields})
