"""All the tools of one agent: what the model is told of them, and how a call of one is run.

Whatever goes wrong, the model gets one clear sentence and the caller gets an answer. Tools that
belong to a topic are told to the model once it asked for the topic, by `load_tools`.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from app.tools.built_ins import BUILT_INS
from app.tools.errors import ArgumentError, ToolError, ToolLoadError
from app.tools.functions import FunctionTool
from app.tools.references import load_function
from app.tools.tool import Manner, Tool, ToolResult, failed, tell, trimmed
from app.tools.topics import LOAD_TOOLS, Topic, load_tools_schema, load_topic

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Tools that come and go while the process runs."""

    def tools(self, taken: Collection[str]) -> Iterable[Tool]:
        """Those that are known now; none has a name that is `taken`."""
        ...


class Toolbox:
    """The tools that one agent may use, by name.

    `timeout_s`: how long a tool may run, in seconds, if it names no time of its own.
    `max_output_chars`: longer outputs are cut, and say so.
    """

    def __init__(
        self,
        functions: Iterable[Callable[..., Any] | Tool] = (),
        *,
        built_ins: Iterable[str] = (),
        sources: Iterable[Source] = (),
        topics: Mapping[str, Topic] | None = None,
        timeout_s: float = 10.0,
        max_output_chars: int = 8_000,
    ) -> None:
        """`functions`: plain functions, or tools of any kind. `topics`: by name.

        Raises ToolLoadError if a function cannot be a tool or a name is taken twice.
        """
        self._timeout_s = timeout_s
        self._max_output_chars = max_output_chars
        self._fixed: dict[str, Tool] = {}
        self._built_ins = tuple(_built_in(name) for name in built_ins)
        self.sources = tuple(sources)
        """In the order of the agent's file."""
        self._topics = dict(topics or {})
        for function in functions:
            tool = _tool(function)
            if tool.name in self._fixed or tool.name in BUILT_INS or tool.name == LOAD_TOOLS:
                raise ToolLoadError(f"Two tools are called {tool.name}. Give one another name.")
            self._fixed[tool.name] = tool

    @classmethod
    def load(
        cls,
        references: Iterable[str],
        folder: Path,
        *,
        tools: Iterable[Tool] = (),
        sources: Iterable[Source] = (),
        topics: Mapping[str, Topic] | None = None,
        timeout_s: float = 10.0,
        max_output_chars: int = 8_000,
    ) -> "Toolbox":
        """The tools that an agent's file names: built-ins by name, functions by reference,
        whose files are looked up from `folder`. Raises ToolLoadError."""
        references = tuple(references)
        built_ins = [r for r in references if ":" not in r]
        functions = [load_function(r, folder) for r in references if ":" in r]
        return cls(
            [*functions, *tools],
            built_ins=built_ins,
            sources=sources,
            topics=topics,
            timeout_s=timeout_s,
            max_output_chars=max_output_chars,
        )

    # What the model is told

    @property
    def names(self) -> tuple[str, ...]:
        """Of all tools that are known now, loaded or not."""
        return (*self._tools(), *(str(schema["name"]) for schema in self._built_ins))

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        """For `session.tools`, in the order of the agent's file, built-ins last. `loaded`: the
        topics whose tools the model asked for."""
        tools = self._tools()
        hidden = self._hidden(tools, loaded)
        waiting = {name: t for name, t in self._topics.items() if name not in loaded}
        told = [tool.schema for name, tool in tools.items() if name not in hidden]
        if waiting:
            told.append(load_tools_schema(waiting))
        return [*told, *(dict(b) for b in self._built_ins if b["name"] not in hidden)]

    def _hidden(self, tools: Mapping[str, Tool], loaded: Collection[str]) -> set[str]:
        """Tools of topics that are not loaded, unless a loaded one has them too."""
        shown = {n for name in loaded if name in self._topics for n in self._of(name, tools)}
        return {n for name in self._topics for n in self._of(name, tools)} - shown

    def _of(self, topic: str, tools: Mapping[str, Tool]) -> list[str]:
        return self._topics[topic].names(tools)

    def _tools(self) -> dict[str, Tool]:
        if not self.sources:
            return self._fixed
        tools = dict(self._fixed)
        for source in self.sources:
            taken = {*tools, *BUILT_INS, LOAD_TOOLS}
            tools.update((tool.name, tool) for tool in source.tools(taken))
        return tools

    # What a call must know of them

    def manner(self, name: str) -> Manner:
        tool = self._tools().get(name)
        return Manner() if tool is None else tool.manner

    @property
    def manners(self) -> dict[str, Manner]:
        """Of all tools that are known now, built-ins left out."""
        return {name: tool.manner for name, tool in self._tools().items()}

    async def run(self, name: str, arguments_json: str, *, key: str = "") -> ToolResult:
        """Run a tool as the model asked. `key`: the same for every try of the same run; "": this
        is the only one. Raises nothing but cancellation."""
        if name == LOAD_TOOLS and self._topics:
            return load_topic(self._topics, arguments_json, self._tools())
        tool = self._tools().get(name)
        if tool is None:
            logger.warning("the model called a tool that is not run here")
            return failed(self._unknown(name))
        timeout_s = tool.timeout_s or self._timeout_s
        try:
            result = await tool.run(
                arguments_json, key=key or str(uuid.uuid4()), timeout_s=timeout_s
            )
        except ArgumentError as error:
            tell(name, "the model gave a tool wrong arguments")
            return failed(str(error))
        except ToolError as error:
            tell(name, "a tool declined", logging.INFO)
            return failed(str(error) or f"{name} did not work.")
        except TimeoutError:
            tell(name, "a tool took too long", timeout_s=timeout_s)
            return failed(
                f"{name} did not finish within {timeout_s:g} seconds and may still take effect."
            )
        most_chars = tool.max_output_chars or self._max_output_chars
        return ToolResult(result.ok, trimmed(result.output, most_chars), result.effect)

    def _unknown(self, name: str) -> str:
        if name in BUILT_INS:
            return f"{name} is carried out by the call itself and was not run here."
        near = get_close_matches(name, self.names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"There is no such tool; there are: {', '.join(self.names) or 'none'}.{hint}"


def _tool(function: "Callable[..., Any] | Tool") -> Tool:
    return function if isinstance(function, Tool) else FunctionTool.of(function)


def _built_in(name: str) -> Mapping[str, Any]:
    if name in BUILT_INS:
        return BUILT_INS[name]
    near = get_close_matches(name, BUILT_INS, n=1)
    hint = f"did you mean {near[0]}?" if near else 'functions are named "file.py:function".'
    raise ToolLoadError(f"There is no built-in tool {name}; {hint}")
