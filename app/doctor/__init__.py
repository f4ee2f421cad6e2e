"""`earshot doctor`: what is configured, what is missing, and how to mend it."""

import asyncio
import datetime
from collections.abc import Iterable
from pathlib import Path

from app.agents import AgentError, load_agent
from app.doctor.configured import (
    check_pbx,
    check_refused,
    check_settings,
    check_sip_of_openai,
    check_streams_of_telnyx,
    check_twilio_urls,
)
from app.doctor.machine import (
    check_agent,
    check_data_dir,
    check_files,
    check_lab,
    check_python,
)
from app.doctor.pbx import check_ari
from app.doctor.render import plain, render
from app.doctor.report import Check, Report, Status
from app.doctor.vendors import check_database, check_openai, check_redis, check_twilio
from app.settings import Settings, SettingsError

__all__ = ["Check", "Report", "Status", "examine", "plain", "render"]


async def examine(
    settings: Settings | SettingsError,
    *,
    search: Iterable[Path] | None = None,
    timeout_s: float = 5.0,
    every_setting: bool = False,
) -> Report:
    """Look at everything that a call needs; takes little longer than `timeout_s`.

    `settings` may be the error that `load_settings` raised: then its problems are told, and what
    does not depend on them is looked at. `search`: the folders for agents, see `load_agent`.
    `every_setting`: also those that nobody has set, one by one.
    """
    if isinstance(settings, SettingsError):
        return Report((check_python(), check_lab(), *check_refused(settings)))
    folders = None if search is None else tuple(search)
    *services, placing = await asyncio.gather(
        check_openai(
            settings, _agents_model(settings, folders), today=_today(), timeout_s=timeout_s
        ),
        check_twilio(settings, timeout_s=timeout_s),
        check_redis(settings, timeout_s=timeout_s),
        check_database(settings, timeout_s=timeout_s),
        check_ari(settings, timeout_s=timeout_s),
    )
    return Report(
        (
            check_python(),
            check_data_dir(settings.data_dir),
            check_files(calls=settings.max_calls),
            check_agent(settings, folders),
            check_lab(),
            *check_settings(settings, every=every_setting),
            *services,
            *placing,
            *check_twilio_urls(settings),
            *check_pbx(settings),
            *check_streams_of_telnyx(settings),
            *check_sip_of_openai(settings),
        )
    )


def _agents_model(settings: Settings, search: Iterable[Path] | None) -> str:
    """The default agent's own model; "" also if it cannot be read, which its check tells."""
    try:
        return load_agent(settings.agent, search).model
    except AgentError:
        return ""


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
