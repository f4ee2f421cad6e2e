"""Reading campaigns from TOML files, as strictly as agents are read."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from app.agents import agent_files
from app.agents.files import is_path
from app.agents.toml_file import Form, TomlFile, Wrong, read_data, read_text, read_toml
from app.campaigns import checks
from app.campaigns.plan import Plan
from app.shipped import shipped

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_VERSION_LETTERS: Final = 10


class PlanError(ValueError):
    """A campaign's file cannot be found or is wrong. One line for each problem, with its place."""


def default_search() -> tuple[Path, ...]:
    """The operator's `campaigns/` folder first, then the example that ships."""
    return (Path("campaigns"), shipped("campaigns"))


def campaign_files(search: Iterable[Path] | None = None) -> dict[str, Path]:
    """The campaigns' files that there are: name -> file. The first folder that has a name wins."""
    found: dict[str, Path] = {}
    for folder in default_search() if search is None else search:
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def load_plan(
    name_or_path: str | Path,
    search: Iterable[Path] | None = None,
    agents: Collection[str] | None = None,
) -> Plan:
    """A campaign by name, looked up in `search`, or by the path of its TOML file.

    `agents`: the names of those that there are; None: see `app.agents`. Raises `PlanError`, one
    line for each problem: file, line, key, what was expected, what came.
    """
    known = agent_files() if agents is None else agents
    text = str(name_or_path)
    if is_path(text):
        return _read(Path(text), known)
    files = campaign_files(search)
    if text not in files:
        near = get_close_matches(text, files, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        there = ", ".join(files) or "none"
        raise PlanError(f"There is no file campaigns/{text}.toml; there are: {there}.{hint}")
    return _read(files[text], known)


def plan_from(
    name: str, given: str | Mapping[str, Any], agents: Collection[str] | None = None
) -> Plan:
    """A plan that came otherwise than by a file: the same text, or its tables. Raises `PlanError`
    as `load_plan` does; the mistakes of tables have no line."""
    if not NAME.fullmatch(name):
        raise PlanError(f"expected a name of 1 to 64 letters, digits, - and _, got {name!r}.")
    path, ours = Path(f"{name}.toml"), {"name": name}
    mistakes = _mistakes(agent_files() if agents is None else agents)
    if isinstance(given, str):
        return read_text(path, given, _FORM, lambda text: ours, mistakes)
    return read_data(TomlFile(Path(name), "", given, _FORM), ours, mistakes)


def plan_data(plan: Plan) -> dict[str, Any]:
    """As it is kept: with every default, so that a later release changes no campaign."""
    data: dict[str, Any] = _ADAPTER.dump_python(plan, mode="json")
    return data


def plan_of(data: Mapping[str, Any]) -> Plan:
    """What `plan_data` gave. Raises pydantic's `ValidationError` for anything else."""
    return _ADAPTER.validate_json(json.dumps(data))


def version_of(plan: Plan) -> str:
    """Ten letters and digits that change with what the plan says, not with how it is written."""
    text = json.dumps(plan_data(plan), sort_keys=True, ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:_VERSION_LETTERS]


def _read(path: Path, agents: Collection[str]) -> Plan:
    return read_toml(path, _FORM, lambda text: {"name": path.stem}, _mistakes(agents))


def _mistakes(
    agents: Collection[str],
) -> Callable[[Plan, Mapping[str, Any]], Iterable[Wrong]]:
    return lambda plan, _file: checks.mistakes(plan, agents)


_ADAPTER: TypeAdapter[Plan] = TypeAdapter(Plan)
_FORM: Form[Plan] = Form(
    adapter=_ADAPTER,
    root=Plan,
    what="a campaign's file",
    named="a campaign",
    ours=("name",),
    error=PlanError,
)
