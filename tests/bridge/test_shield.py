"""No tone of a private key passes, from before its start, and from the first key to the end of the
entry nothing does; a voice passes before the first key, and no byte is lost or added."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.shield import HELD_FRAMES, Frame, Shield, hushed
from app.call.keypad import Guard
from app.lab.speech.coded import coded_audio
from telecodecs import FRAME_BYTES, ULAW_SILENCE, dtmf_tone

VOICE = coded_audio(7, 0, 200, quiet=False)
STRICT: tuple[Guard, ...] = ("undecided", "private")


def frames(ulaw: bytes) -> list[Frame]:
    whole = range(0, len(ulaw) // FRAME_BYTES * FRAME_BYTES, FRAME_BYTES)
    pieces = [ulaw[at : at + FRAME_BYTES] for at in whole]
    return [
        Frame(b64encode(piece).decode(), piece, FRAME_BYTES, 20 * n)
        for n, piece in enumerate(pieces)
    ]


def passed(shield: Shield, ulaw: bytes) -> list[Frame]:
    return [out for frame in frames(ulaw) for out in shield.pass_on(frame)]


def sound(out: list[Frame]) -> bytes:
    return b"".join(frame.ulaw or ULAW_SILENCE * frame.n_bytes for frame in out)


def quiet(ms: int) -> bytes:
    return ULAW_SILENCE * (8 * ms)


def guarded(guard: Guard) -> Shield:
    shield = Shield()
    shield.follow(guard)
    return shield


@pytest.mark.parametrize("early_ms", range(0, 20, 3))
@pytest.mark.parametrize("guard", STRICT)
def test_of_a_tone_that_was_to_come_nothing_passes(guard: Guard, early_ms: int) -> None:
    line = quiet(100 + early_ms) + dtmf_tone("4", 90, 0) + quiet(210 - early_ms)
    assert not sound(passed(guarded(guard), line)).strip(ULAW_SILENCE)


@pytest.mark.parametrize("early_ms", range(0, 20, 3))
def test_of_any_other_tone_only_its_start_passes(early_ms: int) -> None:
    line = quiet(100 + early_ms) + dtmf_tone("4", 90, 0) + quiet(210 - early_ms)
    out = sound(passed(Shield(), line))
    assert len(out.strip(ULAW_SILENCE)) <= 15 * 8


def test_while_an_entry_goes_on_that_is_not_private_everything_passes() -> None:
    line = dtmf_tone("4711", 100, 100) + VOICE
    assert sound(passed(guarded("none"), line)) == line


def test_while_a_private_one_is_typed_nothing_passes_not_even_what_was_held_back() -> None:
    shield = guarded("private")
    before = passed(shield, VOICE)
    held = shield.follow("typing")
    during = passed(shield, VOICE)
    after = shield.follow("private")
    assert sound(before) == VOICE[: len(VOICE) - HELD_FRAMES * FRAME_BYTES]
    assert [frame.ulaw for frame in held] == [b""] * HELD_FRAMES
    assert [frame.ulaw for frame in during] == [b""] * (len(VOICE) // FRAME_BYTES)
    assert after == []


def test_the_tone_of_the_last_key_sounds_on_after_the_entry() -> None:
    shield = guarded("typing")
    tone = dtmf_tone("9", 200, 0)
    passed(shield, tone[:800])
    shield.follow("private")
    out = passed(shield, tone[800:] + quiet(100))
    assert not sound(out).strip(ULAW_SILENCE)


@pytest.mark.parametrize("guard", ["tones", *STRICT])
def test_a_voice_passes_unchanged(guard: Guard) -> None:
    shield = guarded(guard)
    out = passed(shield, VOICE) + shield.follow("none")
    assert sound(out) == VOICE
    assert shield.hushed_frames == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("none", "tones", "undecided", "private", "typing")),
            st.integers(0, 8),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_every_frame_comes_out_once_in_order_as_it_was_or_silent(
    steps: list[tuple[Guard, int, bool]],
) -> None:
    shield, given_, out = Shield(), list[Frame](), list[Frame]()
    for guard, count, silent in steps:
        out += shield.follow(guard)
        for _ in range(count):
            n = len(given_)
            ulaw = b"" if silent else VOICE[FRAME_BYTES * (n % 9) :][:FRAME_BYTES]
            frame = Frame(f"{n}" if ulaw else "", ulaw, FRAME_BYTES, 20 * n)
            given_.append(frame)
            out += shield.pass_on(frame)
    out += shield.follow("none" if shield.guard != "none" else "tones")
    assert len(out) == len(given_)
    assert all(a in (b, hushed(b)) for a, b in zip(out, given_, strict=True))
