"""Texts that must look a certain way, with what an operator is told when they do not."""

import re
from collections.abc import Callable

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def wrong(expected: str) -> PydanticCustomError:
    """To be raised; reads "expected {expected}, got ..." in the end."""
    return PydanticCustomError("shape", "{expected}", {"expected": expected})


def shaped(pattern: str, expected: str) -> AfterValidator:
    """The whole text matches."""
    return fitting(lambda text: re.fullmatch(pattern, text, re.ASCII) is not None, expected)


def fitting(fits: Callable[[str], bool], expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not fits(text):
            raise wrong(expected)
        return text

    return AfterValidator(check)
