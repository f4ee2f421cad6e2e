"""Invariant: a conversation that is handed over as text is read back as it was held."""

import json

from app.lab.realtime.ports import Turn
from app.lab.speech.dialog import ScriptedBrain
from app.lab.text.transcript import summary_of, turns_of

TEXT = """\
Agent: Hello, this is Harbour Table.
Caller: a table for four
and a chair: please
Agent: At what [interrupted]
Caller pressed: 4
Tool: book_table {"party_size": 4} -> {"code": "77"}
Tool: hang_up {} -> still running"""
TURNS = [
    Turn("assistant", "Hello, this is Harbour Table."),
    Turn("user", "a table for four\nand a chair: please"),
    Turn("assistant", "At what [interrupted]"),
    Turn("user", "4"),
    Turn("function_call", '{"party_size": 4}', "book_table"),
    Turn("function_call_output", '{"code": "77"}'),
    Turn("function_call", "{}", "hang_up"),
]


def test_each_line_is_a_turn_of_its_speaker() -> None:
    assert turns_of(TEXT) == TURNS


def test_text_that_names_no_speaker_says_nothing() -> None:
    assert turns_of("") == turns_of("just words\nand: more") == []


def test_the_summary_is_the_one_that_the_dialog_writes() -> None:
    (said,) = ScriptedBrain().aside(TURNS, "Summarise.")
    assert json.loads(summary_of("Summarise.", TEXT)) == json.loads(said.text)  # type: ignore[union-attr]
