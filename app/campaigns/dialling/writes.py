"""Short transactions, and the points at which a process may die between them.

SQLite has one writer at a time, so those who wait for it share one commit. PostgreSQL shares its
commits by itself; there every piece of work is a transaction of its own, which locks no more than
the rows that it is about.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from app.records.database import Database

Step: TypeAlias = Literal[
    "claim", "take_over", "renew", "let_go", "put_back",
    "intend", "request", "withdraw", "send", "place", "refuse",
    "hear", "ask", "adopt", "forget", "give_up", "conclude", "complete", "text",
]  # fmt: skip
"""What is done on the way of a dial. Each is a transaction, but for what is asked of the carrier:
"send" (the request itself) and "ask"."""
Point: TypeAlias = tuple[Literal["before", "after"], Step]
"""before: the work is done and not committed (or sent). after: it is, and nothing came of it."""
At: TypeAlias = Callable[[Point], None]
"""Called at every point. Tests kill the process here."""
Work: TypeAlias = Callable[[AsyncConnection], Awaitable[Any]]
T = TypeVar("T")

MOST_TOGETHER: Final = 64


def nothing(point: Point) -> None:
    """What happens at a point in life."""


@dataclass(slots=True)
class _Job:
    step: Step
    work: Work
    done: "asyncio.Future[Any]"


class Writes:
    """`run(step, work)` does the work in a transaction and returns when it is on the disk.

    The work may run twice (its first transaction may fail for another's sake), so it must touch
    nothing but the connection. Raises `DatabaseAwayError`, and what the work raises.
    """

    def __init__(self, database: Database, at: At = nothing) -> None:
        self.database = database
        self.at = at
        self._shares = database.kind == "sqlite"
        self._waiting: list[_Job] = []
        self._writer: asyncio.Task[None] | None = None

    async def run(self, step: Step, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        if not self._shares:
            return await self._alone(step, work)
        job = _Job(step, work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="campaign writes")
        result: T = await job.done
        return result

    async def idle(self) -> None:
        """When nothing is being written."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    async def _alone(self, step: Step, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self.database.writing() as connection:
            result = await work(connection)
            self.at(("before", step))
        self.at(("after", step))
        return result

    async def _write(self) -> None:
        try:
            while self._waiting:
                jobs, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                await self._together(jobs)
        finally:
            self._writer = None

    async def _together(self, jobs: list[_Job]) -> None:
        try:
            async with self.database.writing() as connection:
                results = [await job.work(connection) for job in jobs]
                self._tell("before", jobs)
        except Exception as error:
            await self._one_by_one(jobs, error)
            return
        self._tell("after", jobs)
        for job, result in zip(jobs, results, strict=True):
            if not job.done.done():
                job.done.set_result(result)

    async def _one_by_one(self, jobs: list[_Job], error: Exception) -> None:
        """One of them failed: whose fault it is shows when each is alone."""
        for job in jobs:
            try:
                result = error if len(jobs) == 1 else await self._alone(job.step, job.work)
            except Exception as own:
                result = own
            if job.done.done():
                continue
            if isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)

    def _tell(self, when: Literal["before", "after"], jobs: list[_Job]) -> None:
        for job in jobs:
            self.at((when, job.step))
