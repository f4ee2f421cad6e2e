"""Whole calls run on uvloop, as in production."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: the loops by name."""
    return {"uvloop": uvloop.new_event_loop}
