"""The parts of Debian that the calls here are placed with."""

import os
import shutil

import pytest


def needed(program: str, package: str) -> str:
    """Where a program is. Skips the test without it, which CI may not."""
    path = _path_of(program)
    if path is None:
        missing = f"{program} is not installed (Debian: apt install {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def there(program: str) -> bool:
    """Whether tests with it can run. In CI they have to: what is missing there fails them."""
    return os.environ.get("CI") == "true" or _path_of(program) is not None


def _path_of(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
