"""`earshot agents`"""

import json
import re
import sys
from dataclasses import asdict
from typing import Final

import click
from rich.console import Console

from app.agent_report import WholeReport, inspect_agent, inspect_all
from app.agents import agent_files, load_agent
from app.agents.routes import load_routes, routes_path
from app.agents.tokens import PRESSURE_TOKENS
from app.call.facts import CallFacts
from app.cli.agents_shown import render
from app.cli.columns import aligned
from app.cli.failure import Failure, told_plainly
from app.rules import headers_trusted
from app.settings import load_settings

_ADDRESS: Final = re.compile(r"\+[0-9]+|sips?:[^@\s]+@[^@\s]+|client:\S+")


class _ByName(click.Group):
    """`earshot agents NAME...` lists these agents; everything else is a command below it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = not args or (args[0] not in self.commands and not args[0].startswith("-"))
        return super().parse_args(ctx, ["list", *args] if named else args)


@click.group("agents", cls=_ByName)
def command() -> None:
    """List the agents, check them, or say who answers a number."""


@command.command("list", hidden=True)
@click.argument("names", nargs=-1)
def list_agents(names: tuple[str, ...]) -> None:
    """One line for each agent, or for the named ones (names or TOML files)."""
    with told_plainly():
        settings = load_settings()
    reports = [inspect_agent(name, settings) for name in names or agent_files()]
    rows = [
        (report.name, report.voice, report.model, ", ".join(report.tools) or "no tools")
        for report in reports
        if not report.errors
    ]
    for line in aligned(rows):
        click.echo(line)
    errors = [error for report in reports for error in report.errors]
    if errors:
        raise Failure("\n".join(errors))


@command.command("check", short_help="Check all agents and the routes, or the named agents.")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Check all agents and the routes, or the named agents, and tell every mistake.

    Token counts are estimates. Exits with 1 when something is wrong.
    """
    with told_plainly():
        report = inspect_all(load_settings(), names)
    if as_json:
        click.echo(json.dumps(_data(report), indent=2, ensure_ascii=False))
    else:
        render(report, Console())
    sys.exit(report.exit_code)


@command.command("route", short_help="Say which agent answers a call to NUMBER, and why.")
@click.argument("number")
@click.option("--from", "caller", default="", help="Who calls; default: nobody that is known.")
@click.option("--header", "headers", multiple=True, help="NAME=VALUE, a SIP header of the call.")
@click.option("--domain", default="", help="The SIP domain that the call comes in through.")
@click.option("--source-ip", default="", help="The address that the SIP call comes from.")
def route(number: str, caller: str, headers: tuple[str, ...], domain: str, source_ip: str) -> None:
    """Say which agent answers a call to NUMBER (+ and digits, or a sip: address), and why."""
    for address in (number, *([caller] if caller else [])):
        if not _ADDRESS.fullmatch(address):
            raise Failure(f"Expected + and digits, sip:user@host or client:NAME; got {address!r}.")
    with told_plainly():
        settings = load_settings()
        routes = load_routes(routes_path(settings.routes), must_exist=bool(settings.routes))
        given = dict(_pair(header) for header in headers)
        facts = CallFacts(
            from_number=caller,
            to_number=number,
            sip_domain=domain,
            source_ip=source_ip,
            sip_headers=given,
        )
        found = routes.find(facts, headers_trusted(routes, facts))
        agent = found[1].agent if found else settings.agent
        load_agent(agent)
    if found:
        why = f"route {found[0]} of {routes.source}: {found[1].shown}"
    else:
        none = f"none of {len(routes.route)} routes fits" if routes.route else "there are no routes"
        why = f"{none}; EARSHOT_AGENT, or ?agent= in the voice URL"
    click.echo(f"{agent}  ({why})")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise Failure(f"--header: expected NAME=VALUE, got {text!r}.")
    return name, value


def _data(report: WholeReport) -> dict[str, object]:
    agents = [{**asdict(a), "status": a.status, "percent": a.percent} for a in report.agents]
    routes = report.routes
    shown = None if routes is None else {**asdict(routes), "status": routes.status}
    return {"limit_tokens": PRESSURE_TOKENS, "agents": agents, "routes": shown}
