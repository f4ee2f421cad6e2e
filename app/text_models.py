"""The text models that are asked beside a call: for summaries, and whether a turn is complete."""

import logging

from app.bridge.ports import TurnJudge
from app.call.commands import Summarise
from app.call.events import SummaryWritten
from app.models import openai_text
from app.models.openai_answer import TextFailed
from app.models.openai_judge import Judge
from app.observe.log import event
from app.persona import credentials_of
from app.settings import Settings

logger = logging.getLogger(__name__)

SUMMARY_S = 5.0
"""Longest wait for a text model's summary."""
SUMMARY_TOKENS = 1_000


class TextModels:
    """One for a worker."""

    def __init__(self, settings: Settings) -> None:
        self._model = settings.summary_model
        self._credentials = credentials_of(settings, settings.summary_base_url)
        self._judge = _judge(settings)

    def prepare(self) -> None:
        """Do before the first call what would hold up the event loop in one."""
        if self._model:
            openai_text.prepare(self._credentials)
        if self._judge is not None:
            openai_text.prepare(self._judge.credentials)

    @property
    def judge(self) -> TurnJudge | None:
        """Whoever is asked whether a turn is complete; None: nobody."""
        return None if self._judge is None else self._judge.judge

    async def summarise(self, request: Summarise) -> SummaryWritten:
        """See `app.bridge.ports.Summariser`."""
        written = await openai_text.write_text(
            self._model,
            request.instructions,
            request.conversation,
            self._credentials,
            timeout_s=SUMMARY_S,
            max_output_tokens=SUMMARY_TOKENS,
        )
        if isinstance(written, TextFailed):
            cause, detail = written.cause, written.detail
            event(logger, logging.WARNING, "no summary", cause=cause, detail=detail)
            return SummaryWritten(request.request_id, "", written.usage)
        return SummaryWritten(request.request_id, written.text, written.usage)


def _judge(settings: Settings) -> Judge | None:
    if not settings.judge_model:
        return None
    return Judge(
        settings.judge_model,
        credentials_of(settings, settings.judge_base_url),
        timeout_s=settings.judge_timeout_s,
        effort="none" if settings.judge_reasons else None,
    )
