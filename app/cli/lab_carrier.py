"""`earshot lab carrier`: Twilio's REST API for thousands of calls without sound."""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import uvloop

from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.demo.stage import LAB_ACCOUNT
from app.lab.carrier.parties import DOES, Digits, Does, Mixture, People
from app.lab.carrier.server import LabCarrier
from app.lab.carrier.troubles import Troubles

_TROUBLES = {
    field.name: field.type for field in dataclasses.fields(Troubles) if field.name != "seed"
}


def _pairs(_ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> dict[str, float]:
    known = _TROUBLES if param.name == "troubles" else dict.fromkeys(DOES)
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        try:
            pairs[name] = float(value)
        except ValueError:
            equals = ""
        if name not in known or not equals:
            raise click.BadParameter(f"expected NAME=NUMBER, NAME of {', '.join(known)}")
    return pairs


@click.command("carrier")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Default: a free one.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append what really happened to this file, as JSON Lines.",
)
@click.option(
    "--pace", default=1.0, show_default=True, help="How much faster than real time calls go."
)
@click.option(
    "--calls-per-second",
    "per_s",
    default=0.0,
    help="Dialled in a second of the calls' own time; more of them wait. Default: any number.",
)
@click.option(
    "--people",
    "shares",
    multiple=True,
    metavar="DOES=SHARE",
    callback=_pairs,
    help="Shares of who is at the numbers; the rest answers. Default: the number's digits tell. "
    "Repeatable.",
)
@click.option(
    "--trouble",
    "troubles",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="What goes wrong, see docs/lab.md. Repeatable.",
)
@click.option("--seed", default=0, help="Of all chance.")
@click.option("--account-sid", default="", help="Default: TWILIO_ACCOUNT_SID.")
@click.option("--auth-token", default="", help="Signs as Twilio does. Default: TWILIO_AUTH_TOKEN.")
def carrier(
    port: int,
    log: Path | None,
    pace: float,
    per_s: float,
    shares: dict[Does, float],
    troubles: dict[str, float],
    seed: int,
    account_sid: str,
    auth_token: str,
) -> None:
    """Serve Twilio's REST API for calls, without sound, until stopped.

    Calls that are placed here ring, are answered or not, and end; callbacks tell of it.
    """
    with told_plainly():
        settings = configured()
        auth_token = auth_token or next(iter(settings.twilio_auth_tokens), "")
        if not auth_token:
            raise Failure("No token to sign with: give --auth-token, or set TWILIO_AUTH_TOKEN.")
        try:
            people: People = Mixture(shares, seed) if shares else Digits(seed)
            trouble = _read_troubles(troubles, seed)
        except ValueError as error:
            raise Failure(str(error)) from error
    server = LabCarrier(
        account_sid=account_sid or settings.twilio_account_sid or LAB_ACCOUNT,
        auth_token=auth_token,
        people=people,
        troubles=trouble,
        pace=pace,
        per_s=per_s,
        log=log,
        port=port,
    )
    try:
        uvloop.run(_serve(server))
    except KeyboardInterrupt:
        return


def _read_troubles(given: Mapping[str, float], seed: int) -> Troubles:
    changes: dict[str, Any] = {
        name: int(value) if _TROUBLES[name] is int else value for name, value in given.items()
    }
    return Troubles(seed=seed, **changes)


async def _serve(server: LabCarrier) -> None:
    async with server:
        click.echo(f"EARSHOT_TWILIO_API_URL={server.base_url}")
        await asyncio.Event().wait()
