"""Several agents on one stage, each called on a line of its own: calls of one test run at once."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from app.demo.stage import CALLER, Stage
from app.lab.phone import PhoneLine, Script
from app.lab.phone.pace import Pace
from app.lab.phone.report import CallReport

LINE = "+14155550199"
DESK = "+14155550100"
BRISK = Pace(say_ms_per_char=5, play_ms=0, pause_factor=0)
"""Twilio's voice is heard by who waits for it, and does not take long."""


def agents(folder: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """Their files: name -> path."""
    paths = {}
    for name, text in texts.items():
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        paths[name] = str(path)
    return paths


async def hold(
    on: Stage,
    agent: str,
    script: Script,
    *,
    from_: str = CALLER,
    to: str = LINE,
    sip_headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> CallReport:
    """One whole call to this agent."""
    assert on.account is not None
    line = PhoneLine(f"{on.url}/twilio/voice?agent={quote(agent)}", account=on.account)
    return await line.call(
        script, from_=from_, to=to, sip_headers=sip_headers, parameters=parameters
    )


def verbs(report: CallReport) -> list[str]:
    """What the call itself was told, in order."""
    return [verb.name for verb in report.verbs if not verb.within]


def said(report: CallReport) -> str:
    """By Twilio's own voice."""
    return " ".join(verb.text for verb in report.verbs if verb.name in ("Say", "Gather"))
