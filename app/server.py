"""The composition root: one worker process from its settings."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from app.after.intake import AfterCalls
from app.aftermath import make_after_calls
from app.answering import Answering
from app.beyond import ALONE, Beyond
from app.bookkeeping import Bookkeeping
from app.bridge.lag import LagGauge
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.switchboard import Fleet, Switchboard
from app.care.desk import CareDesk
from app.console.campaigns import campaign_routes
from app.departments import make_departments, make_desk
from app.desk import Desk
from app.entrances import make_app
from app.files import Files
from app.front_door import Endings, FrontDoor
from app.models.openai_errors import FAULT_KINDS
from app.observe.faults import Faults
from app.observe.metrics import Metrics
from app.openai_sip_orphans import Orphans
from app.persona import Adjust, Revise, as_it_is, as_written
from app.records.database import sql_url
from app.reloading import Reloader
from app.rest_line import RestLine
from app.settings import Settings
from app.texting import Texting

GC_THRESHOLDS = (10_000, 20, 50)
"""Rarer collections than Python's own: media makes many short-lived objects and no cycles."""
MAX_FRAME_BYTES = 128 * 1024
"""A media message is a few hundred bytes; a longer one closes its socket."""
BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than proxies and balancers keep a connection that nobody uses, 60 s by their defaults: if
we close first, a webhook that is sent at that moment fails, and its call with it."""
SHUTDOWN_S = 2
"""Longest wait for answers to be sent and records to be written once the calls have gone."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What one process runs."""

    settings: Settings
    app: ASGIApp
    switchboard: Switchboard
    pacer: Pacer
    lag: LagGauge
    """Measures nothing until it is started."""
    answering: Answering
    metrics: Metrics
    rest: RestLine
    desk: Desk
    reloader: Reloader
    """Looks at no file until it is run."""
    after: AfterCalls
    """Looks for calls that nobody carries any more only while its `run` runs."""
    texting: Texting
    care: CareDesk
    orphans: Orphans
    """Looks for calls without a worker only while its `run` runs."""


def check(settings: Settings, adjust: Adjust = as_it_is, revise: Revise = as_written) -> Files:
    """What keeps a worker from being made, found out before one is.

    Raises `SettingsError`, `DatabaseUrlError`, and what making `Files` raises.
    """
    if settings.when_full == "redirect":
        settings.require("EARSHOT_FULL_REDIRECT_URL")
    if settings.webhook_url:
        settings.require("EARSHOT_WEBHOOK_SECRET")
    sql_url(settings.database_url.get_secret_value(), settings.data_dir)
    return Files(settings, adjust, revise)


def make_worker(
    settings: Settings,
    *,
    observers: Sequence[Observer] = (),
    adjust: Adjust = as_it_is,
    revise: Revise = as_written,
    fleet: Fleet | None = None,
    beyond: Beyond = ALONE,
) -> Worker:
    """Everything that answers calls in one process.

    `adjust` changes every call's settings beyond what the operator can set, such as how long a
    silent model is waited for; `revise` changes the agents. `fleet`: the other workers at the same
    address. `beyond`: what all workers share.
    Raises what `check` raises.
    """
    files = check(settings, adjust, revise)
    live, rest, pacer, lag = beyond.live, RestLine(settings), Pacer(), LagGauge()
    metrics = _metrics(settings, files, pacer)
    departments = make_departments(settings, files, metrics, rest, beyond)
    watching = (*observers, metrics, Faults())
    books = Bookkeeping(beyond.records, files)
    after = make_after_calls(settings, files, beyond, rest, metrics, books)
    calls = Answering(settings, files.personas, pacer, watching, departments, after, books, beyond)
    calls.prepare()
    switchboard = Switchboard(
        settings.max_calls, lag_ms=lag, max_lag_ms=settings.max_lag_ms, fleet=fleet
    )
    endings = Endings(switchboard, live)
    desk = make_desk(files, departments, rest, live, endings.of, settings.from_number)
    front = FrontDoor(settings, files, switchboard, endings, metrics, after)
    orphans = Orphans(live, switchboard)
    return Worker(
        settings=settings,
        app=make_app(
            front, calls, departments, desk, live, orphans, beyond.dials, _api(settings, beyond)
        ),
        switchboard=switchboard,
        pacer=pacer,
        lag=lag,
        answering=calls,
        metrics=metrics,
        rest=rest,
        desk=desk,
        reloader=_reloader(files, metrics, calls, switchboard),
        after=after,
        texting=departments.texting,
        care=departments.care,
        orphans=orphans,
    )


def _api(settings: Settings, beyond: Beyond) -> Sequence[BaseRoute]:
    records = beyond.records
    return [] if records is None else campaign_routes(settings, records.database)


def _metrics(settings: Settings, files: Files, pacer: Pacer) -> Metrics:
    metrics = Metrics(
        prices=files.prices, error_codes=FAULT_KINDS, summary_model=settings.summary_model
    )
    metrics.watch_loop(lambda: pacer.lag_ms, lambda: pacer.worst_lag_ms)
    return metrics


def _reloader(
    files: Files, metrics: Metrics, calls: Answering, switchboard: Switchboard
) -> Reloader:
    def swapped() -> None:
        metrics.new_prices(files.prices)
        calls.prepare()
        calls.want_phrases()

    def looked() -> None:
        calls.let_go(switchboard.calls)

    return Reloader(lambda: files.watched, swapped, looked=looked)


def server_config(worker: Worker, host: str = "", port: int = 0) -> uvicorn.Config:
    """uvicorn, set for media sockets: the quickest WebSocket layer it has, no compression."""
    return uvicorn.Config(
        worker.app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


def make_server(worker: Worker, host: str, port: int) -> uvicorn.Server:
    """A server of its own socket that cuts calls off when it ends, for the demo and tests."""
    return uvicorn.Server(server_config(worker, host, port))


def settle() -> None:
    """Take all that was loaded so far out of the garbage collector's sight, for good.

    A full collection of it would hold up every call of the process for 100 to 300 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
