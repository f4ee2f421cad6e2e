"""`earshot serve`"""

import signal

import click
import uvloop

from app.cli.configured import configured
from app.cli.failure import told_plainly
from app.observe.log import configure_logging
from app.server import make_worker
from app.server import serve as run_server
from app.settings import SERVING, Settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def command(host: str, port: int) -> None:
    """Answer calls until stopped."""
    with told_plainly():
        settings = configured(*SERVING)
        configure_logging(settings.log_level, settings.log_format, secrets=settings.secrets)
        worker = make_worker(settings)
    _say_where(settings)
    # uvicorn sends itself the signal again when all is closed; then it is as Ctrl+C: no error.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        uvloop.run(run_server(worker, host, port))
    except KeyboardInterrupt:
        return


def _say_where(settings: Settings) -> None:
    """What goes into Twilio's console, and where calls are taken."""
    lines = [
        f"Earshot answers as {settings.agent}.",
        f"  voice webhook (POST)   {settings.url('/twilio/voice')}",
        f"  status callback        {settings.url('/twilio/status')}",
        f"  media stream           {settings.socket_url('/twilio/media')}",
    ]
    if settings.public_url.startswith("http://"):
        lines.append("  PUBLIC_URL is http://: for this machine only, Twilio cannot reach it.")
    for line in lines:
        click.echo(line, err=True)
