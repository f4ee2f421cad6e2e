"""`earshot doctor`"""

import asyncio
import sys

import click
from rich.console import Console

from app.doctor import examine, render
from app.settings import Settings, SettingsError, load_settings


@click.command("doctor")
@click.option("--all", "every", is_flag=True, help="List settings that are not set, too.")
def command(every: bool) -> None:
    """Say what is configured, what is missing and how to mend it.

    Asks OpenAI, Twilio and Redis, where they are configured. Exits 1 when calls cannot work.
    """
    settings: Settings | SettingsError
    try:
        settings = load_settings()
    except SettingsError as error:
        settings = error
    report = asyncio.run(examine(settings, every_setting=every))
    render(report, Console())
    sys.exit(report.exit_code)
