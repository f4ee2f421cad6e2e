"""`earshot block`"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import click

from app.care.callers import Caller, caller_of
from app.cli.columns import aligned
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.company import worker_id
from app.live import Live, open_live
from app.live.asking import RedisAwayError
from app.live.blocks import Block
from app.policy.decisions import masked
from app.settings import Settings

HOUR_S = 3_600
FLUSH_S = 2.0
_ADDRESS: Final = re.compile(r"\+[0-9]{7,15}|sip:[^@\s]+@[^@\s]+")


@click.command("block")
@click.argument("what")
@click.argument("number", default="")
@click.option("--hours", type=click.FloatRange(0, 8_760), default=24.0, show_default=True)
@click.option("--reason", default="", help="Why, for the list.")
def command(what: str, number: str, hours: float, reason: str) -> None:
    """Block a caller for a while, on all workers.

    \b
    earshot block +15550100001            for --hours; 0: until it is removed
    earshot block remove +15550100001
    earshot block list

    What is kept is a digest of the number and its last two digits. For lists and beginnings of
    numbers there is the file of EARSHOT_BLOCKED.
    """
    if number and what != "remove":
        raise click.UsageError(f"Got one word too many: {number!r}. Numbers take no blanks.")
    with told_plainly():
        if what == "list":
            click.echo(asyncio.run(_list(configured())))
        elif what == "remove":
            caller = _caller(number)
            click.echo(asyncio.run(_remove(configured(), caller)))
        else:
            caller = _caller(what)
            click.echo(asyncio.run(_block(configured(), caller, hours, reason)))


def _caller(text: str) -> Caller:
    caller = caller_of(text)
    if not _ADDRESS.fullmatch(caller.address):
        got = f"got {text!r}" if text else "got nothing"
        raise Failure(f"Expected list, remove, a number like +15550100001 or sip:user@host; {got}.")
    return caller


async def _block(settings: Settings, caller: Caller, hours: float, reason: str) -> str:
    async with _live(settings) as live:
        until_s = time.time() + hours * HOUR_S if hours else 0.0
        shown = masked(caller.address)
        live.blocks.add(caller.digest, Block(shown, until_s, reason, "operator"))
        await live.outbox.flushed(FLUSH_S)
        try:
            kept = await live.blocks.all()
        except RedisAwayError as error:
            raise Failure(f"{shown} is not blocked: {error}") from error
        if caller.digest not in kept:
            raise Failure(f"{shown} is not blocked: Redis did not keep it.")
    return f"{shown} is blocked {_until(until_s)}"


async def _remove(settings: Settings, caller: Caller) -> str:
    async with _live(settings) as live:
        try:
            removed = await live.blocks.remove(caller.digest)
        except RedisAwayError as error:
            raise Failure(f"It could not be removed: {error}") from error
    return f"{masked(caller.address)} {'is not blocked any more' if removed else 'was not blocked'}"


async def _list(settings: Settings) -> str:
    async with _live(settings) as live:
        try:
            blocks = await live.blocks.all()
        except RedisAwayError as error:
            raise Failure(f"They could not be read: {error}") from error
    rows = [
        (block.shown, _until(block.until_s), f"by {block.by}", block.reason)
        for block in sorted(blocks.values(), key=lambda block: block.until_s)
    ]
    return "\n".join(aligned(rows)) or "nobody is blocked"


@asynccontextmanager
async def _live(settings: Settings) -> AsyncIterator[Live]:
    """A store that other processes see. Raises `Failure` where there is only this one's memory."""
    url = settings.redis_url.get_secret_value()
    async with open_live(url, settings.data_dir, worker_id()) as live:
        if live.connection.where == "here":
            raise Failure(
                "There is no Redis that workers share. Set REDIS_URL, or write the number into the "
                "file of EARSHOT_BLOCKED."
            )
        yield live


def _until(until_s: float) -> str:
    if not until_s:
        return "until it is removed"
    return f"until {datetime.fromtimestamp(until_s, UTC):%Y-%m-%d %H:%M} UTC"
