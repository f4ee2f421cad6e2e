"""Of a private number nothing but its length is told, kept or recorded; where somebody would hear
it, it is not collected. In virtual time, with a model that answers."""

from app.call.call import Call
from app.call.caller_side import HIDDEN_KEYS
from app.call.collect_tool import SPOKE, UNSAFE
from app.call.commands import AddUserText
from app.call.events import (
    KeyPressed,
    KeysUnsafe,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
)
from tests.call.collecting_play import (
    SETTINGS,
    asked_of,
    asking,
    is_over,
    outputs,
    press,
    wanted,
    wishes,
)
from tests.call.handover_play import of, play
from tests.call.virtual_line import VirtualLine


def in_record(line: VirtualLine) -> str:
    """All that is done and kept because of the keys."""
    call, done = line.call, list(line.commands())
    return f"{done} {call.snapshot()} {call.timeline.as_json()} {call.transcript.as_json()}"


def test_of_a_private_number_only_its_length_is_told() -> None:
    line = asked_of(asking(min_digits=8, max_digits=8, masked=True))
    press(line, "83719264")
    line.run_for(3_000)

    assert outputs(line)["d1"] == {
        "ok": True,
        "digits": "••••••••",
        "count": 8,
        "masked": True,
        "reason": "length",
    }
    assert "count" in in_record(line)
    assert "8371" not in in_record(line)


def test_a_key_is_recorded_as_hidden_where_it_is_private_and_as_itself_elsewhere() -> None:
    line = asked_of(asking(min_digits=2, max_digits=2, masked=True))
    shown = []
    for key in "47#9":
        line.deliver(KeyPressed(key))
        shown.append(line.call.keypad.shown)
    line.run_for(5_000)
    line.deliver(KeyPressed("5"))

    assert shown == list("••#•")
    assert line.call.keypad.shown == "5"


def test_private_keys_that_came_before_the_tool_are_to_be_hidden_afterwards() -> None:
    call = Call(SETTINGS)
    play(call, 0, StreamStarted("call", "stream"), ModelReady("s", "m"))
    play(call, 1_000, KeyPressed("4"), KeyPressed("7"))
    assert call.keypad.undecided
    done = ResponseFinished("r1", "completed", tool_calls=(wanted(min_digits=4, masked=True),))
    play(call, 1_500, ResponseCreated("r1"), done)

    assert not call.keypad.undecided
    assert call.keypad.take_to_hide() == ("•", "•")
    assert call.keypad.take_to_hide() == ()


def test_a_pin_that_is_typed_after_all_is_told_of_but_not_told() -> None:
    line = asked_of(asking(min_digits=4, masked=True))
    line.speak(1_000, "Wait, where did I put it.")
    line.run_for(3_000)
    assert outputs(line)["d1"]["reason"] == SPOKE
    press(line, "8371")
    line.run_for(3_000)

    (told,) = of(AddUserText, list(line.commands()))
    assert told.text == HIDDEN_KEYS
    assert wishes(line)[-1] == ""
    assert "8371" not in in_record(line)


# Somebody hears the keys


def test_a_private_number_that_somebody_would_hear_is_called_off_and_answered_once() -> None:
    line = asked_of(asking(min_digits=4, max_digits=4, masked=True))
    press(line, "47")
    line.deliver(KeysUnsafe())
    line.run_for(3_000)
    press(line, "11")
    line.run_for(2_000)

    assert outputs(line) == {"d1": {"ok": False, "reason": UNSAFE}}
    is_over(line, answers=2)


def test_any_other_number_is_collected_all_the_same() -> None:
    line = asked_of(asking(min_digits=4, max_digits=4))
    line.deliver(KeysUnsafe())
    press(line, "4711")
    line.run_for(5_000)

    assert outputs(line) == {"d1": {"ok": True, "digits": "4711", "reason": "length"}}
    is_over(line, answers=2)
