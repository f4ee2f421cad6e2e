"""Finding the function that an agent's file names: "bookings.py:book_table" or "package:name"."""

import hashlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from app.tools.errors import ToolLoadError

_loading = threading.RLock()
"""Agents are loaded beside the event loop too; a file must not run twice."""


def load_function(reference: str, folder: Path) -> Callable[..., Any]:
    """The function behind a reference; files are looked up from `folder`.

    A file is run once in a process, however many agents and calls use it, so what it keeps in
    memory is common to all of them. A file that has changed is run anew, beside what was loaded of
    it before: running calls keep that, with its memory. Raises ToolLoadError.
    """
    source, colon, name = reference.partition(":")
    if not (source and colon and name):
        raise ToolLoadError(
            f'Expected a tool as "file.py:function" or "package.module:function", '
            f"got {reference!r}."
        )
    module = _file(folder / source) if source.endswith(".py") else _module(source)
    found = getattr(module, name, None)
    if found is None:
        near = get_close_matches(name, [n for n in vars(module) if not n.startswith("_")], n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise ToolLoadError(f"{source} has no function {name}{hint}")
    if not callable(found):
        raise ToolLoadError(f"{reference}: expected a function, got {type(found).__name__}.")
    function: Callable[..., Any] = found
    return function


def _file(path: Path) -> ModuleType:
    path = path.resolve()
    try:
        source = path.read_bytes()
    except OSError as error:
        text = f"Expected a Python file with a tool, found none at {path}."
        raise ToolLoadError(text) from error
    digest = hashlib.sha256(f"{path}\0".encode() + source).hexdigest()[:12]
    with _loading:
        return _run_file(path, source, f"earshot_tools_{path.stem}_{digest}")


def _run_file(path: Path, source: bytes, name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs: dataclasses look their own module up by name.
    sys.modules[name] = module
    try:
        # Not by its loader: compiled files are told apart by whole seconds.
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, (Exception, SystemExit)):
            raise
        raise _cannot_run(path.name, error) from error
    return module


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise _cannot_run(name, error) from error


def _cannot_run(source: str, error: BaseException) -> ToolLoadError:
    if isinstance(error, ToolLoadError):
        return error
    line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
    kind = type(error).__name__
    return ToolLoadError(f"{source} cannot be loaded: {kind}{line}: {error}")
