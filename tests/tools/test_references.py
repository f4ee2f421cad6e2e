"""A tool's reference finds its function, or says in a line what is wrong with which file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.tools.errors import ToolLoadError
from app.tools.references import load_function


def write(folder: Path, text: str) -> Path:
    (folder / "mine.py").write_text(text)
    return folder


def test_a_function_in_a_file_beside_the_agent(tmp_path: Path) -> None:
    write(tmp_path, "def look() -> int:\n    return 3\n")
    assert load_function("mine.py:look", tmp_path)() == 3


def test_a_function_in_an_installed_package(tmp_path: Path) -> None:
    import json

    assert load_function("json:dumps", tmp_path) is json.dumps


def test_a_file_runs_once_so_that_its_memory_is_common(tmp_path: Path) -> None:
    write(tmp_path, "seen = []\ndef look() -> list:\n    seen.append(1)\n    return seen\n")
    assert load_function("mine.py:look", tmp_path)() == [1]
    assert load_function("mine.py:look", tmp_path)() == [1, 1]


def test_files_of_the_same_name_in_two_folders_stay_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        write(folder, f"def look() -> str:\n    return {folder.name!r}\n")
    assert load_function("mine.py:look", one)() == "one"
    assert load_function("mine.py:look", two)() == "two"


def test_dataclasses_with_postponed_annotations_work(tmp_path: Path) -> None:
    write(
        tmp_path,
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass A:\n    x: int\ndef look(a: A) -> int:\n    'Look.'\n    return a.x\n",
    )
    from app.tools.functions import FunctionTool

    found = FunctionTool.of(load_function("mine.py:look", tmp_path))
    assert found.function(**found.read_arguments('{"a": {"x": 4}}')) == 4


@pytest.mark.parametrize(
    ("text", "reference", "told"),
    [
        ("", "look", 'Expected a tool as "file.py:function"'),
        ("", ":look", 'Expected a tool as "file.py:function"'),
        ("", "other.py:look", "found none at .*other.py"),
        ("def look(): ...", "mine.py:lock", "no function lock; did you mean look?"),
        ("look = 3", "mine.py:look", "expected a function, got int"),
        ("def look(:", "mine.py:look", r"cannot be loaded: SyntaxError \(line 1\)"),
        ("import nonsense_that_is_not_there", "mine.py:look", "ModuleNotFoundError"),
        ("1 / 0", "mine.py:look", "ZeroDivisionError"),
        ("raise SystemExit", "mine.py:look", "SystemExit"),
        ("", "nonsense.that_is_not_there:look", "ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, reference: str, told: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ToolLoadError, match=told):
        load_function(reference, tmp_path)


def test_a_broken_file_can_be_mended_and_loaded(tmp_path: Path) -> None:
    write(tmp_path, "1 / 0")
    with pytest.raises(ToolLoadError):
        load_function("mine.py:look", tmp_path)
    write(tmp_path, "def look() -> int:\n    return 3\n")
    assert load_function("mine.py:look", tmp_path)() == 3


def test_a_changed_file_is_run_anew_and_what_was_loaded_before_goes_on(tmp_path: Path) -> None:
    text = "seen = []\ndef look() -> list:\n    seen.append(1)\n    return seen\n"
    write(tmp_path, text)
    old = load_function("mine.py:look", tmp_path)
    old()
    write(tmp_path, text.replace("append(1)", "append(2)"))  # as long as before, in the same second
    new = load_function("mine.py:look", tmp_path)
    assert new() == [2]
    assert old() == [1, 1]
    write(tmp_path, text)
    assert load_function("mine.py:look", tmp_path) is old, "its memory is there as long as it is"


def test_a_file_that_two_threads_load_at_once_runs_once(tmp_path: Path) -> None:
    write(tmp_path, "import time\nseen = []\ntime.sleep(0.05)\ndef look():\n    return seen\n")
    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(lambda _: load_function("mine.py:look", tmp_path), range(4)))
    assert len({id(function()) for function in loaded}) == 1
