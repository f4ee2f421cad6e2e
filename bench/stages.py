"""Whole calls side by side in one process, each on a stage of its own: a bot and a model.

Setting the stages and judging are kept out of the calls: both hold up the loop.
"""

import asyncio
import gc
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from app.server import settle

RECORD_LIMIT_S: Final = 10.0

H_co = TypeVar("H_co", covariant=True)


class Staged(AbstractAsyncContextManager["Staged[H_co]"], Protocol[H_co]):
    """One call's stage, set while it is entered."""

    def hold(self) -> Awaitable[H_co]:
        """Hold the call."""
        ...


@asynccontextmanager
async def side_by_side(
    stages: Sequence[Callable[[Path], Staged[H_co]]],
) -> AsyncIterator[list[H_co]]:
    """What was held on these stages, each made with a folder of its own. What the calls left on
    disk is there until the end."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earshot-bench-")))
        staged = [
            await stack.enter_async_context(make(folder / str(number)))
            for number, make in enumerate(stages)
        ]
        settle()  # as `earshot serve` does: a collection of all the stages would hold up the calls
        # The lab's logs grow by millions of objects that no bot has: collecting them would be our
        # pause. What the bot's own collector does shows where it is a process of its own.
        gc.disable()
        try:
            yield list(await asyncio.gather(*(one.hold() for one in staged)))
        finally:
            gc.enable()


async def written(path: Path) -> None:
    """Wait for the record that the app writes after the call; a fault of ours may keep it from
    doing so."""
    end_s = time.monotonic() + RECORD_LIMIT_S
    while not os.path.exists(path) and time.monotonic() < end_s:  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.02)


class NoMouth:
    """A model's, where every line brings its own sound."""

    async def say(self, text: str, voice: str) -> bytes:
        """See `app.lab.realtime.ports.Mouth`."""
        raise RuntimeError(f"no audio was given for {text!r}")
