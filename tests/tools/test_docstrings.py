"""The model is told what the author wrote for it: nothing of the sections, all of the words."""

from hypothesis import given
from hypothesis import strategies as st

from app.tools.docstrings import read_docstring


def test_lines_are_joined_and_paragraphs_kept() -> None:
    assert read_docstring("One\ntwo.\n\nThree.")[0] == "One two.\nThree."


def test_google_style_parameters() -> None:
    text = (
        "Do.\n\nArgs:\n    a: first\n        more: words\n    b (int): second\n\n"
        "Returns:\n    c: not a parameter"
    )
    assert read_docstring(text) == ("Do.", {"a": "first more: words", "b": "second"})


def test_field_style_parameters() -> None:
    text = "Do.\n\n:param a: first\n    goes on\n:param int b: second\n:returns: c"
    assert read_docstring(text) == ("Do.", {"a": "first goes on", "b": "second"})


def test_a_colon_in_the_description_begins_no_section() -> None:
    assert read_docstring("Args and more: this is text.") == ("Args and more: this is text.", {})


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    description, words = read_docstring(text)
    assert isinstance(description, str)
    assert all(name and value == value.strip() for name, value in words.items())
