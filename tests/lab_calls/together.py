"""Calls take place in real time, and mostly wait: tests of one module that do not touch each other
hold theirs at once.

    @at_once
    async def test_a_caller_is_put_through(tmp_path: Path) -> None: ...

Each such test gets a folder and runs from its first line to its last as it would alone; what it
raises is raised in its own name. It must not change what the others see: no monkeypatch, no caplog.
"""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

MOST = 6
"""So many at a time, as one core must hold them beside another process; a module whose tests start
processes has an `AT_ONCE` of its own."""
Body: TypeAlias = Callable[..., Awaitable[None]]
Held: TypeAlias = Mapping[str, "asyncio.Task[None]"]
"""What became of each test of a module, by the test's id."""


def at_once(body: Body) -> Callable[..., Awaitable[None]]:
    """Mark a test whose only fixture is `tmp_path`; it may have parameters."""
    parameters = inspect.signature(body).parameters
    own = [name for name in parameters if name != "tmp_path"]

    @pytest.mark.asyncio(loop_scope="module")
    @functools.wraps(body)
    async def judged(held_at_once: Held, request: pytest.FixtureRequest, **_: object) -> None:
        await held_at_once[request.node.nodeid]

    given = [*own, "held_at_once", "request"]
    judged.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in given]
    )
    judged.at_once = body  # type: ignore[attr-defined]
    del judged.__wrapped__  # or its fixtures are asked for
    return judged


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held_at_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Held]:
    """Every marked test of the module that was chosen to run, held to its end."""
    room = asyncio.Semaphore(getattr(request.module, "AT_ONCE", MOST))

    async def hold(item: pytest.Function, body: Body) -> None:
        names = inspect.signature(body).parameters
        given: dict[str, Any] = {}
        if "tmp_path" in names:
            given["tmp_path"] = tmp_path_factory.mktemp(item.name[:40], numbered=True)
        if callspec := getattr(item, "callspec", None):
            given |= {name: value for name, value in callspec.params.items() if name in names}
        async with room:
            await body(**given)

    held = {
        item.nodeid: asyncio.create_task(hold(item, item.function.at_once))
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.module is request.module
        and hasattr(item.function, "at_once")
    }
    # To their end: between tests pytest does other things, and no call's clock stands still for it.
    await asyncio.wait(held.values())
    yield held
