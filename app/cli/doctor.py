"""`earshot doctor`"""

import asyncio
import sys

import click
from rich.console import Console

from app.doctor import examine, render
from app.settings import Settings, SettingsError, load_settings


@click.command("doctor")
def command() -> None:
    """Say what is configured, what is missing and how to mend it."""
    settings: Settings | SettingsError
    try:
        settings = load_settings()
    except SettingsError as error:
        settings = error
    report = asyncio.run(examine(settings))
    render(report, Console())
    sys.exit(report.exit_code)
