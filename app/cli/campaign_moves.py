"""`earshot campaign list, create, change, start, pause, resume, stop, log`"""

import json

import click
from rich.console import Console

from app.calls_out import check_plan
from app.campaigns import store
from app.campaigns.loading import campaign_files, load_plan
from app.campaigns.states import Move
from app.campaigns.store import Campaign
from app.cli.campaign_log_view import entries, entry_data
from app.cli.campaign_room import clock, now_ms, told, who, with_database
from app.cli.columns import aligned
from app.records.database import Database
from app.settings import load_settings


@click.command("list")
def list_command() -> None:
    """List the campaigns, the newest first, and the files of which none was made yet."""
    found = with_database(store.all_campaigns)
    rows = [
        (each.campaign_id, str(each.state), each.plan.agent, f"plan {each.plan_version}",
         f"since {clock(each.changed_at_ms)} UTC")
        for each in found
    ]  # fmt: skip
    made = {each.campaign_id for each in found}
    rows += [
        (name, "not made", "", "", str(path))
        for name, path in campaign_files().items()
        if name not in made
    ]
    click.echo("\n".join(aligned(rows)))


@click.command("create")
@click.argument("name")
def create_command(name: str) -> None:
    """Make a draft of campaigns/NAME.toml, or of the file whose path NAME is.

    It dials nobody: import a list, check it, start it.
    """
    with told():
        plan = load_plan(name)

    async def work(database: Database) -> Campaign:
        return await store.create(database, plan, by=who(), now_ms=now_ms())

    _tell(with_database(work))


@click.command("change")
@click.argument("name")
def change_command(name: str) -> None:
    """Let a campaign go by its file as it is now.

    Whoever a rule of the old plan kept from being dialled is judged anew. Calls that are in
    progress go on by the old one.
    """
    with told():
        plan = load_plan(name)

    async def work(database: Database) -> tuple[bool, Campaign]:
        before = await store.find(database, plan.name)
        after = await store.change(database, plan, by=who(), now_ms=now_ms())
        return before.plan_version != after.plan_version, after

    changed, campaign = with_database(work)
    if changed:
        _tell(campaign)
    else:
        click.echo(f"{campaign.campaign_id}: the file says what the campaign goes by already")


@click.command("start")
@click.argument("name")
def start_command(name: str) -> None:
    """Let a campaign dial: now, or from the time of its schedule on.

    A completed one goes on with whoever was added. What dials is `earshot campaign work`.
    """

    async def work(database: Database) -> Campaign:
        plan = (await store.find(database, name)).plan
        check_plan(load_settings(), plan, lambda text: click.echo(f"note: {text}", err=True))
        return await store.start(database, name, by=who(), now_ms=now_ms())

    _tell(with_database(work))


@click.command("pause")
@click.argument("name")
@click.option("--why", default="", help="For the log.")
def pause_command(name: str, why: str) -> None:
    """Dial nobody until it is resumed. Calls that are in progress go on to their end."""
    _move(name, "pause", why)


@click.command("resume")
@click.argument("name")
@click.option("--why", default="", help="For the log.")
def resume_command(name: str, why: str) -> None:
    """Dial on, with a ramp-up if the plan has one."""
    _move(name, "resume", why)


@click.command("stop")
@click.argument("name")
@click.option("--why", default="", help="For the log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def stop_command(name: str, why: str, yes: bool) -> None:
    """End a campaign for good: nothing starts it again.

    Calls that are in progress go on to their end. To dial nobody for a while, pause it.
    """
    if not yes:
        click.confirm(f"Stop {name} for good?", abort=True)
    _move(name, "stop", why)


@click.command("log")
@click.argument("name")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def log_command(name: str, most: int, as_json: bool) -> None:
    """List who did what to a campaign, and when (UTC), the newest first."""

    async def work(database: Database) -> None:
        found = await store.log(database, name, most)
        if as_json:
            for entry in found:
                click.echo(json.dumps(entry_data(entry), ensure_ascii=False))
        else:
            entries(found, Console())

    with_database(work)


def _move(name: str, move: Move, why: str) -> None:
    async def work(database: Database) -> Campaign:
        return await store.move(database, name, move, by=who(), why=why, now_ms=now_ms())

    _tell(with_database(work))


def _tell(campaign: Campaign) -> None:
    click.echo(f"{campaign.campaign_id} is {campaign.state}  (plan {campaign.plan_version})")
    nexts = {
        "draft": "earshot campaign import, then check, then start",
        "scheduled": f"it begins at {campaign.plan.schedule.starts}",
    }
    if told_next := nexts.get(campaign.state):
        click.echo(told_next)
