"""Settings for a command, with warnings shown and missing ones told in one line each."""

import click

from app.settings import Settings, load_settings


def configured(*required: str) -> Settings:
    """Raises `SettingsError` for what is wrong or, of `required`, missing."""
    settings = load_settings()
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    settings.require(*required)
    return settings
