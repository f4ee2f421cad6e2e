"""What the user did or must mend is said in a line or a few, never as a stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.agents import AgentError
from app.bridge.journal import JournalError
from app.carriers.asterisk.ari import AriError
from app.carriers.asterisk.placed import PlacedInputError
from app.carriers.twilio.errors import TwilioError
from app.carriers.twilio.outgoing import LoginError
from app.lab.speech.faults import SpeechError
from app.observe.prices import PricesError
from app.provisioning.sip_file import SipFileError
from app.provisioning.wanted import PasswordError
from app.records.database import DatabaseAwayError, DatabaseUrlError
from app.records.export import ExportError
from app.records.migrate import DatabaseNewerError
from app.setting_rules import SettingsError
from app.tools.errors import ToolLoadError
from telecodecs.wav import WavError

_EXPECTED = (
    AgentError,
    AriError,
    DatabaseAwayError,
    DatabaseNewerError,
    DatabaseUrlError,
    ExportError,
    JournalError,
    LoginError,
    PasswordError,
    PlacedInputError,
    PricesError,
    SettingsError,
    SipFileError,
    ToolLoadError,
    SpeechError,
    TwilioError,
    WavError,
)


class Failure(click.ClickException):
    """Shown as it is; the exit code is 1."""

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn the errors that users can mend into `Failure`."""
    try:
        yield
    except _EXPECTED as error:
        raise Failure(str(error)) from error
