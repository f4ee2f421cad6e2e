"""What the caller uttered is dated to the sample, and only by what can be heard."""

from hypothesis import given
from hypothesis import strategies as st

from app.lab.phone.said import Spoken, heard_between, spoken

LOUD = b"\x10"
QUIET = b"\xff"


@given(
    began_ms=st.integers(0, 10_000),
    edge=st.integers(0, 100),
    loud=st.integers(1, 300),
    after=st.integers(0, 100),
)
def test_onset_and_end_are_the_sounds_own(began_ms: int, edge: int, loud: int, after: int) -> None:
    audio = QUIET * 8 * edge + LOUD * 8 * loud + QUIET * 8 * after
    one = spoken("cough", "(cough)", began_ms, [(0, audio)])
    onset_ms = began_ms + edge
    assert one == Spoken("cough", "(cough)", began_ms, onset_ms, onset_ms + loud)


def test_pauses_go_from_sound_to_sound() -> None:
    piece = QUIET * 80 + LOUD * 160 + QUIET * 80
    one = spoken("hesitation", "i ... want", 1_000, [(0, piece), (500, QUIET * 80), (900, piece)])
    assert one is not None
    assert (one.onset_ms, one.end_ms) == (1_010, 1_930)
    assert one.pauses_ms == ((1_030, 1_910),)
    assert one.later(59).pauses_ms == ((1_089, 1_969),)
    assert (one.later(59).began_ms, one.later(59).end_ms) == (1_059, 1_989)


def test_what_nobody_can_hear_is_no_utterance() -> None:
    assert spoken("speech", "", 0, [(0, QUIET * 160)]) is None
    assert spoken("speech", "", 0, []) is None


def test_a_span_takes_what_begins_in_it_and_cuts_what_outlasts_it() -> None:
    utterances = [
        Spoken("speech", "before", 0, 80, 900),
        Spoken("speech", "in", 1_000, 1_080, 1_500),
        Spoken("hesitation", "cut", 1_800, 1_880, 3_000, ((1_900, 1_950), (1_960, 2_500))),
        Spoken("speech", "after", 1_990, 2_070, 2_500),
    ]
    inside = heard_between(utterances, 1_000, 2_000)
    assert [one.text for one in inside] == ["in", "cut"]
    assert [one.end_ms for one in inside] == [1_500, 2_000]
    assert inside[1].pauses_ms == ((1_900, 1_950), (1_960, 2_000))
