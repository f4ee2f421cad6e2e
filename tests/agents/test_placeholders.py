"""Names between braces are found and filled in one pass: no value is read for names again."""

from hypothesis import given
from hypothesis import strategies as st

from app.agents.placeholders import filled, line_with, names_in


def test_names_are_found_once_each_in_order() -> None:
    assert names_in("{{b}} { {a} } {{ a }} {{b}}, {{not a name}}") == ["b", "a", "not a name"]
    assert names_in("{{}} {{a\nb}} {{{x}}}") == ["", "x"]


@given(st.text(), st.text())
def test_a_value_is_never_expanded(before: str, value: str) -> None:
    text = f"{before.replace('{', '').replace('}', '')}{{{{a}}}}"
    assert filled(text, {"a": value, "b": "SECRET"}.__getitem__).endswith(value)
    assert filled("{{a}}", {"a": "{{b}}", "b": "SECRET"}.__getitem__) == "{{b}}"


@given(st.text())
def test_what_names_nothing_stays_as_it_is(text: str) -> None:
    if not names_in(text):
        assert filled(text, lambda name: "x") == text


def test_the_line_of_a_name_is_found_from_where_its_text_begins() -> None:
    text = "a = '{{x}}'\nb = '''\n\n{{ x }}\n'''\n"
    assert [line_with(text, "x", first) for first in (1, 2)] == [1, 4]
    assert line_with(text, "y", 2) == 2
