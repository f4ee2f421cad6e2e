"""Invariant: whatever the log can hold from level info up stands on a page, with the fields that it
has, and no page promises a line that nothing logs."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.docs.pages import ROOT, codes, page, table

_LEVELS = {"INFO": "info", "WARNING": "warning", "ERROR": "error", "CRITICAL": "critical"}
_METHODS = {"info", "warning", "error", "critical", "exception"}
_ELSEWHERE = ("app/lab/", "app/demo/")
"""What `earshot serve` never runs."""


@dataclass(frozen=True)
class Line:
    """A call in the source that logs a static text."""

    text: str
    level: str
    fields: tuple[str, ...] | None
    """None where they are not named in the call itself."""
    place: str


def _logged() -> Iterator[Line]:
    for path in sorted((ROOT / "app").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(_ELSEWHERE):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _lines_of(node, f"{place}:{node.lineno}")


def _lines_of(call: ast.Call, place: str) -> Iterator[Line]:
    name = _name(call.func)
    texts = [text for argument in call.args for text in _texts(argument)]
    levels = {level for argument in call.args for level in _levels(argument)}
    fields = tuple(str(keyword.arg) for keyword in call.keywords)
    if name == "event" and texts:
        # A level that is not written there is the one of a line that mostly tells no fault.
        level = _LEVELS[max(levels, key=list(_LEVELS).index)] if levels else "info"
        yield from (Line(text, level, fields, place) for text in texts[:1])
    elif name in ("tell", "_tell") and texts and place.startswith(_TELLERS):
        if levels or place.startswith("app/tools/"):
            yield Line(texts[0], _LEVELS[levels.pop()] if levels else "warning", None, place)
    elif name in _METHODS and texts and _name(call.func, owner=True) in ("logger", "_log"):
        yield Line(texts[0], "error" if name == "exception" else name, None, place)


def _levels(argument: ast.expr) -> list[str]:
    nodes = [node for node in ast.walk(argument) if isinstance(node, ast.Attribute)]
    return [node.attr for node in nodes if node.attr in _LEVELS]


def _name(func: ast.expr, *, owner: bool = False) -> str:
    if isinstance(func, ast.Attribute):
        return _name(func.value) if owner else func.attr
    return func.id if isinstance(func, ast.Name) else ""


def _texts(argument: ast.expr) -> list[str]:
    """The text itself, or both of `a if ... else b`."""
    if isinstance(argument, ast.IfExp):
        return [*_texts(argument.body), *_texts(argument.orelse)]
    value = argument.value if isinstance(argument, ast.Constant) else None
    return [value] if isinstance(value, str) else []


_TELLERS = ("app/tools/", "app/campaigns/dialling/")
"""Rooms that log by a function of their own."""
LOGGED = list(_logged())
RECORDS = {codes(row[0])[0]: row[1:] for row in table(page("records"), "<!-- log:")}


def _troubleshooting() -> set[str]:
    """The first code of each row of the section's tables."""
    section = page("troubleshooting").split("\n## The log says\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


def test_the_search_finds_what_is_logged_in_each_way() -> None:
    levels = {line.text: line.level for line in LOGGED}
    assert levels["call connected"] == "info"
    assert levels["call ended"] == "info"
    assert levels["webhook failed"] == "error"
    assert levels["a tool declined"] == "info"
    assert levels["media stream failed at the carrier"] == "warning"
    assert len(LOGGED) > 50


@pytest.mark.parametrize("line", LOGGED, ids=lambda line: line.text)
def test_every_line_stands_on_a_page(line: Line) -> None:
    pages = RECORDS.keys() if line.level == "info" else RECORDS.keys() | _troubleshooting()
    assert line.text in pages, f"{line.place} logs it; docs/records.md has no such line"


def test_no_page_promises_a_line_that_nothing_logs() -> None:
    assert RECORDS.keys() | _troubleshooting() <= {line.text for line in LOGGED}


@pytest.mark.parametrize("text", sorted(RECORDS))
def test_a_line_has_the_level_that_is_told(text: str) -> None:
    level = RECORDS[text][0].split(";")[0]
    assert level in {line.level for line in LOGGED if line.text == text}


@pytest.mark.parametrize("text", sorted(RECORDS))
def test_a_line_has_the_fields_that_are_told(text: str) -> None:
    named = [line.fields for line in LOGGED if line.text == text and line.fields is not None]
    if named:
        cell = RECORDS[text][1]
        in_parentheses = re.sub(r"\([^)]*\)", "", cell)
        told = codes(in_parentheses.split(":")[0])
        assert all(tuple(told) == fields for fields in named), named
