"""One server for the webhooks' tests of a module; each test plays its own door on it."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from tests.carriers.twilio.twilio_side import Stage, Twilio, World, door


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    listener = socket.create_server(("127.0.0.1", 0))
    stage = Stage()
    stage.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(stage, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield stage
    server.should_exit = True
    await task
    listener.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest_asyncio.fixture(loop_scope="module")
async def twilio(stage: Stage, world: World) -> AsyncIterator[Twilio]:
    async with stage.serving(door(world)) as client:
        yield client
