"""Invariant: where sound begins and ends is found to the sample, whatever lies between."""

from hypothesis import given
from hypothesis import strategies as st

from app.lab.speech.span import audible_span
from telecodecs.g711 import pcm_to_ulaw

LOUD = pcm_to_ulaw((400).to_bytes(2, "little"))
FAINT = pcm_to_ulaw((120).to_bytes(2, "little"))
assert (len(LOUD), len(FAINT)) == (1, 1)


@given(before=st.integers(0, 500), between=st.integers(0, 500), after=st.integers(0, 500))
def test_faint_sound_around_it_does_not_count(before: int, between: int, after: int) -> None:
    audio = FAINT * before + LOUD + FAINT * between + LOUD + FAINT * after
    assert audible_span(audio) == (before / 8, (before + between + 2) / 8)


def test_what_is_never_audible_has_no_span() -> None:
    assert audible_span(b"") is None
    assert audible_span(b"\xff\x7f" * 80 + FAINT * 80) is None
