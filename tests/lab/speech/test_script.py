"""Invariant: a dialog that loads cannot stumble in a call; one that could says where, and why."""

from pathlib import Path

import pytest

from app.lab.speech.faults import DialogError
from app.lab.speech.script import DIALOGS_DIR, load_dialog, parse_dialog

GOOD = """
start = "open"
greeting = "Hello."
silence = "Hello?"
[states.open]
not_understood = ["Pardon?"]
[states.asked]
not_understood = ["Pardon?"]
[slots.size]
two = 2
[[rules]]
name = "book"
said = ["book [for <size>]"]
form = "booking"
[[rules]]
name = "size"
said = ["for <size>"]
say = ["For {size}, gladly."]
then = "asked"
[forms.booking]
state = "asked"
needs = ["size"]
ask = [{ missing = ["size"], say = "For how many?" }]
say = ["One moment."]
call = "book_it"
arguments = { n = "size" }
[[results]]
function = "book_it"
has = ["code"]
say = ["Code {code:spell}."]
[[results]]
function = "book_it"
has = []
say = ["No."]
"""


def test_a_good_file_loads() -> None:
    dialog = parse_dialog(GOOD, "x.toml")
    assert dialog.hints("open") == ("book [for (two)]", "for (two)")
    assert dialog.all_hints() == dialog.hints("open")


def test_a_rule_with_states_is_listened_for_in_those_only() -> None:
    dialog = parse_dialog(GOOD.replace('name = "size"', 'name = "size"\nstates = ["asked"]'), "x")
    assert dialog.hints("open") == ("book [for (two)]",)
    assert len(dialog.hints("asked")) == 2


@pytest.mark.parametrize("file", sorted(DIALOGS_DIR.glob("*.toml")), ids=lambda path: path.name)
def test_the_dialogs_that_ship_load(file: Path) -> None:
    assert load_dialog(file).all_hints()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('start = "open"', 'start = "opne"', "x.toml: start: no state 'opne'; .* asked, open"),
        ('greeting = "Hello."', "", "x.toml: Object missing required field `greeting`"),
        ('silence = "Hello?"', "silence = 3", "Expected `str`, got `int` - at `\\$.silence`"),
        ('silence = "Hello?"', "silence = ", "x.toml: .*line 4"),
        ('["Pardon?"]', "[]", "state 'open': expected at least one line in not_understood"),
        ("two = 2", "", "slot 'size': expected at least one value"),
        ("two = 2", '"two (2)" = 2', "slot 'size': expected lower-case words"),
        ("two = 2", '"<size>" = 2', "slot 'size': a value is plain words, got '<size>'"),
        ('name = "size"', 'name = "book"', "rule 'book': expected a name of its own"),
        ('["for <size>"]', "[]", "rule 'size': expected at least one phrase in said"),
        ('["for <size>"]', '["for <sise>"]', "rule 'size': no slot 'sise'; the slots are: size"),
        ('["for <size>"]', '["for ("]', "rule 'size': expected a word"),
        ('["for <size>"]', '["for [<size>]"]', "rule 'size': '{size}' in .* is not filled"),
        ('then = "asked"', 'then = "askd"', "rule 'size': no state 'askd'"),
        ('then = "asked"', 'call = "ring"', "rule 'size': it calls 'ring': expected a result"),
        ('form = "booking"', 'form = "bok"', "rule 'book': no form 'bok'; the forms are: booking"),
        ('form = "booking"', "", "rule 'book': expected either form, or say and call"),
        ('form = "booking"', 'form = "booking"\nsay = ["x"]', "rule 'book': expected either form"),
        ('form = "booking"', 'fomr = "booking"', "unknown field `fomr`"),
        ('state = "asked"', 'state = "?"', "form 'booking': no state '\\?'"),
        ('needs = ["size"]', 'needs = ["day"]', "form 'booking': no slot 'day'"),
        ('missing = ["size"]', "missing = []", "form 'booking': expected an ask with .*'size'"),
        ('n = "size"', 'n = "day"', "form 'booking': no slot 'day'"),
        ('"One moment."', '"One {x}."', "form 'booking': '{x}' in .* filled are: size"),
        ("has = []", 'has = ["other"]', "form 'booking': it calls 'book_it': expected a result"),
        ("{code:spell}", "{code:sing}", "result of 'book_it': expected {field}"),
        ("{code:spell}", "{cood}", "result of 'book_it': '{cood}' in .* filled are: code"),
        ("has = []", 'has = []\nthen = "x"', "result of 'book_it': no state 'x'"),
        ("has = []", 'has = []\nforget = ["x"]', "result of 'book_it': no slot 'x'"),
    ],
)
def test_a_fault_is_said_with_its_place_and_what_was_expected(
    old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(DialogError, match=said):
        parse_dialog(GOOD.replace(old, new, 1), "x.toml")


def test_a_state_in_which_nothing_is_listened_for_is_refused() -> None:
    spoiled = GOOD.replace("said =", 'states = ["open"]\nsaid =')
    with pytest.raises(DialogError, match="state 'asked': expected a rule that holds in it"):
        parse_dialog(spoiled, "x.toml")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DialogError, match=r"none\.toml: cannot be read: No such file"):
        load_dialog(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(b"RIFF\xff\xfe")
    with pytest.raises(DialogError, match=r"call\.wav: expected a dialog file"):
        load_dialog(tmp_path / "call.wav")
