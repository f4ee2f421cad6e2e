"""Keys pressed in one go reach the model as one entry, after the pause and once."""

from app.call.keypad import Keypad


def test_keys_close_together_are_one_entry_after_the_pause() -> None:
    keypad = Keypad(1_500)
    keypad.press("1", 0)
    keypad.press("2", 1_400)

    assert keypad.due_ms == 2_900
    assert keypad.take(2_899) == ""
    assert keypad.take(2_900) == "12"


def test_an_entry_is_taken_once() -> None:
    keypad = Keypad(1_500)
    keypad.press("#", 0)
    keypad.take(1_500)

    assert keypad.take(9_000) == ""
    assert keypad.due_ms is None


def test_nothing_is_due_before_a_key() -> None:
    assert Keypad(1_500).due_ms is None
    assert Keypad(1_500).take(10_000) == ""
