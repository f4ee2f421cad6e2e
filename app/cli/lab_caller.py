"""Flags of `earshot lab call` for what the caller does, one after another as they were given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from app.lab.phone import manners
from app.lab.phone.script import HangUp, Press, Say, Silence, Step, Wait, WaitForBot
from app.lab.phone.sound import load_clip

VOICES: Final = ("slt", "rms", "awb")
_Command = TypeVar("_Command", bound=Callable[..., object])
_Act = Callable[[Any, int, str | None], tuple[Step, ...]]
_MS: Final = click.IntRange(min=0)
_ORDER: Final = "app.cli.lab_caller.order"
_KEYS: Final = frozenset("0123456789*#")

_ACTS: Final[Mapping[str, _Act]] = {
    "say": lambda path, seed, voice: (Say(load_clip(path)),),
    "hesitate": lambda _, seed, voice: (manners.hesitate(seed, voice=voice),),
    "spell": lambda digits, seed, voice: (manners.spell(digits, seed, voice=voice),),
    "hold_on": lambda ms, seed, voice: manners.hold_on(seed, ms, voice),
    "talk_over": lambda _, seed, voice: (manners.talk_over(seed, voice=voice),),
    "backchannel": lambda ms, seed, voice: (manners.backchannel(ms, seed, voice),),
    "cough": lambda ms, seed, voice: (manners.cough(ms, seed),),
    "breath": lambda ms, seed, voice: (manners.breath(ms, seed),),
    "press": lambda keys, seed, voice: (Press(keys),),
    "wait": lambda ms, seed, voice: (Wait(ms),),
    "silence": lambda ms, seed, voice: (Silence(ms),),
}
_WHILE_BOT_SPEAKS: Final = frozenset({"talk_over", "backchannel", "cough", "breath"})
_UNANSWERED: Final = frozenset({"hold_on", "press", "wait", "silence"})
"""After these the caller goes on at once."""
_ANSWERED: Final = WaitForBot.finished(quiet_ms=1_500)
_ANSWERED_ANEW: Final = WaitForBot.finished(quiet_ms=1_500, said_ms=300)
"""Not the tail of the answer that was talked over."""


def _keys(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for keys in given:
        if not keys or not _KEYS.issuperset(keys):
            raise click.BadParameter(f"expected keys from 0 to 9, * and #; got {keys!r}")
    return given


class InOrder(click.Command):
    """A command that knows in which order its options were given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def _after(flag: str, told: str) -> Callable[[_Command], _Command]:
    """A flag for something that is done so many ms into the bot's speech."""
    return click.option(flag, multiple=True, type=_MS, metavar="MS", help=told)


_FLAGS: Final = (
    click.option(
        "--say",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Says a WAV or raw μ-law file when the bot has finished.",
    ),
    click.option(
        "--hesitate", count=True, help="Says a sentence with pauses inside, some of them an um."
    ),
    click.option("--spell", multiple=True, metavar="DIGITS", help="Says a number by its digits."),
    click.option(
        "--hold-on",
        multiple=True,
        type=_MS,
        metavar="MS",
        help="Asks the bot to wait and is away for MS ms.",
    ),
    click.option(
        "--talk-over", count=True, help="Takes the floor 300 to 3000 ms into the bot's speech."
    ),
    _after("--backchannel", 'Says "mm-hm" or the like, MS ms into the bot\'s speech.'),
    _after("--cough", "Coughs MS ms into the bot's speech."),
    _after("--breath", "Sighs MS ms into the bot's speech."),
    click.option(
        "--press",
        multiple=True,
        callback=_keys,
        metavar="KEYS",
        help="Presses keys: 0 to 9, * and #.",
    ),
    click.option("--wait", multiple=True, type=_MS, metavar="MS", help="Is quiet for MS ms."),
    click.option(
        "--silence",
        multiple=True,
        type=_MS,
        metavar="MS",
        help="Carries nothing for MS ms: no media, timestamps jump.",
    ),
)


def caller_flags(command: _Command) -> _Command:
    """Give a command of the class `InOrder` the flags, in the order in which help shows them."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


def acts(ctx: click.Context) -> Iterator[tuple[str, Any]]:
    """What the caller shall do, with the value of its flag, as it was given."""
    values = {name: iter(_values(ctx.params[name])) for name in _ACTS}
    for name in ctx.meta[_ORDER]:
        if name in values:
            yield name, next(values[name])


def steps(given: Iterator[tuple[str, Any]], seed: int, voice: str | None) -> tuple[Step, ...]:
    """The greeting is waited for, and an answer after all that asks for one; then hang up.

    `seed`: decides which clips; the same act given twice is not the same. `voice`: whose clips;
    None: anybody's. Raises ValueError for digits and voices that there are not, and WavError.
    """
    found: list[Step] = [WaitForBot.finished(quiet_ms=800)]
    for number, (name, value) in enumerate(given):
        if name in _WHILE_BOT_SPEAKS and isinstance(found[-1], WaitForBot):
            found.pop()
        found += _ACTS[name](value, seed + number, voice)
        if name not in _UNANSWERED:
            found.append(_ANSWERED_ANEW if name == "talk_over" else _ANSWERED)
    return (*found, HangUp())


def _values(given: int | Sequence[Any]) -> Sequence[Any]:
    """A flag without a value is only counted."""
    return [None] * given if isinstance(given, int) else given
