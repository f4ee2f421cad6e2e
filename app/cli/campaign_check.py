"""`earshot campaign check` and `earshot campaign why`"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.campaigns.asking import WhyNot, why_not_dialled
from app.campaigns.dry_run import DryRun, dry_run
from app.campaigns.judging import Judging, policy
from app.campaigns.people import count
from app.campaigns.sense import Finding, findings
from app.campaigns.store import Campaign, find
from app.cli.campaign_check_view import Checked, plain, view
from app.cli.campaign_room import as_instant, now_ms, told, with_database
from app.cli.campaign_why_view import why_lines, why_view
from app.records.database import Database


@click.command("check")
@click.argument("name")
@click.option(
    "--at",
    "at_ms",
    callback=as_instant,
    metavar="TIME",
    help="Ask about this time, such as 2026-12-01T09:00:00+01:00; default: now.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check_command(name: str, at_ms: int | None, as_json: bool) -> None:  # fmt: skip
    """Say who would be dialled now, later and never, by which rule, and whether the plan makes
    sense. It goes through the whole list and changes nothing.

    Exits with 1 when something must be mended first. Not legal advice.
    """
    with told():
        rules = policy()

    async def work(database: Database) -> Checked:
        campaign = await find(database, name)
        asked_ms = now_ms() if at_ms is None else at_ms
        judging = Judging(campaign.plan, rules.may_dial)
        with _bar(await count(database, name)) as progress:
            run = await dry_run(database, judging, asked_ms, progress)
        found = findings(campaign.plan, asked_ms, run)
        return Checked(campaign, found, run, rules.must)

    checked = with_database(work)
    if as_json:
        click.echo(json.dumps(_data(checked.campaign, checked.found, checked.run), indent=2))
    else:
        console = Console()
        if console.is_terminal:
            console.print(view(checked, console.width))
        else:
            click.echo("\n".join(plain(checked)))
    sys.exit(1 if checked.fails else 0)


@click.command("why")
@click.argument("name")
@click.argument("number")
@click.option(
    "--at",
    "at_ms",
    callback=as_instant,
    metavar="TIME",
    help="Ask about this time, such as 2026-12-01T09:00:00+01:00; default: now.",
)
def why_command(name: str, number: str, at_ms: int | None) -> None:  # fmt: skip
    """Say why the person with NUMBER (+ and digits) is not dialled: what stands in the way now,
    and what stood there last."""
    with told():
        rules = policy()

    async def work(database: Database) -> WhyNot:
        asked_ms = now_ms() if at_ms is None else at_ms
        return await why_not_dialled(database, name, number, rules.may_dial, asked_ms)

    why, console = with_database(work), Console()
    if console.is_terminal:
        console.print(why_view(why))
    else:
        click.echo("\n".join(why_lines(why)))


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """On stderr, where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda count: None
        return
    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("judging", total=total)
        yield lambda count: progress.advance(task, count)


def _data(campaign: Campaign, found: Sequence[Finding], run: DryRun) -> dict[str, object]:
    rules = [{"rule": name.partition(" ")[2], **asdict(tally)} for name, tally in run.rules.items()]
    counts = {
        name: getattr(run, name)
        for name in ("at_ms", "contacts", "now", "later", "never", "done", "must")
    }
    return {
        "campaign": campaign.campaign_id,
        "state": str(campaign.state),
        "plan_version": campaign.plan_version,
        **counts,
        "rules": rules,
        "findings": [asdict(finding) for finding in found],
    }
