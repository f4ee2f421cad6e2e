"""Reading what operators write in TOML, strictly: a key that means nothing is an error, not
ignored. Agents, routes and campaigns are read so, and their mistakes told in the same words."""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from app.agents.lines import line_of
from app.agents.placeholders import line_with
from app.agents.tables import keys_of, lists_tables, table_at

_EXPECTED: Final = {
    "missing": "this key",
    "dataclass_type": "a table",
    "dict_type": "a table",
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
}
"""Pydantic's kinds of errors, in the words of a TOML file."""
Key: TypeAlias = tuple[str | int, ...]
"""Where a value stands; a number counts what a list holds, from 0."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One mistake: where, and in a sentence what was expected there."""

    key: Key
    text: str
    placeholder: str = ""
    """The mistake is this name in `{{...}}` inside the key's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[T]):
    """What a kind of file may hold. `what`: the file, as in "expected an agent's file"."""

    adapter: TypeAdapter[T]
    root: type
    """The keys are its fields, but for those of `ours`."""
    what: str = "such a file"
    named: str = ""
    """Who bears the file's name, such as "an agent"; "": nobody."""
    ours: tuple[str, ...] = ("name", "source", "version")
    """Fields that are made here, not written by operators."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Further kinds of pydantic's errors -> what was expected."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Key -> what it takes, where its text must look a certain way."""
    error: type[ValueError]
    """What is raised: one line for each problem."""


def read_toml(
    path: Path,
    form: Form[T],
    ours: Callable[[str], Mapping[str, str]],
    mistakes_in: Callable[[T, Mapping[str, Any]], Iterable[Wrong]],
) -> T:
    """`ours`: the fields that are made of the file's text.

    `mistakes_in`: what types cannot tell, of what was made and the data that it was made of.
    Raises `form.error`, one line for each problem: file, line, key, what was expected, what came.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise form.error(f"{path}: expected {form.what}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise form.error(f"{path}: expected UTF-8 text.") from error
    return read_text(path, text, form, ours, mistakes_in)


def read_text(
    path: Path,
    text: str,
    form: Form[T],
    ours: Callable[[str], Mapping[str, str]],
    mistakes_in: Callable[[T, Mapping[str, Any]], Iterable[Wrong]],
) -> T:
    """The same of a text that came otherwise; `path` stands for it in what is told."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise form.error(f"{path}: it is not TOML: {error}.") from error
    return read_data(TomlFile(path, text, data, form), ours(text), mistakes_in)


def read_data(
    file: "TomlFile[T]",
    ours: Mapping[str, str],
    mistakes_in: Callable[[T, Mapping[str, Any]], Iterable[Wrong]],
) -> T:
    """The same of data that are at hand; without lines where the file has no text."""
    path, data, form = file.path, file.data, file.form
    given = {key: value for key, value in data.items() if key not in form.ours}
    problems = [file.unknown((key,)) for key in data if key in form.ours]
    made: T | None = None
    try:
        made = form.adapter.validate_json(_json({**given, **ours}))
        problems += [file.wrong(mistake) for mistake in mistakes_in(made, data)]
    except ValidationError as error:
        problems += file.problems(error)
    if made is None or problems:
        raise form.error("\n".join(sorted(problems, key=partial(_line_in, path))))
    return made


def _line_in(path: Path, problem: str) -> int:
    """Where a problem stands; 0: nowhere, such as a key that is missing."""
    line = problem.removeprefix(f"{path}:").partition(":")[0]
    return int(line) if line.isdigit() else 0


@dataclass(frozen=True, slots=True)
class TomlFile(Generic[T]):
    """A file while its mistakes are told."""

    path: Path
    text: str
    data: Mapping[str, Any]
    form: Form[T]

    def problems(self, error: ValidationError) -> list[str]:
        """A line for each wrong key; of a choice of types, all that would have been right."""
        unknown: list[str] = []
        wrong: dict[Key, list[str]] = {}
        for details in error.errors(include_url=False):
            key = self._key(details["loc"])
            if details["type"] == "missing" and len(key) < len(details["loc"]):
                key = (*key, details["loc"][-1])
            if details["type"] == "unexpected_keyword_argument":
                unknown.append(self.unknown(key))
            else:
                wrong.setdefault(key, []).append(_expected(self.form, key, details))
        return unknown + [self.told(key, " or ".join(e)) for key, e in wrong.items()]

    def told(self, key: Key, expected: str) -> str:
        value = self._value(key)
        got = "it is missing" if value is None else f"got {_shown(self.form.root, key, value)}"
        return f"{self._place(key)}: expected {expected}, {got}."

    def wrong(self, mistake: Wrong) -> str:
        name = mistake.placeholder
        return f"{self._place(mistake.key, name)}: {mistake.text}"

    def unknown(self, key: Key) -> str:
        root, ours = self.form.root, self.form.ours
        table = table_at(root, key[:-1], self._value(key[:-1])) or root
        known = [name for name in keys_of(table) if table is not root or name not in ours]
        near = get_close_matches(str(key[-1]), known, n=1)
        if key == ("name",) and self.form.named:
            hint = f"{self.form.named} is called like its file"
        else:
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return f"{self._place(key)}: there is no such key; {hint}"

    def _place(self, key: Key, placeholder: str = "") -> str:
        line = line_of(self.text, key)
        if line and placeholder:
            line = line_with(self.text, placeholder, line)
        return f"{self.path}:{line}: {_named(key)}" if line else f"{self.path}: {_named(key)}"

    def _key(self, loc: Key) -> Key:
        """The part of pydantic's location that stands in the file: no union tags.

        The first part always counts, because a missing key has a location too.
        """
        key: Key = ()
        for part in loc:
            if not key or self._value((*key, part)) is not None:
                key = (*key, part)
        return key

    def _value(self, key: Key) -> Any:
        value: Any = self.data
        for part in key:
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value


def _named(key: Key) -> str:
    """The key as the operator reads it; what a list holds is counted from 1."""
    name = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key)
    return name.removeprefix(".")


def _json(data: Mapping[str, Any]) -> str:
    """The same data as JSON, from which strict validation takes tables and lists as ours.

    TOML's dates have no place in such files: they become what no key takes.
    """
    return json.dumps(data, default=lambda date: {"date": str(date)})


def _expected(form: Form[Any], key: Key, details: ErrorDetails) -> str:
    if details["type"] == "string_pattern_mismatch":
        named = next((part for part in reversed(key) if isinstance(part, str)), "")
        return form.patterns.get(named, details["msg"])
    if details["type"] == "tuple_type" and lists_tables(form.root, key):
        return f"tables, each headed [[{_named(key)}]]"
    if told := form.kinds.get(details["type"]) or _EXPECTED.get(details["type"]):
        return told
    text = details["msg"].removeprefix("Input should be ").replace("'", '"')
    text = text.removeprefix("Value error, ")
    return f"a number {text}" if text.startswith(("less", "greater")) else text


def _shown(root: type, key: Key, value: Any) -> str:
    """Where a key may have been written by mistake, what came is not shown."""
    if str(key[-1]).endswith("_env"):
        return "other characters"
    if isinstance(value, Mapping) and lists_tables(root, key):
        return "one table"
    return _quoted(value)


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
