"""The command line. Each command is a module of its own, imported when it is asked for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata

import click

COMMANDS = {
    "serve": "Answer calls until stopped.",
    "call": "Call somebody and let an agent speak.",
    "demo": "Hold a whole call on this machine: no account, no network.",
    "doctor": "Say what is configured, what is missing and how to mend it.",
    "agents": "List the agents, check them, or say who answers a number.",
    "campaign": "Call everybody on a list, within the law and at a pace.",
    "numbers": "Point your numbers at this bot: a plan first, then the deed.",
    "sip": "Doors for SIP calls at Twilio, and a SIP line of our own.",
    "webhooks": "See what your systems were told, and send it again.",
    "block": "Block a caller for a while, list who is blocked, or take it back.",
    "do-not-call": "Add, import, remove, check and list whom no campaign calls.",
    "replay": "Run a recorded call through the heart again.",
    "records": "See, export or forget what the database holds of calls.",
    "evidence": "Prove that what a call did was not changed since, or list it.",
    "lab": "A telephone and a model made of software, for bots of any make.",
}
"""Name -> what `--help` says; the module of the same name in this package has the command."""

EXAMPLES = """
\b
Examples:
  earshot demo                      a whole call, no account needed
  earshot doctor                    what is set, what is missing, how to mend it
  earshot serve --port 8000         answer calls
  earshot call +15550100002         call somebody
  earshot agents check              every mistake in the agents' files
"""


def installed_version() -> str:
    """The distribution's; a source tree that was not installed has none."""
    try:
        return metadata.version("earshot")
    except metadata.PackageNotFoundError:
        return "unknown: run from a source tree that is not installed"


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """What is imported stays: looking for garbage in it takes a seventh of a server's start."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Commands(click.Group):
    """Imports a command's module only when the command runs, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        with _collector_at_rest():
            command = import_module(f"app.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(installed_version())
def earshot() -> None:
    """Earshot answers and places phone calls with a speech-to-speech model.

    The model remembers exactly what was within the caller's earshot.
    """


def main() -> None:
    """The entry point of `earshot` and of `python -m app`."""
    earshot(prog_name="earshot")
