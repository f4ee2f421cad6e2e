"""Tests of the rooms' own sockets run on both event loops: asyncio's, and uvloop as in production.

Their transports differ in when they write, pause and fail.
"""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

ON_BOTH_LOOPS = {
    "test_openai_connect.py",
    "test_openai_phrase.py",
    "test_openai_realtime.py",
    "test_socket_writer.py",
}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: the loops by name."""
    if item.path.name in ON_BOTH_LOOPS:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
