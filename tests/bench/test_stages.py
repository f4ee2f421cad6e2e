"""Invariant: calls side by side each have a folder of their own, are held together without a
collection of the lab's objects, and leave nothing behind."""

import asyncio
import gc
from functools import partial
from pathlib import Path
from types import TracebackType

import pytest

from bench.stages import NoMouth, side_by_side, written


class Set:
    """A stage whose call ends when all calls have begun."""

    begun = 0

    def __init__(self, all_begun: asyncio.Event, calls: int, folder: Path) -> None:
        self._all_begun = all_begun
        self._calls = calls
        self.folder = folder
        self.stands = False

    async def __aenter__(self) -> "Set":
        self.stands = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stands = False

    async def hold(self) -> tuple["Set", bool]:
        Set.begun += 1
        if Set.begun == self._calls:
            self._all_begun.set()
        await asyncio.wait_for(self._all_begun.wait(), 5)
        self.folder.mkdir()
        return self, gc.isenabled()


async def test_calls_are_held_together_and_leave_nothing() -> None:
    all_begun = asyncio.Event()
    async with side_by_side([partial(Set, all_begun, 3)] * 3) as held:
        assert len({one.folder for one, _ in held}) == 3
        assert all(one.stands and one.folder.exists() for one, _ in held)
        assert not any(collecting for _, collecting in held)
    assert gc.isenabled()
    assert not any(one.stands or one.folder.exists() for one, _ in held)


async def test_a_record_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    record = tmp_path / "timeline.json"
    asyncio.get_running_loop().call_later(0.05, record.touch)
    await written(record)
    assert record.exists()


async def test_a_line_without_its_sound_is_a_fault() -> None:
    with pytest.raises(RuntimeError, match="no audio was given"):
        await NoMouth().say("Hello.", "marin")
