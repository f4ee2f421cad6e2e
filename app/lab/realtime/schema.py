"""Checks for JSON that a client sent: each takes (value, param) and raises `RequestRefused`.

`param` is the path of the value as the API names it, such as `session.audio.output.speed`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from app.lab.realtime.refusals import (
    RequestRefused,
    invalid_value,
    missing_parameter,
    out_of_range,
    unknown_parameter,
    wrong_type,
)

Check: TypeAlias = Callable[[object, str], None]


def anything(value: object, param: str) -> None:
    """Accepts every value: the lab has no opinion on this field."""


def text(value: object, param: str) -> None:
    if not isinstance(value, str):
        raise wrong_type(param, "a string", value)


def text_to(most: int) -> Check:
    """A string of at most so many characters."""

    def check(value: object, param: str) -> None:
        text(value, param)
        assert isinstance(value, str)
        if len(value) > most:
            raise RequestRefused(
                "string_above_max_length",
                f"'{param}' takes at most {most} characters, but got {len(value)}.",
                param,
            )

    return check


def flag(value: object, param: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(param, "a boolean", value)


def integer(low: int | None = None, high: int | None = None) -> Check:
    def check(value: object, param: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(param, "an integer", value)
        _within(value, param, low, high, whole=True)

    return check


def number(low: float | None = None, high: float | None = None) -> Check:
    def check(value: object, param: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong_type(param, "a number", value)
        _within(value, param, low, high, whole=False)

    return check


def _within(
    value: float, param: str, low: float | None, high: float | None, *, whole: bool
) -> None:
    if low is not None and value < low:
        raise out_of_range(param, value, low, whole=whole)
    if high is not None and value > high:
        raise out_of_range(param, value, high, whole=whole)


def choice(*allowed: str) -> Check:
    def check(value: object, param: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(param, "a string", value)
        if value not in allowed:
            raise invalid_value(
                param, f"Invalid value: '{value}'. Supported values are: {_listed(allowed)}."
            )

    return check


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def nullable(inner: Check) -> Check:
    def check(value: object, param: str) -> None:
        if value is not None:
            inner(value, param)

    return check


def array(inner: Check, *, at_least: int = 0, at_most: int | None = None) -> Check:
    def check(value: object, param: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(param, "an array", value)
        if len(value) < at_least or (at_most is not None and len(value) > at_most):
            wanted = f"{at_least} to {'any number of' if at_most is None else at_most}"
            raise invalid_value(param, f"'{param}' takes {wanted} elements, but got {len(value)}.")
        for index, element in enumerate(value):
            inner(element, f"{param}[{index}]")

    return check


def record(fields: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """An object with these fields and no others."""

    def check(value: object, param: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(param, "an object", value)
        prefix = f"{param}." if param else ""
        for name in required:
            if name not in value:
                raise missing_parameter(prefix + name)
        for name, member in value.items():
            if name not in fields:
                raise unknown_parameter(prefix + name)
            fields[name](member, prefix + name)

    return check


def tagged(variants: Mapping[str, Check], tag: str = "type") -> Check:
    """An object whose `tag` field says which of the variants it is."""
    tag_check = choice(*variants)

    def check(value: object, param: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(param, "an object", value)
        tag_param = f"{param}.{tag}" if param else tag
        if tag not in value:
            raise missing_parameter(tag_param)
        tag_check(value[tag], tag_param)
        variants[value[tag]](value, param)

    return check


def either(first: Check, second: Check) -> Check:
    """Either of two shapes; the second one's complaint is reported."""

    def check(value: object, param: str) -> None:
        try:
            first(value, param)
        except RequestRefused:
            second(value, param)

    return check
