"""Running one tool's function: in time, off the event loop if it is not async."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function returned, or what it raised."""

    value: Any = None
    error: BaseException | None = None


async def run_function(
    function: Callable[..., Any], arguments: Mapping[str, Any], *, is_async: bool, timeout_s: float
) -> Outcome:
    """Call it and wait at most `timeout_s`. Raises TimeoutError only for our own limit.

    A function in a thread cannot be stopped: after the limit it runs on, unheard.
    """
    work = _awaited(function, arguments) if is_async else _in_thread(function, arguments)
    async with asyncio.timeout(timeout_s):
        return await work


async def _awaited(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Outcome:
    try:
        return Outcome(await function(**arguments))
    except Exception as error:
        return Outcome(error=error)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled us: something that the function awaited was cancelled.
        return Outcome(error=error)


async def _in_thread(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Outcome:
    """In a thread of its own that no shut-down waits for: a stuck tool holds up nobody, while
    in the loop's shared pool a few of them would stop name look-ups too."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Outcome] = loop.create_future()

    def report(outcome: Outcome) -> None:
        if not done.done():
            done.set_result(outcome)

    def work() -> None:
        try:
            outcome = Outcome(function(**arguments))
        except BaseException as error:
            outcome = Outcome(error=error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(report, outcome)

    context = contextvars.copy_context()
    name = f"tool-{getattr(function, '__name__', 'function')}"
    threading.Thread(target=context.run, args=(work,), name=name, daemon=True).start()
    return await done
