"""Tools that run once, whoever asks: again after a lost session, or on another worker.

The run's id is the model's own. What was begun and never came back may have taken effect, so the
model is told that, and the tool is not run again.
"""

import json
from dataclasses import dataclass
from typing import Literal, Protocol

from app.bridge.ports import ToolOutcome

UNKNOWN = json.dumps(
    {
        "error": "This was begun before the line broke and it is not known whether it took effect. "
        "It was not done again. Tell the caller, and check before you repeat it."
    }
)


class Plain(Protocol):
    async def run(self, name: str, arguments_json: str) -> ToolOutcome:
        """Runs a tool, whether it ran before or not."""
        ...


class Begun(Protocol):
    """What is known of a run when somebody asks for it."""

    @property
    def kind(self) -> Literal["run", "finished", "unknown"]: ...

    @property
    def output(self) -> str: ...

    @property
    def ok(self) -> bool: ...


class Runs(Protocol):
    """Remembers runs beyond this process. Neither method raises when its store is away."""

    async def begin(self, call_id: str, tool_call_id: str) -> Begun: ...

    async def finish(self, call_id: str, tool_call_id: str, output: str, ok: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    ok: bool
    output: str


class OnceTools:
    """The tools of one call. `runs` None: nothing outlives this process."""

    def __init__(self, tools: Plain, call_id: str, runs: Runs | None = None) -> None:
        self._tools = tools
        self._call_id = call_id
        self._runs = runs

    async def run(self, name: str, arguments_json: str, *, run_id: str) -> ToolOutcome:
        """See `app.bridge.ports.Tools`."""
        if self._runs is None:
            return await self._tools.run(name, arguments_json)
        begun = await self._runs.begin(self._call_id, run_id)
        if begun.kind == "finished":
            return Outcome(begun.ok, begun.output)
        if begun.kind == "unknown":
            return Outcome(False, UNKNOWN)
        outcome = await self._tools.run(name, arguments_json)
        await self._runs.finish(self._call_id, run_id, outcome.output, outcome.ok)
        return outcome
