"""`earshot campaign`"""

from importlib import import_module
from typing import Final

import click

_PARTS: Final = {
    "list": ("campaign_moves", "List the campaigns, and files of which none was made yet."),
    "create": ("campaign_moves", "Make a draft of campaigns/NAME.toml."),
    "change": ("campaign_moves", "Let a campaign go by its file as it is now."),
    "import": ("campaign_import", "Load contacts from CSV, XLSX or JSON Lines."),
    "check": ("campaign_check", "Say who would be dialled now, later and never, and why."),
    "start": ("campaign_moves", "Let it dial, now or from its schedule on."),
    "work": ("campaign_work", "Dial for all running campaigns until stopped."),
    "pause": ("campaign_moves", "Dial nobody until it is resumed."),
    "resume": ("campaign_moves", "Dial on."),
    "stop": ("campaign_moves", "End it for good."),
    "status": ("campaign_status", "Watch it: pace, answers, abandonment, cost, log."),
    "why": ("campaign_check", "Say why somebody is not dialled."),
    "log": ("campaign_moves", "List who did what to it, and when."),
    "export": ("campaign_export", "Write everybody with their dials and outcomes to a file."),
}
"""Name -> the module in this package whose NAME_command it is, and what `--help` says."""


class _Parts(click.Group):
    """Imports a command's module only when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PARTS:
            return None
        module = import_module(f"app.cli.{_PARTS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in _PARTS.items()])


@click.group("campaign", cls=_Parts)
def command() -> None:
    """Call everybody on a list: make a campaign, check it, start it, watch it.

    docs/campaigns.md leads from a list to results. No rule here is legal advice.
    """
