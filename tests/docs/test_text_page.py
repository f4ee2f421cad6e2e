"""Invariant: the page of text messages tells the figures, words and lines that the code has."""

import ast
from typing import get_args

from app.carriers.twilio.segments import MOST_CHARACTERS
from app.text import desk, limits, turn, writing
from app.text.keywords import keyword_of
from app.text.ports import Received
from app.text.prompt import MOST_PARTS
from app.text.sending import Sent
from app.texting import GATHER_S
from tests.docs.pages import ROOT, codes, page, table

TEXT = page("text")
WORDS = " ".join(TEXT.split())


def test_the_figures_are_the_ones_of_the_code() -> None:
    assert f"within {GATHER_S:g} s of each other" in WORDS
    assert f"Up to {turn.MOST_ROUNDS} answers of the model and {turn.TURN_S:g} s" in WORDS
    assert f"up to {MOST_PARTS} messages of {MOST_CHARACTERS} characters" in WORDS
    assert f"After {writing.MOST_LINES} lines a summary" in WORDS
    assert f"then {limits.FAILURE_REST_S / 60:g} minutes of rest" in WORDS
    assert f"beyond {limits.MOST_A_MINUTE} messages in a minute" in WORDS
    assert (limits.MOST_REPEATS, limits.MOST_QUICK) == (2, 4), "the fourth copy, five turns"
    assert limits.MACHINE_REST_S == 3600
    assert desk.OVERDUE_S + desk.LOOK_S < 15


def test_the_words_that_are_told_are_known() -> None:
    stop, start, help_ = (codes(row[0]) for row in table(TEXT, "## STOP, START, HELP"))
    languages = ("en", "de", "fr", "es")
    assert {keyword_of(word, languages, opted_out=False) for word in stop} == {"stop"}
    assert {keyword_of(word, languages, opted_out=True) for word in start} == {"start"}
    assert {keyword_of(word, languages, opted_out=False) for word in help_} == {"help"}


def _written() -> dict[str, set[str]]:
    """Kind -> fields, of every line that is added to a record."""
    lines: dict[str, set[str]] = {}
    for path in sorted((ROOT / "app/text").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "add" and len(node.args) == 3:
                kind = node.args[1]
                assert isinstance(kind, ast.Constant)
                fields = {str(keyword.arg) for keyword in node.keywords if keyword.arg}
                lines[str(kind.value)] = fields
    return lines


def test_every_line_of_a_record_is_told_with_its_fields() -> None:
    told = {codes(row[0])[0]: set(codes(row[1])) for row in table(TEXT, "<!-- lines:")}
    written = _written()
    assert told.keys() == written.keys()
    assert all(fields <= told[kind] for kind, fields in written.items())
    rows = {codes(row[0])[0]: codes(row[2]) for row in table(TEXT, "<!-- lines:")}
    assert set(rows["in"]) == {"taken_for", *get_args(Received)}
    assert set(rows["out"]) == {"how", *get_args(Sent)}
