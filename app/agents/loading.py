"""Reading agents from TOML files, strictly: a key that means nothing is an error, not ignored."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter

from app.agents.agent import Agent, Local, SemanticVad, ServerVad
from app.agents.checks import mistakes
from app.agents.files import is_path, version_of
from app.agents.toml_file import Form, read_toml
from app.shipped import shipped

ROUTES_FILE = "routes.toml"
"""Beside the agents; see `app.agents.routes`."""
_VAD: dict[str, type] = {"server_vad": ServerVad, "semantic_vad": SemanticVad, "local": Local}
_WAYS = " or ".join(f'"{way}"' for way in _VAD)
_KINDS = {
    "union_tag_invalid": f"type = {_WAYS}",
    "union_tag_not_found": f"type = {_WAYS}",
}
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

    return read_toml(path, _FORM, ours, mistakes)


_FORM: Form[Agent] = Form(
    adapter=TypeAdapter(Agent),
    root=Agent,
    what="an agent's file",
    named="an agent",
    kinds=_KINDS,
    patterns=_PATTERNS,
    error=AgentError,
)
