"""`earshot sip plan` and `earshot sip apply`: domains, lists and trunks from a file."""

import os
from pathlib import Path

import click

from app.agents import load_agent
from app.cli.configured import configured
from app.cli.failure import told_plainly
from app.cli.provisioning_run import Options, ours_of, run
from app.provisioning.planning import Plan
from app.provisioning.sip_file import SIP_FILE, load_sip_file
from app.provisioning.wanted import check_passwords, everything

_FILE = click.option(
    "--file", default=SIP_FILE, show_default=True, help="What you want at the carrier."
)
_DELETE = click.option(
    "--delete", is_flag=True, help="Also take away parts of these things that the file has not."
)
_PASSWORDS = click.option(
    "--passwords", is_flag=True, help="Also set the passwords of users who are there already."
)


@click.command("plan")
@_FILE
@_DELETE
@_PASSWORDS
def plan(file: str, delete: bool, passwords: bool) -> None:
    """Show what is to be done at Twilio, and do nothing."""
    _run(file, passwords, Options("sip", delete=delete))


@click.command("apply")
@_FILE
@_DELETE
@_PASSWORDS
@click.option("--yes", is_flag=True, help="Do it.")
def apply(file: str, delete: bool, passwords: bool, yes: bool) -> None:
    """Show what is to be done at Twilio, and with --yes do it.

    It can be run again at any time: what is done is done, and what a failure kept from being done
    is done then.
    """
    _run(file, passwords, Options("sip", delete=delete, applies=True, yes=yes))


def _run(file: str, passwords: bool, options: Options) -> None:
    with told_plainly():
        settings = configured("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")
        wishes = load_sip_file(Path(file))
        agents = [table.agent for table in wishes.domain] + [t.agent for t in wishes.byoc]
        for agent in filter(None, dict.fromkeys(agents)):
            load_agent(agent)
        wanted = everything(wishes, ours_of(settings), os.environ, with_passwords=passwords)

        def check(made: Plan) -> None:
            check_passwords(wishes, made.actions, os.environ)

        run(settings, wanted, options, check)
