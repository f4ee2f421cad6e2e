"""Invariant: the model knows a greeting only if its context holds as much as was heard of it."""

from bench.turns_greeting import GREETING, GREETING_MS, Greeted, findings, knows

GOOD = Greeted("listens/0", 60, GREETING_MS, False, False, True, GREETING, (), 1.0)
HALF = GREETING[: len(GREETING) // 2].rpartition(" ")[0]


def test_what_was_heard_is_known() -> None:
    assert knows(GREETING, GREETING_MS)
    assert knows(f"{HALF} [interrupted]", GREETING_MS // 2)
    assert not knows(GREETING, GREETING_MS // 2)
    assert not knows(f"{HALF} [interrupted]", GREETING_MS)
    assert not knows("", GREETING_MS)
    assert not knows("Something else.", GREETING_MS)


def test_a_late_first_frame_or_an_ignorant_model_misses_the_target() -> None:
    cut = Greeted("interrupts/1", 60, 900, True, True, True, "Hello", (), 1.0)
    assert findings([GOOD, cut]).met
    late = Greeted("listens/2", 400, GREETING_MS, False, False, True, GREETING, (), 1.0)
    assert not findings([late, cut]).met
    unaware = Greeted("interrupts/3", 60, 900, True, True, False, GREETING, (), 1.0)
    found = findings([GOOD, unaware])
    assert not found.met
    assert any("900 ms" in note for note in found.notes)
    assert not findings([]).met
