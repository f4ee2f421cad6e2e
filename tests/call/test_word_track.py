"""Heard and unheard words are the text, in order, cut at a word's end near to where it was said."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.word_lengths import words_of
from app.call.word_track import LEARNED_SHARE, LEAST_SLOWNESS, Pace, WordTrack

MS = 8
"""Bytes."""
TEN = "one two three four five six seven eight nine ten"


def sent(text: str, *, word_ms: int = 400, lead_ms: int = 300, until_ms: int = 60_000) -> WordTrack:
    """Every word takes `word_ms`; it is sent when the audio is `lead_ms` before it."""
    track, words = WordTrack(), re.findall(r"\s*\S+", text)
    for at_ms in range(0, min(until_ms, word_ms * len(words)), 100):
        while (
            words and (len(re.findall(r"\s*\S+", text)) - len(words)) * word_ms <= at_ms + lead_ms
        ):
            track.text(words.pop(0))
        track.audio(100 * MS)
    return track


def test_a_whole_item_is_cut_where_it_was_said() -> None:
    track = sent(TEN)
    track.done()

    assert track.heard(2_050 * MS, 4_000 * MS) == (
        "one two three four five",
        "six seven eight nine ten",
    )


def test_text_that_is_far_ahead_of_the_audio_is_not_taken_for_heard() -> None:
    text = " ".join([TEN] * 3)
    track = sent(text, lead_ms=1_500, until_ms=4_000)

    heard, unheard = track.heard(4_000 * MS, 4_000 * MS)

    assert 8 <= len(heard.split()) <= 12
    assert len(f"{heard} {unheard}".split()) == 14


def test_where_one_goes_on_a_word_is_said_again_rather_than_left_out() -> None:
    for until_ms in range(400, 4_000, 100):
        track = sent(TEN, lead_ms=800, until_ms=until_ms)
        surely, others = track.came()
        heard, _ = track.heard(until_ms * MS, until_ms * MS)

        assert f"{surely} {others}".split() == "".join(track._pieces).split()
        assert len(heard.split()) - 1 <= len(surely.split()) <= len(heard.split())
    assert WordTrack().came() == ("", "")


def test_numbers_take_longer_than_their_letters() -> None:
    track = WordTrack()
    track.text("Your code is 4711, my dear.")
    track.audio(3_000 * MS)
    track.done()

    heard, _ = track.heard(1_800 * MS, 3_000 * MS)

    assert heard == "Your code is"


@pytest.mark.parametrize(
    "text", ["我们今天营业到晚上九点。好的", "本日は九時まで営業しています", "สวัสดีครับยินดีต้อนรับ"]
)
def test_scripts_without_spaces_are_cut_between_characters(text: str) -> None:
    track = WordTrack()
    track.text(text)
    track.audio(3_000 * MS)
    track.done()

    heard, unheard = track.heard(1_500 * MS, 3_000 * MS)

    assert heard + unheard == text
    assert 0.25 * len(text) < len(heard) < 0.75 * len(text)


def test_no_cut_falls_before_what_belongs_to_the_character_before_it() -> None:
    ends = [word.end for word in words_of("九点。のど。かﾞว่า")]

    assert ends == [1, 3, 4, 6, 7, 8, 10, 11]


def test_text_that_comes_before_or_after_all_audio_counts_by_its_length() -> None:
    before, after = WordTrack(), WordTrack()
    before.text(TEN)
    for track in (before, after):
        for _ in range(40):
            track.audio(100 * MS)
    after.text(TEN)
    for track in (before, after):
        track.done()
        heard, _ = track.heard(2_000 * MS, 4_000 * MS)
        assert len(heard.split()) in (4, 5)


def hurried(pace: Pace, *, at_once: bool) -> WordTrack:
    """4 s of an unfinished item whose text came three times as fast as it is said, or at once."""
    track, words = WordTrack(pace), re.findall(r"\s*\S+", " ".join([TEN] * 3))
    for index in range(40):
        if at_once or index % 4 == 3:
            for word in words if at_once else words[:3]:
                track.text(word)
            words = [] if at_once else words[3:]
        track.audio(100 * MS)
    return track


@pytest.mark.parametrize("pace", [Pace(), Pace(slowness=0.5, along=False)])
def test_text_that_does_not_run_along_with_the_audio_counts_by_its_length(pace: Pace) -> None:
    heard = [
        hurried(pace, at_once=at_once).heard(2_000 * MS, 4_000 * MS)[0] for at_once in (False, True)
    ]

    assert heard[0] == heard[1] != ""


def test_words_that_were_not_received_are_not_made_up() -> None:
    track = WordTrack()
    track.audio(2_000 * MS)

    assert track.heard(2_000 * MS, 2_000 * MS) == ("", "")


def test_a_slow_voice_is_known_by_its_next_item() -> None:
    first = sent(TEN, word_ms=600)
    first.done()
    assert first.pace.slowness > 1.15 * sent_pace(word_ms=400).slowness
    learned, unlearned = WordTrack(first.pace), WordTrack()
    for track in (learned, unlearned):
        track.text(TEN)
        track.audio(6_000 * MS)

    heard = [track.heard(3_000 * MS, 6_000 * MS)[0].split() for track in (learned, unlearned)]

    assert len(heard[0]) in (5, 6)
    assert len(heard[1]) > len(heard[0])


def sent_pace(word_ms: int) -> Pace:
    track = sent(TEN, word_ms=word_ms)
    track.done()
    return track.pace


def test_a_word_or_two_teach_nothing() -> None:
    track = sent("Of course.", word_ms=1_000)
    track.done()

    assert track.pace == Pace()


def test_audio_that_is_too_short_for_its_text_is_cut_somewhere() -> None:
    track = WordTrack()
    track.text(TEN)
    track.audio(100 * MS)
    track.done()

    assert track.heard(50 * MS, 100 * MS) == ("", TEN)
    assert track.pace.slowness == pytest.approx(1 + LEARNED_SHARE * (LEAST_SLOWNESS - 1))


def test_an_unfinished_item_teaches_nothing() -> None:
    assert sent(TEN, until_ms=2_000).pace == Pace()


@dataclass(frozen=True, slots=True)
class Sent:
    track: WordTrack
    text: str
    received: int


@st.composite
def anything_sent(draw: st.DrawFn) -> Sent:
    """Text and audio in any order and amount."""
    track, text, received = WordTrack(), "", 0
    alphabet = st.sampled_from("aeSt .,\n?7$東あก็é")
    for piece in draw(st.lists(st.one_of(st.text(alphabet, max_size=12), st.integers(0, 4_000)))):
        if isinstance(piece, str):
            track.text(piece)
            text += piece
        else:
            track.audio(piece)
            received += piece
    if draw(st.booleans()):
        track.done()
    return Sent(track, text, received)


@given(anything_sent(), st.integers(0, 50_000), st.booleans())
def test_a_cut_loses_adds_and_moves_nothing(sent: Sent, heard_bytes: int, complete: bool) -> None:
    heard, unheard = sent.track.heard(heard_bytes, sent.received, complete=complete)

    assert re.sub(r"\s", "", heard + unheard) == re.sub(r"\s", "", sent.text)
    assert sent.text.strip().startswith(heard)
    assert sent.text.strip().endswith(unheard)


@given(anything_sent(), st.integers(0, 20_000), st.integers(0, 20_000), st.booleans())
def test_more_audio_heard_is_never_fewer_words(
    sent: Sent, one: int, other: int, complete: bool
) -> None:
    less, _ = sent.track.heard(min(one, other), sent.received, complete=complete)
    more, _ = sent.track.heard(max(one, other), sent.received, complete=complete)

    assert len(less) <= len(more)


@given(anything_sent())
def test_nothing_heard_is_no_word_and_a_complete_item_heard_whole_is_every_word(
    sent: Sent,
) -> None:
    text = sent.text.strip()

    assert sent.track.heard(0, sent.received) == ("", text)
    if sent.received:
        assert sent.track.heard(sent.received, sent.received, complete=True) == (text, "")


@given(anything_sent(), st.integers(0, 20_000))
def test_words_in_letters_are_never_broken(sent: Sent, heard_bytes: int) -> None:
    heard, unheard = sent.track.heard(heard_bytes, sent.received)

    if heard and unheard:
        ascii_joint = heard[-1].isascii() and unheard[0].isascii()
        assert not ascii_joint or re.search(
            re.escape(heard) + r"\s+" + re.escape(unheard), sent.text
        )
