"""After-call work as the settings and agents want it: the text model, the ledger, the webhooks."""

from functools import partial
from pathlib import Path

from app.after.epilogue import Epilogue
from app.after.extraction import Extracted, Extractor, Write
from app.after.intake import AfterCalls
from app.after.ledger_here import LedgerHere
from app.after.ports import CarrierSays, Ledger
from app.after.targets import targets_of
from app.agents import AgentError
from app.agents.after_table import AfterCall
from app.beyond import Beyond
from app.bookkeeping import Bookkeeping
from app.call.prices import Prices
from app.carriers.twilio.errors import TwilioError
from app.carriers.twilio.progress import ENDED_STATES
from app.files import Files
from app.models import openai_text
from app.observe.metrics import Metrics
from app.outgoing.endpoints import Targets
from app.persona import credentials_of
from app.rest_line import RestLine
from app.settings import Settings


def make_after_calls(
    settings: Settings,
    files: Files,
    beyond: Beyond,
    rest: RestLine,
    metrics: Metrics,
    books: Bookkeeping,
) -> AfterCalls:
    """`rest`: asked about calls that nobody carries."""

    def table_of(agent: str) -> AfterCall | None:
        try:
            return files.personas.get(agent).agent.after_call
        except (AgentError, ValueError):
            return None

    def prices_of(model: str) -> Prices | None:
        return files.prices.prices_for(model)  # asked each time: the file may have changed

    def targets(agent: str) -> Targets:
        return targets_of(table_of(agent), settings.webhook_url)

    def wants(agent: str) -> bool:
        return table_of(agent) is not None or bool(settings.webhook_url and beyond.outgoing)

    def watched(extracted: Extracted, seconds: float) -> None:
        metrics.after.extracted(extracted.status, extracted.asked, seconds)
        if extracted.asked:
            metrics.spent(extracted.model, extracted.usage)

    if beyond.outgoing is not None:
        beyond.outgoing.targets_of = targets
        beyond.outgoing.watched_by(metrics.webhooks)
    ledger: Ledger = LedgerHere() if beyond.live is None else beyond.live.after_calls
    return AfterCalls(
        ledger,
        Epilogue(
            table_of=table_of,
            extractor=Extractor(_writer(settings), prices_of),
            model=settings.after_call_model,
            tell=None if beyond.outgoing is None else beyond.outgoing.accept,
            data_dir=_data_dir(settings),
            watched=watched,
            write=books.write_after,
        ),
        wants,
        carrier_says=_twilio_says(rest),
    )


def _writer(settings: Settings) -> Write:
    credentials = credentials_of(settings, settings.after_call_base_url)
    return partial(openai_text.write_text, credentials=credentials)


def _data_dir(settings: Settings) -> Path | None:
    """Who keeps no files of calls keeps none of this."""
    return settings.data_dir if settings.record_events else None


def _twilio_says(rest: RestLine) -> CarrierSays:
    async def over(call_id: str) -> bool | None:
        try:
            twilio = await rest()
            if twilio is None:
                return None
            status = (await twilio.fetch_call(call_id)).status
        except (TwilioError, ValueError):
            return None
        return status in ENDED_STATES

    return over
