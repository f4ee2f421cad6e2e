"""Words are cut where the sound was cut, each item by its own track; one item tells the pace of the
next."""

from app.call.wording import Wording

TEXT = "We are open every day from nine to five and on Sundays from ten to four."
MS = 4_500


def told(wording: Wording, item_id: str, ms: int = MS) -> None:
    """An item in one response of the same name, its text ahead of its sound."""
    wording.said(item_id, item_id, TEXT)
    wording.sounded(item_id, item_id, ms * 8)
    wording.finished(item_id)


def test_what_was_heard_and_what_was_not_are_all_that_was_said() -> None:
    wording = Wording()
    told(wording, "a")
    heard, unheard = wording.cut("a", MS * 4, MS * 8)
    assert f"{heard} {unheard}" == TEXT
    assert 5 <= len(heard.split()) <= 11


def test_nothing_heard_is_no_word_and_all_heard_is_every_word() -> None:
    wording = Wording()
    told(wording, "a")
    assert wording.cut("a", 0, MS * 8) == ("", TEXT)
    assert wording.cut("a", MS * 8, MS * 8) == (TEXT, "")


def test_items_do_not_share_their_words() -> None:
    wording = Wording()
    told(wording, "a")
    wording.said("rb", "b", "Goodbye.")
    wording.sounded("rb", "b", 800 * 8)
    assert wording.cut("b", 0, 6_400) == ("", "Goodbye.")


def test_an_item_is_complete_when_the_next_of_its_response_begins() -> None:
    wording = Wording()
    wording.said("r", "a", TEXT)
    wording.sounded("r", "a", MS * 8)
    wording.sounded("r", "b", 160)
    assert wording.cut("a", MS * 8, MS * 8) == (TEXT, "")


def test_a_slow_voice_is_known_by_its_second_item() -> None:
    slow, usual = Wording(), Wording()
    for _ in range(3):
        told(slow, "first", 2 * MS)
    slow.said("second", "second", TEXT)
    slow.sounded("second", "second", 2_000 * 8)
    usual.said("second", "second", TEXT)
    usual.sounded("second", "second", 2_000 * 8)
    by_slow = slow.cut("second", 2_000 * 8, 2_000 * 8)[0]
    by_usual = usual.cut("second", 2_000 * 8, 2_000 * 8)[0]
    assert len(by_slow) < len(by_usual)

    slow.other_voice()
    slow.said("third", "third", TEXT)
    slow.sounded("third", "third", 2_000 * 8)
    assert slow.cut("third", 2_000 * 8, 2_000 * 8)[0] == by_usual


def test_an_unknown_item_has_no_words() -> None:
    assert Wording().cut("x", 10, 20) == ("", "")


def test_words_whose_sound_never_came_were_not_said() -> None:
    wording = Wording()
    wording.said("r", "a", TEXT)
    wording.sounded("r", "a", MS * 4)
    broke_off = wording.broke_off("r")
    assert broke_off is not None
    item_id, said, unsaid = broke_off
    assert (item_id, f"{said} {unsaid}") == ("a", TEXT)
    assert 4 <= len(said.split()) <= 9
    assert wording.cut("a", 8 * 600, MS * 4)[0] in said, "it may be cut still"


def test_only_the_newest_item_of_a_response_can_break_off() -> None:
    wording = Wording()
    wording.said("r", "a", TEXT)
    wording.sounded("r", "a", MS * 8)
    wording.said("r", "b", "Goodbye.")
    assert wording.broke_off("r") == ("b", "", "Goodbye.")
    assert wording.cut("a", MS * 8, MS * 8) == (TEXT, "")


def test_what_came_to_its_own_end_does_not_break_off() -> None:
    wording = Wording()
    told(wording, "a")
    assert wording.broke_off("a") is None
    assert wording.broke_off("unknown") is None
