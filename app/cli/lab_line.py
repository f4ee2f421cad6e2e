"""Flags of `earshot lab call` for what is bad about the line, one for each field of `Impairments`.

A flag that means several values takes them with colons between, such as `--noise street:10`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, get_args

import click

from app.lab.phone.impairments import (
    Band,
    Bursts,
    Clipping,
    Echo,
    Impairments,
    JitterBursts,
    KeyLeak,
    Noise,
    Stall,
    Way,
    Window,
)
from app.lab.speech.beds import BED_KINDS

_Command = TypeVar("_Command", bound=Callable[..., object])
_MS: Final = click.IntRange(min=0)
_WAYS: Final = (*get_args(Way), "both")
_REPEATABLE: Final = frozenset({"stalls", "gaps"})


def _way(word: str) -> str:
    if word not in _WAYS:
        raise ValueError(word)
    return word


def _parts(
    field: str,
    form: str,
    make: Callable[..., object],
    kinds: Sequence[Callable[[str], object]],
    told: str,
    flag: str = "",
) -> Callable[[_Command], _Command]:
    """A flag with colons between its values, named for its field unless `flag` is given.

    What may be left out stands in brackets in `form`. A usage error tells the form that was
    expected, or what the values themselves break.
    """
    least = form.partition("[")[0].count(":") + 1

    def made(text: str) -> object:
        words = text.split(":")
        try:
            values = [kind(word) for kind, word in zip(kinds, words, strict=False)]
        except ValueError:
            values = []
        if not values or not least <= len(words) <= len(kinds):
            raise click.BadParameter(f"expected {form}, got {text!r}")
        try:
            return make(*values)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    def convert(_ctx: click.Context, _param: click.Parameter, given: Any) -> object:
        if isinstance(given, tuple):
            return tuple(made(text) for text in given)
        return None if given is None else made(given)

    return click.option(
        flag or f"--{field.replace('_', '-')}",
        field,
        metavar=form,
        callback=convert,
        multiple=field in _REPEATABLE,
        help=told,
    )


_FLAGS: Final = (
    click.option("--delay", "delay_ms", type=_MS, default=0, metavar="MS", help="One-way delay."),
    click.option("--jitter", "jitter_ms", type=_MS, default=0, metavar="MS", help="Added at most."),
    _parts(
        "jitter_bursts",
        "EVERY:PEAK:LENGTH",
        JitterBursts,
        (int, int, int),
        "Now and then, on average EVERY ms, messages are late by PEAK ms, which ebbs away within "
        "LENGTH ms.",
    ),
    _parts(
        "stalls",
        "AT:LENGTH[:WAY]",
        Stall,
        (int, int, _way),
        "Nothing passes from AT ms on for LENGTH ms, then all at once. WAY: "
        f"{', '.join(_WAYS)} (default). Repeatable.",
        "--stall",
    ),
    _parts(
        "gaps",
        "AT:LENGTH",
        Window,
        (int, int),
        "No media from the caller from AT ms on for LENGTH ms. Repeatable.",
        "--gap",
    ),
    click.option(
        "--loss",
        type=click.FloatRange(0.0, 1.0),
        default=0.0,
        metavar="SHARE",
        help="Share of the caller's frames that is lost, 0 to 1.",
    ),
    _parts(
        "bursts",
        "SHARE:MS",
        Bursts,
        (float, int),
        "A SHARE of 0 to 1 is lost in runs of MS ms on average.",
        "--loss-bursts",
    ),
    click.option(
        "--suppress-silence",
        "suppress_silence_after_ms",
        type=_MS,
        metavar="MS",
        help="No media after MS ms of digital silence, which takes --background silence and no "
        "noise.",
    ),
    click.option(
        "--first-timestamp",
        "first_timestamp_ms",
        type=_MS,
        default=0,
        metavar="MS",
        help="Where the stream's own clock begins.",
    ),
    _parts(
        "noise",
        "KIND:SNR[:SPEECH]",
        Noise,
        (str, float, float),
        f"Behind the caller: {', '.join(BED_KINDS)}, SNR dB below SPEECH dBFS (default -20).",
    ),
    _parts(
        "echo",
        "DELAY:DB",
        Echo,
        (int, float),
        "The bot's own voice comes back after DELAY ms, DB dB softer.",
    ),
    _parts(
        "clipping",
        "GAIN[:LIMIT]",
        Clipping,
        (float, float),
        "The microphone is overdriven by GAIN dB and cut off at LIMIT dBFS (default -6).",
    ),
    _parts(
        "key_leak",
        "LEVEL[:MS]",
        KeyLeak,
        (float, int),
        "Pressed keys are heard in the caller's audio, at LEVEL dBFS for MS ms (default 100).",
    ),
    _parts(
        "band",
        "LOW:HIGH",
        Band,
        (int, int),
        "Only what lies between LOW and HIGH Hz passes; 300:3400 is a cellular channel.",
    ),
)


def line_flags(command: _Command) -> _Command:
    """Give a command the flags, in the order in which help shows them."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


def impairments(seed: int, given: Mapping[str, Any]) -> Impairments:
    """From a command's parameters. `seed`: of all chance on the line."""
    fields = (field.name for field in dataclasses.fields(Impairments))
    return Impairments(seed=seed, **{name: given[name] for name in fields if name != "seed"})
