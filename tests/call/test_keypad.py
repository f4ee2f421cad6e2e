"""Keys pressed in one go reach the model as one entry, after the pause and once; a collection ends
in one result, loses no key and shows none that is private."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.key_entry import MASK
from app.call.keypad import Collect, KeyEntry, Keypad

PIN = Collect(min_digits=4, max_digits=4, masked=True, to_model="masked")


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
    assert Keypad(1_500).take_collected(10_000) is None


def collecting(settings: Collect) -> Keypad:
    """Since 0 ms."""
    keypad = Keypad(1_500)
    keypad.collect(settings, 0)
    return keypad


def press(keypad: Keypad, keys: str, from_ms: int = 1_000, every_ms: int = 500) -> None:
    for n, key in enumerate(keys):
        keypad.press(key, from_ms + n * every_ms)


def result(keypad: Keypad, now_ms: int) -> tuple[str, bool, str, int]:
    entry = keypad.take_collected(now_ms)
    assert entry is not None
    return entry.keys, entry.complete, entry.reason, entry.tries_left


# How a collection ends


def test_the_last_possible_key_completes_the_entry_at_once() -> None:
    keypad = collecting(Collect(min_digits=2, max_digits=3))
    press(keypad, "471")

    assert keypad.due_ms == 2_000
    assert result(keypad, 2_000) == ("471", True, "length", 0)
    assert not keypad.busy


def test_the_end_key_completes_the_entry_and_is_no_part_of_it() -> None:
    keypad = collecting(Collect())
    press(keypad, "47#")

    assert result(keypad, 2_000) == ("47", True, "terminator", 0)


def test_a_pause_completes_an_entry_that_is_long_enough() -> None:
    keypad = collecting(Collect(min_digits=2, terminator="", inter_digit_ms=4_000))
    press(keypad, "47")

    assert keypad.due_ms == 5_500
    assert keypad.take_collected(5_499) is None
    assert result(keypad, 5_500) == ("47", True, "pause", 0)


@pytest.mark.parametrize(
    ("keys", "reason"), [("123#", "too_short"), ("12*4", "not_allowed"), ("#", "too_short")]
)
def test_a_wrong_entry_gives_the_caller_another_try(keys: str, reason: str) -> None:
    keypad = collecting(Collect(min_digits=4, max_digits=4, retries=1))
    press(keypad, keys)

    assert result(keypad, 3_000)[1:] == (False, reason, 1)
    assert keypad.collecting
    press(keypad, "4711", 5_000)
    assert result(keypad, 7_000) == ("4711", True, "length", 0)


def test_no_key_at_all_is_asked_for_again_until_the_tries_are_used_up() -> None:
    keypad = collecting(Collect(first_digit_ms=10_000, retries=2))
    ends = []
    while (due_ms := keypad.due_ms) is not None and due_ms < 60_000:
        ends.append((due_ms, *result(keypad, due_ms)[2:]))

    assert ends == [(10_000, "no_input", 2), (20_000, "no_input", 1), (30_000, "no_input", 0)]
    assert not keypad.busy


def test_the_first_key_is_waited_for_from_the_end_of_the_question_on() -> None:
    keypad = collecting(Collect(first_digit_ms=10_000))
    keypad.question(0, playing=True)
    assert keypad.due_ms is None
    assert keypad.take_collected(60_000) is None
    keypad.question(60_000, playing=False)
    keypad.question(61_000, playing=False)

    assert keypad.due_ms == 70_000


def test_keys_pressed_during_the_question_count() -> None:
    keypad = collecting(Collect())
    keypad.question(0, playing=True)
    press(keypad, "47#")

    assert result(keypad, 2_000) == ("47", True, "terminator", 0)


def test_a_caller_who_speaks_calls_the_collection_off() -> None:
    keypad = collecting(Collect(retries=2))
    press(keypad, "47")
    keypad.cancel(2_000)
    keypad.cancel(2_001)

    assert result(keypad, 2_001) == ("47", False, "cancelled", 0)
    assert not keypad.busy


def test_nothing_is_called_off_that_was_not_asked_for() -> None:
    keypad = Keypad(1_500)
    keypad.press("1", 0)
    keypad.cancel(100)

    assert keypad.take_collected(100) is None
    assert keypad.take(1_500) == "1"


def test_an_entry_whose_time_was_up_is_not_called_off_afterwards() -> None:
    keypad = collecting(Collect())
    press(keypad, "47")
    keypad.cancel(60_000)

    assert result(keypad, 60_000) == ("47", True, "pause", 0)


def test_a_new_collection_calls_off_the_one_before() -> None:
    keypad = collecting(Collect())
    press(keypad, "47")
    keypad.collect(Collect(), 1_600)
    press(keypad, "8#", 3_000)

    assert result(keypad, 3_500) == ("47", False, "cancelled", 0)
    assert result(keypad, 3_500) == ("8", True, "terminator", 0)


# Before and after it


def test_keys_pressed_just_before_a_collection_belong_to_it() -> None:
    keypad = Keypad(1_500)
    press(keypad, "47", 0)
    keypad.collect(Collect(), 1_000)
    press(keypad, "1#", 1_500)

    assert keypad.take(60_000) == ""
    assert result(keypad, 2_000) == ("471", True, "terminator", 0)


def test_a_free_entry_that_was_complete_is_no_part_of_a_collection() -> None:
    keypad = Keypad(1_500)
    press(keypad, "47", 0)
    keypad.collect(Collect(), 2_000)
    press(keypad, "1#", 2_500)

    assert result(keypad, 3_000) == ("1", True, "terminator", 0)
    assert keypad.take(3_000) == "47"


def test_the_end_key_after_the_last_digit_is_not_told_to_the_model() -> None:
    keypad = collecting(Collect(max_digits=2, inter_digit_ms=4_000))
    press(keypad, "47#")
    keypad.take_collected(2_000)

    assert keypad.due_ms is None
    keypad.press("#", 60_000)
    assert keypad.take(61_500) == "#"


def test_keys_after_an_open_entry_are_free_keys() -> None:
    keypad = collecting(Collect(max_digits=1))
    press(keypad, "47")

    assert result(keypad, 2_000)[0] == "4"
    assert keypad.take(3_000) == "7"


def test_the_rest_of_a_masked_entry_that_was_broken_off_is_dropped() -> None:
    keypad = collecting(PIN)
    press(keypad, "47")
    keypad.cancel(1_700)
    press(keypad, "11", 2_000, every_ms=3_999)
    assert keypad.masked
    keypad.press("5", 5_999 + 4_000)

    assert keypad.take(60_000) == "5"
    assert not keypad.masked


def test_keys_soon_after_a_masked_collection_without_one_are_free_and_hidden() -> None:
    keypad = collecting(PIN)
    keypad.cancel(100)
    press(keypad, "47*", 5_000)

    assert keypad.take(7_500) == "••*"
    keypad.press("5", 10_100)
    assert keypad.take(11_600) == "5"
    assert not keypad.masked


def test_whoever_types_a_pin_while_it_is_asked_for_again_need_not_type_it_twice() -> None:
    keypad = collecting(PIN)
    keypad.cancel(100)
    keypad.take_collected(100)
    press(keypad, "47", 5_000)
    keypad.collect(PIN, 6_000)
    press(keypad, "11", 6_500)

    assert result(keypad, 7_000) == ("4711", True, "length", 0)
    assert keypad.take_to_hide() == (), "they were hidden from the start"


def test_hidden_keys_are_not_for_a_collection_that_shows_them() -> None:
    keypad = collecting(PIN)
    keypad.cancel(100)
    keypad.take_collected(100)
    press(keypad, "47", 5_000)
    keypad.collect(Collect(), 6_000)
    press(keypad, "8#", 6_500)

    assert result(keypad, 7_000)[0] == "8"
    assert keypad.take(60_000) == ""


# Private digits


def test_nobody_is_shown_private_digits() -> None:
    keypad = collecting(PIN)
    press(keypad, "4711")
    entry = keypad.take_collected(3_000)

    assert entry is not None
    assert (entry.keys, entry.shown, entry.for_model) == ("4711", "••••", "••••")
    assert "4711" not in f"{entry!r} {entry} {PIN!r}"


def test_the_model_may_know_digits_that_the_record_does_not_show() -> None:
    entry = KeyEntry("4711", True, "length", masked=True)

    assert (entry.shown, entry.for_model) == ("••••", "4711")
    assert "4711" not in repr(entry)


def test_digits_that_are_not_private_are_shown_as_they_are() -> None:
    entry = KeyEntry("4711", True, "length")

    assert (entry.shown, entry.for_model) == ("4711", "4711")


def test_keys_are_private_during_a_masked_collection_only() -> None:
    keypad = Keypad(1_500)
    assert not keypad.masked
    keypad.collect(PIN, 0)
    assert keypad.masked
    keypad.collect(Collect(), 0)
    assert not keypad.masked


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_digits": 0},
        {"min_digits": 5, "max_digits": 4},
        {"max_digits": 129},
        {"first_digit_ms": 0},
        {"inter_digit_ms": 0},
        {"retries": -1},
        {"allowed": ""},
        {"allowed": "12x"},
        {"terminator": "##"},
        {"terminator": "x"},
        {"terminator": "*", "allowed": "1*"},
        {"to_model": "masked"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Collect(**wrong)


# Ledgers

KEY = st.sampled_from("0123456789*#A")
STEPS = st.lists(
    st.tuples(
        st.integers(0, 6_000),
        st.sampled_from(["press"] * 6 + ["collect", "cancel", "take", "question", "played"]),
        KEY,
    ),
    max_size=60,
)
MOST_ENDS = 5
"""A free entry and all tries of a collection."""
ANY = st.builds(
    Collect,
    min_digits=st.integers(1, 3),
    max_digits=st.integers(3, 6),
    terminator=st.sampled_from(["#", ""]),
    retries=st.integers(0, 2),
)


@given(ANY, STEPS)
def test_each_key_comes_out_once_and_each_collection_ends_once(
    settings: Collect, steps: list[tuple[int, str, str]]
) -> None:
    keypad, now_ms = Keypad(1_500), 0
    pressed, collections = "", 0
    free, entries = "", list[KeyEntry]()

    def take() -> None:
        nonlocal free
        free += keypad.take(now_ms)
        while (entry := keypad.take_collected(now_ms)) is not None:
            entries.append(entry)

    for wait_ms, step, key in steps:
        now_ms += wait_ms
        match step:
            case "press":
                keypad.press(key, now_ms)
                pressed += key
            case "collect":
                keypad.collect(settings, now_ms)
                collections += 1
            case "cancel":
                keypad.cancel(now_ms)
            case "question" | "played":
                keypad.question(now_ms, playing=step == "question")
            case "take":
                take()
                assert keypad.due_ms is None or keypad.due_ms > now_ms
    keypad.question(now_ms, playing=False)
    for _ in range(MOST_ENDS):
        now_ms = max(now_ms, keypad.due_ms or 0)
        take()

    assert not keypad.busy
    assert sum(entry.tries_left == 0 for entry in entries) == collections
    assert all(not (entry.complete and entry.tries_left) for entry in entries)
    told = free + "".join(entry.keys for entry in entries)
    assert sorted(told.replace("#", "")) == sorted(pressed.replace("#", ""))
    for entry in entries:
        if entry.complete:
            assert settings.min_digits <= len(entry.keys) <= settings.max_digits
            assert set(entry.keys) <= set(settings.allowed)


@given(st.lists(KEY, max_size=30), st.integers(0, 3_999))
def test_no_key_of_a_masked_entry_is_ever_a_free_key(keys: list[str], every_ms: int) -> None:
    keypad = collecting(PIN)
    press(keypad, "4711", 0)
    press(keypad, "".join(keys), 1_500 + every_ms, every_ms)

    assert keypad.take(10_000_000) == ""


def outcome(
    settings: Collect, steps: list[tuple[int, str, str]]
) -> tuple[list[str], list[tuple[int, object]]]:
    """The keys as they are written down, and what came of everything."""
    keypad, now_ms = Keypad(1_500), 0
    written, outcomes = list[str](), list[tuple[int, object]]()
    for wait_ms, step, key in steps:
        now_ms += wait_ms
        match step:
            case "press":
                outcomes.append((now_ms, keypad.press(key, now_ms)))
                written.append(keypad.shown)
            case "collect":
                keypad.collect(settings, now_ms)
                hide = keypad.take_to_hide()
                written[len(written) - len(hide) :] = hide
            case "cancel":
                keypad.cancel(now_ms)
            case "question" | "played":
                keypad.question(now_ms, playing=step == "question")
            case _:
                outcomes.append((now_ms, keypad.take(now_ms)))
        entry = keypad.take_collected(now_ms)
        if entry is not None:
            outcomes.append((now_ms, (entry.for_model, entry.reason, entry.tries_left)))
    return written, outcomes


@given(st.sampled_from([PIN, replace(PIN, min_digits=2, max_digits=6, retries=0)]), STEPS)
def test_a_call_goes_the_same_with_its_hidden_keys_hidden(
    settings: Collect, steps: list[tuple[int, str, str]]
) -> None:
    written, first = outcome(settings, steps)
    shown = iter(written)
    hidden = [(wait, step, next(shown) if step == "press" else "") for wait, step, _ in steps]

    again, second = outcome(settings, hidden)
    assert second == first
    assert again == written


@given(STEPS)
def test_no_digit_that_came_of_a_masked_collection_is_written_down(
    steps: list[tuple[int, str, str]],
) -> None:
    """Without a pause in which a caller would have stopped typing."""
    longest_ms = PIN.inter_digit_ms // 10 - 1
    steps = [(min(wait, longest_ms), step, key) for wait, step, key in steps[:10]]
    steps = [(0, "collect", ""), *steps]
    written, outcomes = outcome(PIN, [s for s in steps if s[1] != "take"])

    assert not set("".join(written)) & set("0123456789")
    assert not set(str([told for _, told in outcomes if isinstance(told, tuple)])) & set("456789")


# What may be heard of keys


def guards(keypad: Keypad, *times_ms: int) -> list[str]:
    return [keypad.guard(ms) for ms in times_ms]


def test_a_private_entry_guards_from_the_question_to_its_last_possible_key() -> None:
    keypad = collecting(PIN)
    assert guards(keypad, 0, 900) == ["private", "private"]
    press(keypad, "123")
    assert guards(keypad, 2_000, 3_000) == ["typing", "typing"]
    keypad.press("4", 3_000)
    assert guards(keypad, 3_000, 6_999, 7_000) == ["private", "private", "tones"]


def test_a_private_entry_without_a_key_guards_the_late_ones() -> None:
    keypad = collecting(PIN)
    keypad.cancel(1_000)
    assert guards(keypad, 1_000, 10_999, 11_000) == ["private", "private", "tones"]
    keypad.press("1", 5_000)
    assert guards(keypad, 5_001) == ["typing"]


def test_an_entry_that_is_not_private_guards_nothing() -> None:
    keypad = collecting(replace(PIN, masked=False, to_model="digits"))
    press(keypad, "1234")
    assert guards(keypad, 2_600, 8_000) == ["none", "tones"]


def test_free_keys_may_come_to_be_private_until_they_are_told() -> None:
    keypad = Keypad(1_500)
    assert guards(keypad, 0) == ["tones"]
    keypad.press("1", 100)
    assert guards(keypad, 100, 5_000) == ["undecided", "undecided"]
    keypad.take(5_000)
    assert guards(keypad, 5_000) == ["tones"]


def test_keys_after_a_stream_broke_are_hidden_for_a_while() -> None:
    keypad = Keypad(1_500)
    keypad.doubt(0)
    keypad.press("4", 1_000)
    assert keypad.shown == "•"
    assert guards(keypad, 1_001, 2_000) == ["typing", "typing"]
    assert keypad.take(2_500) == "•"
    assert guards(keypad, 2_501, 14_999, 15_000) == ["private", "private", "tones"]
    keypad.press("5", 16_000)
    assert keypad.shown == "5"


# For whoever looks on


def test_an_entry_is_shown_once_it_is_whole() -> None:
    keypad = Keypad(1_500)
    press(keypad, "911")
    assert keypad.taken is None
    keypad.take(3_499)
    assert keypad.taken is None
    keypad.take(3_500)
    assert keypad.taken == (3_500, "911")


def test_the_rest_of_a_collection_is_not_shown_as_an_entry_and_the_next_one_is() -> None:
    keypad = collecting(Collect(max_digits=4))
    press(keypad, "4711" + "911", every_ms=200)
    assert result(keypad, 2_500)[0] == "4711"
    assert keypad.take(4_000) == "911", "the model is told"
    assert keypad.taken == (4_000, "")
    press(keypad, "911", from_ms=20_000)
    keypad.take(30_000)
    assert keypad.taken == (30_000, "911")


@pytest.mark.parametrize("pressed_ms", [1_000, 12_000])
def test_hidden_keys_are_not_shown(pressed_ms: int) -> None:
    keypad = collecting(replace(PIN, retries=0))
    press(keypad, "911", from_ms=pressed_ms, every_ms=200)
    keypad.take(30_000)
    assert keypad.taken is None or set(keypad.taken[1]) == {MASK}
