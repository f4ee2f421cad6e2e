"""Flags of `earshot lab call` for the other people: who calls, and who is where the bot dials."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar, cast, get_args

import click

from app.demo.stage import CALLER
from app.lab.phone.people import Callee, CalleeAnswer
from app.lab.phone.script import Press, Script, Wait, WaitForBot

_Command = TypeVar("_Command", bound=Callable[..., object])
_ANSWERS: Final = get_args(CalleeAnswer)
_PRESS: Final = re.compile(r"press:([0-9*#]+)")
_FORM: Final = f"ADDRESS={'|'.join(_ANSWERS)}|press:KEYS"
_AT_LEAST_MS: Final = 100


def _person(text: str) -> tuple[str, Callee]:
    address, equals, does = text.rpartition("=")
    pressed = _PRESS.fullmatch(does)
    if address and equals and does in _ANSWERS:
        return address, Callee(Script(), answers=cast("CalleeAnswer", does))
    if address and equals and pressed:
        listen = WaitForBot.finished(said_ms=_AT_LEAST_MS)
        return address, Callee(Script((listen, Press(pressed[1]), Wait(120_000))))
    raise click.BadParameter(f"expected {_FORM}, got {text!r}")


def _people(
    _ctx: click.Context, _param: click.Parameter, given: Sequence[str]
) -> Mapping[str, Callee]:
    return dict(_person(text) for text in given)


def people_flags(command: _Command) -> _Command:
    """Give a command `people`, `caller` and `api_port`."""
    for flag in reversed(
        (
            click.option(
                "--from",
                "caller",
                default=CALLER,
                metavar="ADDRESS",
                help="Who calls: a number, or a SIP URI.",
            ),
            click.option(
                "--at",
                "people",
                multiple=True,
                metavar=_FORM,
                callback=_people,
                help="Who is where the bot dials. press:KEYS listens, then presses. Repeatable.",
            ),
            click.option(
                "--api-port",
                type=click.IntRange(0, 65535),
                metavar="PORT",
                help="Serves Twilio's REST API on this port while the call lasts.",
            ),
        )
    ):
        command = flag(command)
    return command
