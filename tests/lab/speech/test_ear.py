"""Invariant: the ear hears every caller's phrase exactly, and takes nothing else for one.

Real pocketsphinx, the clips that ship, the grammar of the dialog that ships.
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
import pytest_asyncio

from app.lab.realtime.ports import Ear, Say, Turn
from app.lab.speech.dialog import ScriptedBrain
from app.lab.speech.ear import SphinxEar
from app.lab.speech.faults import GrammarError, MissingPartError
from app.lab.speech.script import load_dialog
from app.lab.speech.voices import clip_names, voice_clip
from telecodecs import ULAW_SILENCE, pcm_to_ulaw, ulaw_to_pcm

DIALOG = load_dialog()
HINTS = DIALOG.hints("booking")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ear() -> AsyncIterator[SphinxEar]:
    async with SphinxEar() as ear:
        yield ear


@pytest.mark.parametrize("name", clip_names("phrase"))
async def test_every_phrase_of_a_caller_is_heard_exactly(ear: SphinxEar, name: str) -> None:
    clip = voice_clip(name)
    assert await ear.hear(clip.ulaw, HINTS) == clip.text


@pytest.mark.parametrize(
    "name", [name for kind in ("other", "noise", "cough", "breath") for name in clip_names(kind)]
)
async def test_other_speech_and_noises_are_rejected(ear: SphinxEar, name: str) -> None:
    verdict = await ear.judge(voice_clip(name).ulaw, HINTS)
    assert verdict.text is None
    assert verdict.reason in ("misfit", "no phrase")


@pytest.mark.parametrize("name", clip_names("phrase"))
async def test_what_the_ear_hears_the_brain_understands(name: str) -> None:
    booking = [Turn("assistant", "Hello."), Turn("user", "can i book a table")]
    heard = Turn("user", voice_clip(name).text)  # as the ear hears it, see above
    (answer, *_) = ScriptedBrain(DIALOG).reply([*booking, Turn("assistant", ""), heard], "")
    assert isinstance(answer, Say)
    assert answer.text not in DIALOG.states["booking"].not_understood


@pytest.mark.parametrize(
    "change",
    [
        lambda ulaw: ULAW_SILENCE * 2400 + ulaw + ULAW_SILENCE * 4000,
        lambda ulaw: ulaw[400:-400],
        lambda ulaw: scaled(ulaw, 0.25),
    ],
    ids=["the silence that a voice detector leaves", "less silence", "12 dB quieter"],
)
async def test_edges_and_level_do_not_matter(
    ear: SphinxEar, change: Callable[[bytes], bytes]
) -> None:
    for name in ("opening_hours_slt", "sorry_book_slt", "four_at_seven_slt", "book_rms"):
        clip = voice_clip(name)
        assert await ear.hear(change(clip.ulaw), HINTS) == clip.text


@pytest.mark.parametrize("level", [0, 30, 300, 3000])
async def test_silence_and_noise_are_nothing(ear: SphinxEar, level: int) -> None:
    samples = np.random.default_rng(level).normal(0, level, 16_000)
    assert await ear.hear(pcm_to_ulaw(samples.astype("<i2").tobytes()), HINTS) is None


async def test_the_same_sound_is_judged_the_same_whatever_came_before(ear: SphinxEar) -> None:
    clip = voice_clip("four_at_seven_rms").ulaw
    first = await ear.judge(clip, HINTS)
    await ear.judge(voice_clip("weather_slt").ulaw, HINTS)
    await ear.judge(scaled(clip, 0.1), ["goodbye"])
    assert await ear.judge(clip, HINTS) == first


async def test_only_what_is_hinted_at_is_heard(ear: SphinxEar) -> None:
    clip = voice_clip("goodbye_slt")
    assert await ear.hear(clip.ulaw, ["goodbye", "yes"]) == "goodbye"
    assert await ear.hear(clip.ulaw, ["what are your opening hours"]) is None


async def test_without_hints_the_ear_knows_small_talk(ear: SphinxEar) -> None:
    assert await ear.hear(voice_clip("goodbye_slt").ulaw, []) == "goodbye"


@pytest.mark.parametrize("n_bytes", [0, 1, 799])
async def test_a_click_is_no_utterance(ear: SphinxEar, n_bytes: int) -> None:
    verdict = await ear.judge(bytes(n_bytes), HINTS)
    assert (verdict.text, verdict.reason) == (None, "too short")


async def test_utterances_of_many_calls_at_once_are_not_mixed_up(ear: SphinxEar) -> None:
    clips = [voice_clip(name) for name in ("goodbye_slt", "book_rms", "opening_hours_awb")]
    heard = await asyncio.gather(*(ear.hear(clip.ulaw, HINTS) for clip in clips))
    assert heard == [clip.text for clip in clips]


async def test_more_grammars_than_are_kept_still_work(ear: SphinxEar) -> None:
    clip = voice_clip("goodbye_slt").ulaw
    for n in range(70):
        assert await ear.hear(clip, ["goodbye", "yes " * (n + 1)]) == "goodbye"


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        (["book a tabel"], "not in the ear's dictionary .*: tabel$"),
        (["a table for 4"], "no digits.*: 4$"),
        (["yes [please"], "right-hand sides of JSGF rules"),
        (["<party> people"], "without references to other rules"),
        (["yes; public <x> = no"], "right-hand sides of JSGF rules"),
    ],
)
async def test_hints_that_make_no_grammar_are_refused(
    ear: SphinxEar, hints: list[str], said: str
) -> None:
    with pytest.raises(GrammarError, match=said):
        await ear.hear(voice_clip("yes_rms").ulaw, hints)
    assert await ear.hear(voice_clip("yes_rms").ulaw, ["yes", "goodbye"]) == "yes"


async def test_weights_and_tags_of_jsgf_are_allowed(ear: SphinxEar) -> None:
    hints = ["/2/ goodbye {bye} | /1/ yes {yes}"]
    assert await ear.hear(voice_clip("goodbye_slt").ulaw, hints) == "goodbye"


async def test_it_is_an_ear(ear: SphinxEar) -> None:
    as_port: Ear = ear
    assert await as_port.hear(b"", []) is None


async def test_without_pocketsphinx_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"pip install 'earshot\[lab\]'"):
        SphinxEar()


def scaled(ulaw: bytes, factor: float) -> bytes:
    samples = np.frombuffer(ulaw_to_pcm(ulaw), dtype="<i2") * factor
    return pcm_to_ulaw(samples.astype("<i2").tobytes())
