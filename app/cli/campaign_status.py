"""`earshot campaign status`"""

import asyncio
import time
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from app.campaigns.progress import Progress, look
from app.campaigns.states import CampaignState
from app.cli.campaign_room import now_ms, with_database
from app.cli.campaign_view import plain, view
from app.records.database import Database

_SHARE: Final = 10
"""A look at a large campaign costs the database something: it rests so many times as long."""
_OVER: Final = (CampaignState.STOPPED, CampaignState.COMPLETED)


@click.command("status")
@click.argument("name")
@click.option("--once", is_flag=True, help="Print it and end.")
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.2, 3_600),
    help="Seconds between two looks.",
)
def status_command(name: str, once: bool, every: float) -> None:  # fmt: skip
    """Watch a campaign until it is over or Ctrl-C: pace, answers, abandonment, cost, log.

    Where there is no terminal it is printed once. Times are UTC.
    """
    console = Console()

    async def work(database: Database) -> None:
        seen = await look(database, name, now_ms())
        if not console.is_terminal:
            for line in plain(seen):
                click.echo(line)
        elif once:
            console.print(view(seen, console.width, console.height))
        else:
            await _watch(database, seen, console, every)

    try:
        with_database(work)
    except KeyboardInterrupt:
        return


async def _watch(database: Database, seen: Progress, console: Console, every_s: float) -> None:
    """The last picture stays."""
    with Live(
        view(seen, console.width, console.height), console=console, auto_refresh=False
    ) as live:
        while seen.campaign.state not in _OVER or seen.in_progress:
            began_s = time.monotonic()
            await asyncio.sleep(every_s)
            seen = await look(database, seen.campaign.campaign_id, now_ms())
            live.update(view(seen, console.width, console.height), refresh=True)
            await asyncio.sleep(max(0.0, _rest_s(time.monotonic() - began_s - every_s) - every_s))


def _rest_s(took_s: float) -> float:
    return _SHARE * took_s
