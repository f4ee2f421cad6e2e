"""`earshot numbers`"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from app.agents import load_agent
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.cli.provisioning_run import Options, every_number, ours_of, run
from app.cli.provisioning_view import show_numbers
from app.policy.numbers import Number, read_number
from app.provisioning.sip_file import SIP_FILE, NumberTable, SipFile, load_sip_file
from app.provisioning.wanted import numbers as wanted_numbers
from app.settings import Settings

_NEEDED = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")
_NUMBERS = click.argument("numbers", nargs=-1)
_FILE = click.option("--file", default=SIP_FILE, show_default=True, help="Has the numbers' tables.")
_AGENT = click.option("--agent", default="", help="Who answers; default: routes, EARSHOT_AGENT.")
_FALLBACK = click.option(
    "--fallback", default="", help="TwiML for when this bot cannot be reached, on another host."
)


@click.group("numbers")
def command() -> None:
    """The account's numbers: whom they call, and how to point them at this bot."""


@command.command("list")
def list_() -> None:
    """List the account's numbers, and who answers each."""
    with told_plainly():
        settings = configured(*_NEEDED)
        found = every_number(settings)
    show_numbers(found, ours_of(settings), Console())


@command.command("plan")
@_NUMBERS
@_FILE
@_AGENT
@_FALLBACK
def plan(numbers: tuple[str, ...], file: str, agent: str, fallback: str) -> None:
    """Show what is to be changed so that this bot answers NUMBERS, and change nothing.

    Without NUMBERS: those of the file's [[number]] tables, or else EARSHOT_FROM_NUMBER.
    """
    _run(numbers, file, agent, fallback, Options("numbers"))


@command.command("apply")
@_NUMBERS
@_FILE
@_AGENT
@_FALLBACK
@click.option("--yes", is_flag=True, help="Do it.")
def apply(numbers: tuple[str, ...], file: str, agent: str, fallback: str, yes: bool) -> None:
    """Show the same plan, and with --yes do it. It can be run again at any time."""
    _run(numbers, file, agent, fallback, Options("numbers", applies=True, yes=yes))


def _run(numbers: tuple[str, ...], path: str, agent: str, fallback: str, options: Options) -> None:
    with told_plainly():
        settings = configured(*_NEEDED)
        file = load_sip_file(Path(path)) if Path(path).exists() else SipFile(source=Path(path))
        tables = [
            replace(table, agent=agent or table.agent, fallback=fallback or table.fallback)
            for table in _tables(numbers, file, settings)
        ]
        for name in {table.agent for table in tables if table.agent}:
            load_agent(name)
        run(settings, wanted_numbers(tables, file, ours_of(settings)), options)


def _tables(numbers: tuple[str, ...], file: SipFile, settings: Settings) -> Sequence[NumberTable]:
    known = {table.number: table for table in file.number}
    if not numbers and known:
        return file.number
    given = numbers or ((settings.from_number,) if settings.from_number else ())
    if not given:
        raise Failure(
            f"No numbers: name some, write [[number]] tables into {file.source}, or set "
            "EARSHOT_FROM_NUMBER. `earshot numbers list` shows those of the account."
        )
    read = [_e164(number) for number in dict.fromkeys(given)]
    return [known.get(number, NumberTable(number=number)) for number in read]


def _e164(text: str) -> str:
    number = read_number(text)
    if not isinstance(number, Number):
        raise Failure(f"Expected + and the digits of a number, got {text!r}.")
    return number.e164
