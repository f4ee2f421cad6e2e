"""Tools that run once, whoever asks: again after a lost session, on another worker, or twice at a
time by a confused model.

The run's id is the model's own; the key made of it is what the tool is run with, so that whoever
does the work can tell a second try. What was begun and never came back is tried again with the
same key if the tool can bear that. If not, it may have taken effect: the model is told so.
A run belongs to the process, not to the stream of a call: a stream that ends does not break it off.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from app.bridge.ports import Manner, ToolOutcome
from app.call.events import Effect
from app.call.tool_desk import CANCELLED
from app.tools.idempotency import idempotency_key, same_run_id

UNKNOWN = json.dumps(
    {
        "error": "This was begun before the line broke and it is not known whether it took effect. "
        "It was not done again. Tell the caller, and check before you repeat it."
    }
)
JOINED = "the same call was running already; it was done once, and this is what came of it"


class Plain(Protocol):
    async def run(self, name: str, arguments_json: str, *, key: str) -> ToolOutcome:
        """Runs a tool, whether it ran before or not."""
        ...

    def manner(self, name: str) -> Manner: ...

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]: ...


class Begun(Protocol):
    """What is known of a run when somebody asks for it."""

    @property
    def kind(self) -> Literal["run", "finished", "unknown"]: ...

    @property
    def output(self) -> str: ...

    @property
    def ok(self) -> bool: ...

    @property
    def effect(self) -> Effect | None: ...

    @property
    def proof(self) -> str: ...


class Runs(Protocol):
    """Remembers runs beyond this process. Neither method raises when its store is away."""

    async def begin(self, call_id: str, tool_call_id: str) -> Begun: ...

    async def finish(
        self,
        call_id: str,
        tool_call_id: str,
        output: str,
        ok: bool,
        effect: Effect | None = None,
        proof: str = "",
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    ok: bool
    output: str
    effect: Effect | None = None
    proof: str = ""


@dataclass(slots=True)
class _Run:
    """One that is under way. `called_off`: by the heart, which told the model so."""

    task: asyncio.Task[ToolOutcome]
    asked_by: str
    """The model's id of the call that began it."""
    called_off: bool = False


@dataclass(slots=True)
class UnderWay:
    """The runs of a process that have not come back, of all its calls."""

    by_run: dict[tuple[str, str], _Run] = field(default_factory=dict)
    """By call and run."""
    alike: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """By call and what a run does: which run it is."""


class OnceTools:
    """The tools of one call. `runs` None: nothing outlives this process. `under_way`: the
    process's."""

    def __init__(
        self,
        tools: Plain,
        call_id: str,
        runs: Runs | None = None,
        under_way: UnderWay | None = None,
        saved: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """`saved`: waits, for a bounded time, until the call's state is kept in which this run was
        asked for. Otherwise another worker would not know of it, and do it under another key."""
        self._tools = tools
        self._call_id = call_id
        self._runs = runs
        self._under_way = under_way or UnderWay()
        self._saved = saved
        self._asked: dict[str, tuple[str, str]] = {}
        """By the model's id of a call which run it waits for."""

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        """See `app.bridge.ports.Tools`."""
        return self._tools.schemas(loaded)

    def manner(self, name: str) -> Manner:
        """See `app.bridge.ports.Tools`."""
        return self._tools.manner(name)

    async def run(self, name: str, arguments_json: str, *, run_id: str) -> ToolOutcome:
        """See `app.bridge.ports.Tools`."""
        alike = same_run_id(name, arguments_json)
        own = alike if self._tools.manner(name).once_per_call else run_id
        mine, what = (self._call_id, own), (self._call_id, alike)
        by_run = self._under_way.by_run
        joins = mine if mine in by_run else self._under_way.alike.get(what)
        if joins is None:
            run = _Run(asyncio.ensure_future(self._once(name, arguments_json, own)), run_id)
            by_run[mine], self._under_way.alike[what] = run, mine
            run.task.add_done_callback(lambda _: self._over(mine, what))
        else:
            run = by_run[joins]
        self._asked[run_id] = joins or mine
        try:
            outcome = await asyncio.shield(run.task)
        finally:
            del self._asked[run_id]
        return outcome if run.asked_by == run_id else _joined(outcome)

    def cancel(self, run_id: str) -> None:
        """See `app.bridge.ports.Tools`."""
        run = self._under_way.by_run.get(self._asked.get(run_id, ("", "")))
        if run is not None:
            run.called_off = True
            run.task.cancel()

    def _over(self, mine: tuple[str, str], what: tuple[str, str]) -> None:
        run = self._under_way.by_run.pop(mine)
        if self._under_way.alike.get(what) == mine:
            del self._under_way.alike[what]
        if not run.task.cancelled():
            run.task.exception()  # whoever waited for it has seen it; maybe nobody does any more

    async def _once(self, name: str, arguments_json: str, run_id: str) -> ToolOutcome:
        call_id, key = self._call_id, idempotency_key(self._call_id, run_id)
        if self._runs is None:
            return await self._tools.run(name, arguments_json, key=key)
        if self._saved is not None:
            await self._saved()
        manner = self._tools.manner(name)
        begun = await self._runs.begin(call_id, run_id)
        if begun.kind == "finished" and (begun.ok or not manner.once_per_call):
            return Outcome(begun.ok, begun.output, begun.effect, begun.proof)
        if begun.kind == "unknown" and not manner.idempotent:
            return Outcome(False, UNKNOWN)
        try:
            outcome = await self._tools.run(name, arguments_json, key=key)
        except asyncio.CancelledError:
            run = self._under_way.by_run.get((call_id, run_id))
            if run is not None and run.called_off:
                await self._runs.finish(call_id, run_id, CANCELLED, False)
            raise
        await self._runs.finish(
            call_id, run_id, outcome.output, outcome.ok, outcome.effect, outcome.proof
        )
        return outcome


def _joined(outcome: ToolOutcome) -> ToolOutcome:
    """The effect is carried out once, for the run itself, and what it proves counts once."""
    text = f'{{"note": {json.dumps(JOINED)}, "result": {outcome.output}}}'
    return Outcome(outcome.ok, text)
