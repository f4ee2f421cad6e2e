"""Old audio is replaced by its words in batches only, and the newest turns keep their sound."""

import pytest

from app.call.pruning import Pruner, Replaced
from app.call.transcript import Line

SECOND_BYTES = 8_000


def line(speaker: str, number: int, **more: object) -> Line:
    told = {"text": f"words {number}", "final": True, **more}
    return Line(speaker, f"{speaker}-{number}", number, **told)  # type: ignore[arg-type]


def talk(turns: int) -> list[object]:
    return [line(speaker, n) for n in range(turns) for speaker in ("caller", "agent")]


def sounded(pruner: Pruner, log: list[object], seconds: int) -> None:
    for entry in log:
        assert isinstance(entry, Line)
        pruner.sounded(entry.item_id, seconds * SECOND_BYTES)


def ids(batch: list[Replaced]) -> list[str]:
    return [replaced.item_id for replaced in batch]


def test_the_newest_turns_stay_as_they_sounded() -> None:
    pruner, log = Pruner(tokens=1, keep_turns=2), talk(4)
    sounded(pruner, log, 10)

    assert ids(pruner.batch(log)) == ["caller-0", "agent-0", "caller-1", "agent-1"]


def test_nothing_is_replaced_before_enough_has_gathered() -> None:
    log = talk(3)
    # One old turn: 10 s of the caller are 100 tokens, 10 s of the agent 200.
    for tokens, expected in ((301, 0), (300, 2)):
        pruner = Pruner(tokens=tokens, keep_turns=2)
        sounded(pruner, log, 10)
        assert len(pruner.batch(log)) == expected


def test_what_was_replaced_is_not_replaced_again() -> None:
    pruner, log = Pruner(tokens=100, keep_turns=1), talk(3)
    sounded(pruner, log, 10)

    assert pruner.batch(log)
    assert pruner.batch(log) == []


def test_a_new_leg_remembers_no_sound() -> None:
    pruner, log = Pruner(tokens=1, keep_turns=1), talk(3)
    sounded(pruner, log, 10)
    pruner.leg_taken()

    assert pruner.batch(log) == []


@pytest.mark.parametrize("unfit", [{"final": False}, {"text": ""}])
def test_only_words_that_are_known_and_final_stand_for_sound(unfit: dict[str, object]) -> None:
    log = [line("caller", 0, **unfit), line("agent", 0), line("caller", 1), line("caller", 2)]
    pruner = Pruner(tokens=1, keep_turns=2)
    sounded(pruner, list(log), 10)

    assert ids(pruner.batch(log)) == ["agent-0"]


def test_cut_words_keep_their_mark() -> None:
    log = [line("agent", 0, interrupted=True), line("caller", 1), line("caller", 2)]
    pruner = Pruner(tokens=1, keep_turns=1)
    sounded(pruner, list(log), 10)

    assert pruner.batch(log)[0].text == "words 0 [interrupted]"


def test_turned_off_it_keeps_everything_and_no_books() -> None:
    pruner, log = Pruner(tokens=0, keep_turns=0), talk(9)
    sounded(pruner, log, 100)

    assert pruner.batch(log) == []
    assert len(pruner._bytes) == 0
