"""Finding the function that an agent's file names: "bookings.py:book_table" or "package:name"."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from app.tools.errors import ToolLoadError


def load_function(reference: str, folder: Path) -> Callable[..., Any]:
    """The function behind a reference; files are looked up from `folder`.

    A file is run once in a process, however many agents and calls use it, so what it keeps in
    memory is common to all of them. Raises ToolLoadError.
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
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"earshot_tools_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    if not path.is_file():
        raise ToolLoadError(f"Expected a Python file with a tool, found none at {path}.")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs: dataclasses look their own module up by name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
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
