"""A changed file counts when it is right; one that is wrong changes nothing and is told once."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.reloading import Kept, Reloader


class Number:
    """A file that holds a number, and how often it was loaded."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "number"
        self.loads = 0
        self.write("1")
        self.kept = Kept("number", self.load, lambda: [self.path])

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def load(self) -> int:
        self.loads += 1
        return int(self.path.read_text())


@pytest.fixture
def number(tmp_path: Path) -> Number:
    return Number(tmp_path)


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_changed_file_is_loaded_once(number: Number) -> None:
    assert not number.kept.look()
    number.write("22")
    assert number.kept.look() and number.kept.value == 22
    assert not number.kept.look()
    assert number.loads == 2


def test_a_touched_file_is_not_loaded(number: Number) -> None:
    os.utime(number.path, ns=(1, 1))
    assert not number.kept.look()
    assert number.loads == 1


def test_a_wrong_file_changes_nothing_and_is_told_once(
    number: Number, caplog: pytest.LogCaptureFixture
) -> None:
    number.write("nonsense")
    assert [number.kept.look() for _ in range(3)] == [False] * 3
    assert number.kept.value == 1
    assert problems(caplog) == ["a changed file is wrong; its last good version goes on"]
    assert caplog.records[-1].fields["what"] == "number"  # type: ignore[attr-defined]
    assert "nonsense" in caplog.records[-1].fields["problems"]  # type: ignore[attr-defined]
    number.write("more nonsense")
    number.kept.look()
    assert len(problems(caplog)) == 2
    number.write("3")
    assert number.kept.look() and number.kept.value == 3


def test_a_file_that_is_gone_changes_nothing_until_it_is_back(
    number: Number, caplog: pytest.LogCaptureFixture
) -> None:
    number.path.unlink()
    assert not number.kept.look() and not number.kept.look()
    assert (number.kept.value, len(problems(caplog))) == (1, 1)
    number.write("4")
    assert number.kept.look() and number.kept.value == 4


def test_a_fault_of_ours_changes_nothing_and_shows_its_trace(
    number: Number, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise RuntimeError("ours")

    kept = Kept("number", number.load, lambda: [number.path])
    monkeypatch.setattr(kept, "_load", broken)
    number.write("5")
    assert not kept.look() and kept.value == 1
    assert problems(caplog) == ["a changed file could not be loaded"]


def test_a_change_while_it_is_loaded_is_not_missed(number: Number) -> None:
    def slow() -> int:
        value = number.load()
        if value == 6:
            number.write("777")
        return value

    kept = Kept("number", slow, lambda: [number.path])
    number.write("6")
    assert kept.look() and kept.value == 6
    assert kept.look() and kept.value == 777


def test_files_that_come_to_be_named_are_looked_at(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.write_text("a")

    def named() -> list[Path]:
        return [index, *(tmp_path / name for name in index.read_text().split())]

    def load() -> str:
        return "".join(path.read_text() for path in named()[1:])

    (tmp_path / "a").write_text("A")
    kept = Kept("index", load, named)
    index.write_text("a b")
    assert not kept.look(), "b is not there yet"
    (tmp_path / "b").write_text("B")
    assert kept.look() and kept.value == "AB"


async def test_the_reloader_looks_again_and_again_and_tells_of_changes(number: Number) -> None:
    told, changed = [], asyncio.Event()

    def swapped() -> None:
        told.append(number.kept.value)
        changed.set()

    running = asyncio.create_task(Reloader(lambda: [number.kept], swapped, 0.001).run())
    for value in (8, 99):
        number.write(str(value))
        await asyncio.wait_for(changed.wait(), 60)
        changed.clear()
    running.cancel()
    assert told == [8, 99]


async def test_everything_is_looked_at_whatever_changed_before(tmp_path: Path) -> None:
    asked: list[str] = []

    class Thing:
        def __init__(self, name: str, change: Callable[[], bool]) -> None:
            self.name, self.change = name, change

        def look(self) -> bool:
            asked.append(self.name)
            return self.change()

    things = [Thing("a", lambda: True), Thing("b", lambda: False)]
    assert await Reloader(lambda: things).look()
    assert asked == ["a", "b"]
