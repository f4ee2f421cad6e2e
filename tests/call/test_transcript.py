"""A line of the agent's holds the words that reached the caller, and no others."""

from hypothesis import given
from hypothesis import strategies as st

from app.call.transcript import Transcript, split_at_word


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
    transcript.agent_cut("a", 500, 1_000)

    (line,) = transcript.lines
    assert str(line) == "We are open [interrupted]"
    assert line.unheard == "from nine to five."


def test_words_that_come_after_the_cut_are_dropped() -> None:
    transcript = saying("Yes of course")
    transcript.agent_cut("a", 0, 1_000)
    transcript.agent_says("a", " I can", 200)

    assert str(transcript.lines[0]) == "[interrupted]"
    assert transcript.lines[0].unheard == "Yes of course"


def test_a_line_that_was_heard_is_not_cut_afterwards() -> None:
    transcript = saying("Goodbye.")
    transcript.agent_heard("a")
    transcript.agent_cut("a", 0, 1_000)

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


def test_unknown_items_are_harmless() -> None:
    transcript = Transcript()
    transcript.agent_heard("x")
    transcript.agent_cut("x", 1, 2)
    transcript.agent_silent("x", interrupted=True)

    assert transcript.lines == []


words = st.lists(st.text(alphabet="abc", min_size=1, max_size=8), min_size=1, max_size=12)


@given(words, st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_split_loses_no_word_and_breaks_none(said: list[str], heard: int, received: int) -> None:
    before, after = split_at_word(" ".join(said), heard, received)

    assert before.split() + after.split() == said


@given(words, st.integers(1, 10_000))
def test_nothing_heard_is_no_word_and_all_heard_is_every_word(
    said: list[str], received: int
) -> None:
    text = " ".join(said)

    assert split_at_word(text, 0, received) == ("", text)
    assert split_at_word(text, received, received) == (text, "")


@given(words, st.integers(0, 5_000), st.integers(0, 5_000))
def test_more_audio_is_never_fewer_words(said: list[str], one: int, other: int) -> None:
    text = " ".join(said)
    less, _ = split_at_word(text, min(one, other), 5_000)
    more, _ = split_at_word(text, max(one, other), 5_000)

    assert len(less) <= len(more)
