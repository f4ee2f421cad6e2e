"""Reading agents from TOML files, strictly: a key that means nothing is an error, not ignored."""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from app.agents.agent import Agent, Local, SemanticVad, ServerVad
from app.agents.checks import Wrong, mistakes
from app.agents.files import is_path, version_of
from app.agents.lines import line_of
from app.agents.placeholders import line_with
from app.agents.tables import keys_of, lists_tables, table_at
from app.shipped import shipped

ROUTES_FILE = "routes.toml"
"""Beside the agents; see `app.agents.routes`."""
_NOT_KEYS = ("name", "source", "version")
_VAD: dict[str, type] = {"server_vad": ServerVad, "semantic_vad": SemanticVad, "local": Local}
_WAYS = " or ".join(f'"{way}"' for way in _VAD)
_EXPECTED = {
    "union_tag_invalid": f"type = {_WAYS}",
    "union_tag_not_found": f"type = {_WAYS}",
    "missing": "this key",
    "dataclass_type": "a table",
    "dict_type": "a table",
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
}
"""Pydantic's kinds of errors, in the words of a TOML file."""
_PATTERNS = {
    "language": 'two small letters such as "en", or ""',
    "base_url": "an http:// or https:// address",
    "api_key_env": "the name of an environment variable",
    "project": "a project id without spaces",
    "secret_env": "the name of an environment variable",
    "webhook": "https:// addresses",
    "from_number": "a number in E.164 form: + and 8 to 15 digits",
    "messaging_service": "a messaging service: MG and 32 hexadecimal digits",
    "link": "an http:// or https:// address",
}
"""What the keys take whose text must look a certain way."""
_Key: TypeAlias = tuple[str | int, ...]
"""Where a value stands; a number counts what a list holds, from 0."""
T = TypeVar("T")


class AgentError(ValueError):
    """An agent cannot be found or its file is wrong. One line for each problem, with its place."""


def default_search() -> tuple[Path, ...]:
    """The operator's `agents/` folder first, then the agents that ship."""
    return (Path("agents"), shipped("agents"))


def agent_files(search: Iterable[Path] | None = None) -> dict[str, Path]:
    """The agents that there are: name -> file. The first folder that has a name wins."""
    found: dict[str, Path] = {}
    for folder in default_search() if search is None else search:
        for path in sorted(folder.glob("*.toml")):
            if path.name != ROUTES_FILE:
                found.setdefault(path.stem, path)
    return found


def load_agent(name_or_path: str | Path, search: Iterable[Path] | None = None) -> Agent:
    """An agent by name, looked up in `search`, or by the path of its TOML file.

    Raises AgentError, one line for each problem: file, line, key, what was expected, what came.
    """
    text = str(name_or_path)
    if is_path(text):
        return _read(Path(text))
    files = agent_files(search)
    if text not in files:
        near = get_close_matches(text, files, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        there = ", ".join(files) or "none"
        raise AgentError(f"There is no agent {text!r}; there are: {there}.{hint}")
    return _read(files[text])


def _read(path: Path) -> Agent:
    def ours(text: str) -> Mapping[str, str]:
        return {"name": path.stem, "source": str(path), "version": version_of(text, path.parent)}

    return read_toml(path, Agent, _ADAPTER, ours, mistakes)


def read_toml(
    path: Path,
    root: type,
    adapter: TypeAdapter[T],
    ours: Callable[[str], Mapping[str, str]],
    mistakes_in: Callable[[T, Mapping[str, Any]], Iterable[Wrong]],
) -> T:
    """A file whose keys are the fields of `root`, but for those that `ours` makes of its text.

    `mistakes_in`: what types cannot tell, of what was made and the data that it was made of.
    Raises AgentError, one line for each problem.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        what = "an agent's file" if root is Agent else "such a file"
        raise AgentError(f"{path}: expected {what}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise AgentError(f"{path}: expected UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise AgentError(f"{path}: it is not TOML: {error}.") from error
    file = TomlFile(path, text, data, root)
    given = {key: value for key, value in data.items() if key not in _NOT_KEYS}
    problems = [file.unknown((key,)) for key in data if key in _NOT_KEYS]
    made: T | None = None
    try:
        made = adapter.validate_json(_json({**given, **ours(text)}))
        problems += [file.wrong(mistake) for mistake in mistakes_in(made, data)]
    except ValidationError as error:
        problems += file.problems(error)
    if made is None or problems:
        raise AgentError("\n".join(sorted(problems, key=partial(_line_in, path))))
    return made


def _line_in(path: Path, problem: str) -> int:
    """Where a problem stands; 0: nowhere, such as a key that is missing."""
    line = problem.removeprefix(f"{path}:").partition(":")[0]
    return int(line) if line.isdigit() else 0


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file while its mistakes are told. `root`: the table that the whole of it is."""

    path: Path
    text: str
    data: Mapping[str, Any]
    root: type = Agent

    def problems(self, error: ValidationError) -> list[str]:
        """A line for each wrong key; of a choice of types, all that would have been right."""
        unknown: list[str] = []
        wrong: dict[_Key, list[str]] = {}
        for details in error.errors(include_url=False):
            key = self._key(details["loc"])
            if details["type"] == "missing" and len(key) < len(details["loc"]):
                key = (*key, details["loc"][-1])
            if details["type"] == "unexpected_keyword_argument":
                unknown.append(self.unknown(key))
            else:
                wrong.setdefault(key, []).append(_expected(self.root, key, details))
        return unknown + [self.told(key, " or ".join(e)) for key, e in wrong.items()]

    def told(self, key: _Key, expected: str) -> str:
        value = self._value(key)
        got = "it is missing" if value is None else f"got {_shown(self.root, key, value)}"
        return f"{self._place(key)}: expected {expected}, {got}."

    def wrong(self, mistake: Wrong) -> str:
        name = mistake.placeholder
        return f"{self._place(mistake.key, name)}: {mistake.text}"

    def unknown(self, key: _Key) -> str:
        table = table_at(self.root, key[:-1], self._value(key[:-1])) or self.root
        known = [n for n in keys_of(table) if table is not self.root or n not in _NOT_KEYS]
        near = get_close_matches(str(key[-1]), known, n=1)
        if key == ("name",):
            hint = "an agent is called like its file"
        else:
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return f"{self._place(key)}: there is no such key; {hint}"

    def _place(self, key: _Key, placeholder: str = "") -> str:
        line = line_of(self.text, key)
        if line and placeholder:
            line = line_with(self.text, placeholder, line)
        return f"{self.path}:{line}: {_named(key)}" if line else f"{self.path}: {_named(key)}"

    def _key(self, loc: _Key) -> _Key:
        """The part of pydantic's location that stands in the file: no union tags.

        The first part always counts, because a missing key has a location too.
        """
        key: _Key = ()
        for part in loc:
            if not key or self._value((*key, part)) is not None:
                key = (*key, part)
        return key

    def _value(self, key: _Key) -> Any:
        value: Any = self.data
        for part in key:
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value


def _named(key: _Key) -> str:
    """The key as the operator reads it; what a list holds is counted from 1."""
    name = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key)
    return name.removeprefix(".")


def _json(data: Mapping[str, Any]) -> str:
    """The same data as JSON, from which strict validation takes tables and lists as ours.

    TOML's dates have no place in an agent: they become what no key takes.
    """
    return json.dumps(data, default=lambda date: {"date": str(date)})


def _expected(root: type, key: _Key, details: ErrorDetails) -> str:
    if details["type"] == "string_pattern_mismatch":
        named = next((part for part in reversed(key) if isinstance(part, str)), "")
        return _PATTERNS.get(named, details["msg"])
    if details["type"] == "tuple_type" and lists_tables(root, key):
        return f"tables, each headed [[{_named(key)}]]"
    if details["type"] in _EXPECTED:
        return _EXPECTED[details["type"]]
    text = details["msg"].removeprefix("Input should be ").replace("'", '"')
    text = text.removeprefix("Value error, ")
    return f"a number {text}" if text.startswith(("less", "greater")) else text


def _shown(root: type, key: _Key, value: Any) -> str:
    """Where a key may have been written by mistake, what came is not shown."""
    if str(key[-1]).endswith("_env"):
        return "other characters"
    if isinstance(value, Mapping) and lists_tables(root, key):
        return "one table"
    return _quoted(value)


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


_ADAPTER: TypeAdapter[Agent] = TypeAdapter(Agent)
