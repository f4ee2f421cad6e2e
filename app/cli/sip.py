"""`earshot sip`"""

import click

from app.cli.sip_line import line
from app.cli.sip_setup import apply, plan


@click.group("sip")
def command() -> None:
    """Calls over SIP: doors at Twilio, and a line of our own."""


command.add_command(plan)
command.add_command(apply)
command.add_command(line)
