"""What a worker shares with others, opened before it answers and closed after its last call.

The store of what must outlive it (Redis), the phrases in its agents' voices, and the tasks that
keep both up to date. A worker without it is on its own, as in the demo.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from app.beyond import Beyond
from app.bookkeeping import open_records
from app.dial_book import DialBook
from app.live import open_live
from app.live.fleet import WorkerState
from app.models import openai_text
from app.models.openai_connect import Limits
from app.models.openai_phrase import PhraseFailed, render_phrase
from app.models.ports import SessionConfig
from app.observe.log import event
from app.outgoing.deliverer import Rules
from app.outgoing.endpoints import SecretsOf, secrets_from
from app.outgoing.outgoing import Outgoing, open_outgoing
from app.outgoing.retries import read_schedule
from app.outgoing.store import OutboxError
from app.persona import credentials_of
from app.records.do_not_call import DoNotCall
from app.records.keeper import RecordKeeper
from app.records.retention import sweep_records
from app.server import Worker
from app.settings import Settings
from app.speech.phrase_book import PhraseBook, PhraseKey, Render

logger = logging.getLogger(__name__)

SAMPLE_S = 1.0
"""How often the loop's lag goes into the metrics."""


@asynccontextmanager
async def open_beyond(settings: Settings) -> AsyncIterator[Beyond]:
    """Raises `ValueError` when REDIS_URL is no address of a Redis, or DATABASE_URL none of a
    database."""
    url = settings.redis_url.get_secret_value()
    async with open_live(url, settings.data_dir, worker_id()) as live:
        alone = live.connection.where == "here"
        level = logging.WARNING if alone else logging.INFO
        event(logger, level, "the store is open", note=live.connection.note)
        records = open_records(settings)
        do_not_call = DoNotCall(records.database, settings.data_dir)
        phrases = PhraseBook(settings.data_dir / "phrases", _renderer(settings))
        try:
            async with AsyncExitStack() as stack:
                outgoing = await _open_outgoing(settings, stack)
                dials = DialBook(records.database)
                yield Beyond(live, phrases, outgoing, do_not_call, records, dials)
        finally:
            await records.close()
            await phrases.close()
            await openai_text.close_clients()


@asynccontextmanager
async def in_company(beyond: Beyond, worker: Worker) -> AsyncIterator[None]:
    """While calls are answered: sample the loop's lag, load files that have changed, keep the
    calls' leases, tell the other workers how this one is."""
    switchboard, live = worker.switchboard, beyond.live

    def lost(call_id: str) -> None:
        for call in switchboard.calls:
            if call.call_id == call_id:
                call.carrier_closed("lost", "another worker carries the call")

    def state() -> WorkerState:
        lag_ms = round(worker.lag())
        return WorkerState(len(switchboard), switchboard.max_calls, switchboard.has_room, lag_ms)

    worker.answering.want_phrases()
    tasks = [
        _task(_sample(worker), "metrics"),
        _task(worker.answering.outside.run(), "tools"),
        _task(worker.reloader.run(), "reloader"),
        _task(worker.after.run(), "after calls"),
        _task(worker.texting.run(), "text messages"),
        _task(worker.care.sweep_recordings(), "old recordings"),
        _task(worker.answering.verdicts.run(), "verdicts"),
        _task(worker.orphans.run(), "calls without a worker"),
    ]
    if beyond.records is not None:
        tasks.append(_task(beyond.records.run(), "records"))
        tasks.append(_task(_sweep(beyond.records, worker.settings), "old records"))
    if beyond.records is not None and beyond.do_not_call is not None:
        tasks.append(_task(_flush(beyond.records, beyond.do_not_call), "do not call"))
    if live is not None:
        tasks.append(_task(live.leases.run(lambda: worker.answering.leases, lost), "leases"))
        tasks.append(_task(live.fleet.run(state), "fleet"))
    try:
        yield
    finally:
        await worker.orphans.close()
        await worker.after.close()
        await worker.texting.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await worker.care.lines.written()
        await worker.rest.close()
        await worker.answering.close()


async def _sample(worker: Worker) -> None:
    while True:
        await asyncio.sleep(SAMPLE_S)
        worker.metrics.sample()


async def _sweep(records: RecordKeeper, settings: Settings) -> None:
    await records.ready.wait()
    await sweep_records(records.database, settings.data_dir / "calls", settings.keep_days)


async def _flush(records: RecordKeeper, do_not_call: DoNotCall) -> None:
    await records.ready.wait()
    await do_not_call.run()


def worker_id() -> str:
    """Tells this process from all others, here and on other machines."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


async def _open_outgoing(settings: Settings, stack: AsyncExitStack) -> Outgoing | None:
    """None: the disk does not serve. Calls go on without webhooks, and the log says so."""
    opened = open_outgoing(
        settings.data_dir / "outgoing",
        secrets_of=webhook_secrets(settings),
        rules=Rules(read_schedule(settings.webhook_retry_s)),
    )
    try:
        return await stack.enter_async_context(opened)
    except OutboxError as error:
        event(logger, logging.ERROR, "no webhooks are sent", error=str(error))
        return None


def webhook_secrets(settings: Settings) -> SecretsOf:
    """Secrets of webhooks, by the name of their variable."""
    return secrets_from(os.environ, settings.webhook_secret.get_secret_value())


def _renderer(settings: Settings) -> Render:
    limits = Limits()
    credentials = credentials_of(settings)

    async def render(key: PhraseKey) -> bytes | PhraseFailed:
        config = SessionConfig(model=key.model, voice=key.voice, speed=key.speed)
        return await render_phrase(key.text, config, credentials, limits=limits)

    return render


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_told_if_failed)
    return task


def _told_if_failed(task: asyncio.Task[None]) -> None:
    """A fault of ours: calls go on without what the task did, and the log says so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        fields = {"task": task.get_name()}
        logger.critical("a task beside the calls failed", exc_info=error, extra={"fields": fields})
