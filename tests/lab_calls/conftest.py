"""Whole calls run as in production: on uvloop, the loaded code out of the collector's sight."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from app.server import settle
from tests.lab_calls.together import held_at_once

__all__ = ["held_at_once"]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: the loops by name."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module", autouse=True)
def settled_memory() -> None:
    settle()
