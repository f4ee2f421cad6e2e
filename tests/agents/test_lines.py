"""A key's line is where an editor would find it, or that of the table it belongs to."""

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from app.agents.lines import line_of

TEXT = '''# voice = 1
a = 1
text = """
b = 2
"""
b = 3
"quoted" = 4
[table]  # a comment
b = 5
[table.inner]
c = 6
'''


def test_keys_and_tables_are_found() -> None:
    assert line_of(TEXT, ("a",)) == 2
    assert line_of(TEXT, ("b",)) == 6
    assert line_of(TEXT, ("quoted",)) == 7
    assert line_of(TEXT, ("table",)) == 8
    assert line_of(TEXT, ("table", "b")) == 9
    assert line_of(TEXT, ("table", "inner", "c")) == 11


def test_a_key_that_is_missing_has_its_tables_line_or_none() -> None:
    assert line_of(TEXT, ("table", "x")) == 8
    assert line_of(TEXT, ("x",)) is None


def test_a_key_in_an_inline_table_has_the_line_of_the_table() -> None:
    assert line_of("a = 1\nt = { x = 1 }", ("t", "x")) == 2


def test_tables_of_a_list_are_counted() -> None:
    text = "a = 1\n[[many]]\nb = 1\n[other]\nb = 2\n[[many]]\nc = 1\nb = 3\n"
    assert line_of(text, ("many", 0, "b")) == 3
    assert line_of(text, ("many", 1, "b")) == 8
    assert line_of(text, ("many", 1)) == 6
    assert line_of(text, ("many", 1, "x")) == 6
    assert line_of(text, ("other", "b")) == 5


def test_what_a_list_on_one_line_holds_has_the_line_of_the_list() -> None:
    assert line_of("a = 1\nt = [{ x = 1 }, { x = 2 }]", ("t", 1, "x")) == 2


@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), unique=True), st.data())
def test_every_flat_key_is_found_on_its_line(keys: list[str], data: st.DataObject) -> None:
    values = [data.draw(st.text(st.characters(codec="ascii"), max_size=9)) for _ in keys]
    lines = [
        f"{key} = {json.dumps(value).replace(chr(127), '')}"
        for key, value in zip(keys, values, strict=True)
    ]
    text = "\n".join(lines)
    assert list(tomllib.loads(text)) == keys
    assert [line_of(text, (key,)) for key in keys] == list(range(1, len(keys) + 1))
