"""Invariant: the page of records explains every key and stamp, and the log lines that there are."""

import ast

import pytest

from app.call.call import Call
from app.call.timeline import Interruption, Stamp, Timeline, ToolRun
from tests.docs.pages import ROOT, codes, page, table

TEXT = page("records")


def _told(after: str) -> set[str]:
    return {name for row in table(TEXT, after) for name in codes(row[0])}


def test_every_stamp_is_explained() -> None:
    assert _told("<!-- stamps:") == {stamp.value for stamp in Stamp}


def test_the_figures_lie_between_stamps() -> None:
    figures = table(TEXT, "So these are the usual figures")
    ends = {codes(cell)[0] for row in figures for cell in row[1:]}
    assert ends <= {stamp.value for stamp in Stamp}


def test_every_key_of_a_timeline_is_explained() -> None:
    record = Call().timeline.as_json().keys() | {"call_id", "stream_id", "direction", "transcript"}
    assert _told("## timeline.json") == record


def test_every_key_of_a_turn_is_explained() -> None:
    timeline = Timeline()
    turn = timeline.begin("caller")
    turn.tools.append(ToolRun("call_1", "find", 0))
    turn.interruption = Interruption(1, 2, "fence")
    assert _told("it begins the next turn.") == turn.as_json().keys()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app/bridge/twilio_socket.py", "call connected"),
        ("app/bridge/twilio_socket.py", "call ended"),
        ("app/server.py", "call progress"),
    ],
)
def test_the_fields_of_a_log_line_are_the_ones_of_the_code(path: str, text: str) -> None:
    rows = {codes(row[0])[0]: codes(row[2]) for row in table(TEXT, "## The log")}
    assert rows[text] == _fields(path, text)


def _fields(path: str, text: str) -> list[str]:
    """The named fields of the `event(...)` call that logs `text`."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and text in [
            argument.value for argument in node.args if isinstance(argument, ast.Constant)
        ]:
            return [str(keyword.arg) for keyword in node.keywords]
    raise AssertionError(f"nothing in {path} logs {text!r}")


def test_every_message_on_the_page_is_logged_somewhere() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    for name in ("records", "troubleshooting"):
        after = "## The log" if name == "records" else "## The log says"
        for row in table(page(name), after):
            assert f'"{codes(row[0])[0]}"' in source, row[0]
