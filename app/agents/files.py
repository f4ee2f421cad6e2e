"""Which files make an agent, and the version that they are."""

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

_VERSION_LETTERS: Final = 10
_TOOL_FILE: Final = re.compile(r"""["']([^"'\n:]+\.py):\w+["']""")
"""A tool's reference in an agent's text, wherever it stands; found also where the TOML is broken,
so that a file that will mend it is known."""


def is_path(name_or_path: str) -> bool:
    """Agents are given by name, or by the path of their file."""
    return name_or_path.endswith(".toml") or "/" in name_or_path or "\\" in name_or_path


def places(name_or_path: str, search: Iterable[Path]) -> tuple[Path, ...]:
    """Where the agent's file may stand; the first one that there is counts."""
    if is_path(name_or_path):
        return (Path(name_or_path),)
    return tuple(folder / f"{name_or_path}.toml" for folder in search)


def tool_files(text: str, folder: Path) -> tuple[Path, ...]:
    """The Python files that an agent's text names, each once."""
    return tuple(dict.fromkeys(folder / name for name in _TOOL_FILE.findall(text)))


def version_of(text: str, folder: Path) -> str:
    """Ten letters and digits that change with the agent's text and the files of its tools.

    A tool of an installed package counts by its name only.
    """
    digest = sha256(text.encode())
    for file in tool_files(text, folder):
        digest.update(f"\0{file.name}\0".encode() + content(file))
    return digest.hexdigest()[:_VERSION_LETTERS]


def content(file: Path) -> bytes:
    """Nothing for a file that cannot be read: whoever loads it says so."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def files_of(name_or_path: str, search: Iterable[Path]) -> tuple[Path, ...]:
    """All files whose change may change the agent, those that are not there included."""
    where = places(name_or_path, search)
    source = next((path for path in where if path.is_file()), None)
    if source is None:
        return where
    text = content(source).decode("utf-8", "replace")
    return (*where, *tool_files(text, source.parent))
