"""`earshot campaign work`"""

import asyncio
import signal

import click
import uvloop

from app.cli.campaign_room import now_ms, told
from app.cli.configured import configured
from app.cli.failure import Failure
from app.company import worker_id
from app.dialling_room import DiallingRoom
from app.live import open_live
from app.observe.log import configure_logging
from app.records.database import Database, sql_url
from app.rest_line import RestLine
from app.settings import Settings


@click.command("work")
def work_command() -> None:
    """Dial for all running campaigns until stopped.

    `earshot serve` carries the calls, at the same database and Redis. With PostgreSQL any number of
    these may run, with SQLite one. SIGTERM or Ctrl+C: no new dials; calls go on to their ends.
    """
    with told():
        settings = configured()
        settings.require(*settings.needed_to_place)
        configure_logging(settings.log_level, settings.log_format, secrets=settings.secrets)
        uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    database = Database(sql_url(settings.database_url.get_secret_value(), settings.data_dir))
    rest = RestLine(settings)
    name = worker_id()
    redis = settings.redis_url.get_secret_value()
    async with open_live(redis, settings.data_dir, name) as live:
        if live.connection.where == "here":
            raise Failure(
                "There is no Redis that this shares with `earshot serve`, so nobody counts the "
                "calls. Set REDIS_URL."
            )
        try:
            await database.upgrade()
            room = DiallingRoom(settings, name, live, database, rest, now_ms)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, room.stop)
            click.echo(f"Dialling as {name}. Ctrl+C ends it.", err=True)
            await room.run()
        finally:
            await rest.close()
            await database.close()
