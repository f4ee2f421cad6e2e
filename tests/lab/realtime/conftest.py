"""Every test gets a world: a lab model of its own and whatever is connected to it."""

from collections.abc import AsyncIterator

import pytest

from tests.lab.realtime.driver import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.close()
