"""A line of the agent's holds the words that reached the caller, and no others."""

from app.call.transcript import Transcript


def saying(text: str) -> Transcript:
    transcript = Transcript()
    transcript.agent_says("a", text, 100)
    return transcript


def test_pieces_of_one_item_are_one_line() -> None:
    transcript = saying("Good ")
    transcript.agent_says("a", "morning. ", 150)
    transcript.agent_heard("a")

    assert [(str(line), line.at_ms) for line in transcript.lines] == [("Good morning.", 100)]


def test_a_cut_line_keeps_the_heard_words_and_says_so() -> None:
    transcript = saying("We are open from nine to five.")
    transcript.agent_cut("a", "We are open", "from nine to five.")

    (line,) = transcript.lines
    assert str(line) == "We are open [interrupted]"
    assert line.unheard == "from nine to five."


def test_words_that_come_after_the_cut_are_dropped() -> None:
    transcript = saying("Yes of course")
    transcript.agent_cut("a", "", "Yes of course")
    transcript.agent_says("a", " I can", 200)

    assert str(transcript.lines[0]) == "[interrupted]"
    assert transcript.lines[0].unheard == "Yes of course"


def test_a_line_that_was_heard_is_not_cut_afterwards() -> None:
    transcript = saying("Goodbye.")
    transcript.agent_heard("a")
    transcript.agent_cut("a", "", "Goodbye.")

    assert str(transcript.lines[0]) == "Goodbye."


def test_text_without_sound_was_not_heard() -> None:
    transcript = saying("Only written.")
    transcript.agent_silent("a", interrupted=False)

    assert transcript.as_json() == [
        {
            "speaker": "agent",
            "at_ms": 100,
            "text": "",
            "unheard": "Only written.",
            "interrupted": False,
        }
    ]


def test_at_the_end_what_was_not_heard_by_then_is_unheard() -> None:
    transcript = saying("Never played.")
    transcript.caller_began("c", 0, 200)
    transcript.close()

    assert transcript.lines[0].unheard == "Never played."
    assert not transcript.lines[1].final


def test_the_caller_stands_where_he_began_to_speak_however_late_his_words_come() -> None:
    transcript = Transcript()
    transcript.caller_began("c", 0, 100)
    transcript.agent_says("a", "Sure.", 900)
    transcript.caller_said("c", " When do you open? ", 2_000)

    lines = [(line.speaker, line.at_ms, line.text) for line in transcript.lines]
    assert lines == [("caller", 100, "When do you open?"), ("agent", 900, "Sure.")]


def test_speech_without_words_leaves_no_line_in_the_record() -> None:
    transcript = Transcript()
    transcript.caller_began("c", 0, 100)

    assert transcript.as_json() == []


def test_words_that_never_came_to_sound_are_no_part_of_a_line() -> None:
    transcript = saying("We are open from nine to five.")
    transcript.agent_broke_off("a", "We are open", "from nine to five.")
    assert str(transcript.lines[0]) == "We are open [interrupted]"

    transcript.agent_heard("a")
    assert str(transcript.lines[0]) == "We are open [interrupted]"
    assert transcript.lines[0].unheard == "from nine to five."


def test_what_broke_off_may_be_cut_or_never_heard() -> None:
    cut, never = saying("We are open from nine to five."), saying("We are open.")
    cut.agent_broke_off("a", "We are open", "from nine to five.")
    cut.agent_cut("a", "We", "are open from nine to five.")
    assert str(cut.lines[0]) == "We [interrupted]"

    never.agent_broke_off("a", "We are", "open.")
    never.close()
    assert (never.lines[0].text, never.lines[0].unheard) == ("", "We are open.")


def test_what_broke_off_and_was_played_is_known_for_good() -> None:
    transcript = saying("We are open from nine to five.")
    transcript.agent_broke_off("a", "We are", "open from nine to five.")
    transcript.agent_broke_off("a", "We are open", "from nine to five.", played=True)
    transcript.agent_broke_off("a", "We", "are open from nine to five.")
    assert str(transcript.lines[0]) == "We are open [interrupted]"


def test_a_line_that_broke_off_before_its_first_word_was_not_begun() -> None:
    transcript = saying("Goodbye.")
    transcript.agent_broke_off("a", "", "Goodbye.")
    assert (str(transcript.lines[0]), transcript.lines[0].unheard) == ("", "Goodbye.")


def test_a_line_whose_item_id_another_one_took_is_closed_too() -> None:
    transcript = saying("Goodbye.")
    transcript.caller_began("own-1", 0, 100)
    transcript.caller_carried("own-1", "a")
    transcript.close()
    assert (transcript.lines[0].final, transcript.lines[0].unheard) == (True, "Goodbye.")


def test_unknown_items_are_harmless() -> None:
    transcript = Transcript()
    transcript.agent_heard("x")
    transcript.agent_cut("x", "a", "b")
    transcript.agent_broke_off("x", "a", "b")
    transcript.agent_silent("x", interrupted=True)

    assert transcript.lines == []
