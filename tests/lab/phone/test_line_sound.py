"""The line sounds as asked: ratio, delay and attenuation can be measured on it, the same seed gives
the same bytes, and a clean line changes none."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.phone.impairments import Band, Clipping, Echo, Impairments, KeyLeak, Noise
from app.lab.phone.line_sound import BAND_DELAY_MS, LineSound
from app.lab.speech.beds import BED_KINDS, BED_S, BedKind
from app.lab.speech.coded import coded_audio, decode_coded
from app.lab.speech.voices import clip_names, voice_clip
from telecodecs.dtmf import DtmfDetector
from telecodecs.g711 import pcm_to_ulaw, ulaw_to_pcm
from telecodecs.levels import ulaw_dbfs, ulaw_peak

QUIET = b"\xff" * 160
ROUND = BED_S * 50


def frames(audio: bytes) -> list[bytes]:
    return [audio[at : at + 160].ljust(160, b"\xff") for at in range(0, len(audio), 160)]


def linear(ulaw: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(ulaw_to_pcm(ulaw), "<i2").astype(np.float64)


def heard(
    impairments: Impairments, caller: list[bytes], bot: list[bytes | None] | None = None
) -> bytes:
    line = LineSound(impairments)
    beside = bot or [None] * len(caller)
    return b"".join(line.frame(one, other) for one, other in zip(caller, beside, strict=True))


def tone(hz: float, dbfs: float, seconds: float = 1.0) -> bytes:
    """A sine of this RMS level."""
    samples = np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)
    peak = 32768 * 10 ** (dbfs / 20) * 2**0.5
    return pcm_to_ulaw(np.rint(samples * peak).astype("<i2").tobytes())


def white(seed: int, seconds: float, dbfs: float = -20.0) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), int(8000 * seconds))
    return pcm_to_ulaw(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())


@given(st.lists(st.binary(min_size=160, max_size=160), min_size=1, max_size=5), st.integers(0, 9))
def test_a_clean_line_changes_no_byte(caller: list[bytes], seed: int) -> None:
    bot: list[bytes | None] = [b"\x10" * 160 for _ in caller]
    assert heard(Impairments(seed=seed, loss=0.5, delay_ms=9), caller, bot) == b"".join(caller)


def test_coded_audio_survives_a_line_on_which_nothing_happens_just_now() -> None:
    audio = coded_audio(7, 0, 1000, quiet=False)
    waiting = Impairments(echo=Echo(100, 20), key_leak=KeyLeak())
    (run,) = decode_coded(heard(waiting, frames(audio)))
    assert (run.stream_id, run.start_ms, run.end_ms) == (7, 0, 1000)
    assert not decode_coded(heard(Impairments(noise=Noise("white", 10)), frames(audio)))


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(set(BED_KINDS) - {"ringback"})),
    snr_db=st.floats(0, 30),
    seed=st.integers(0, 1_000),
)
def test_the_ratio_is_what_was_asked_with_words_and_without(
    kind: BedKind, snr_db: float, seed: int
) -> None:
    impairments = Impairments(noise=Noise(kind, snr_db), seed=seed)
    alone = heard(impairments, [QUIET] * ROUND)
    assert -20.0 - ulaw_dbfs(alone) == pytest.approx(snr_db, abs=0.5)
    if snr_db > 24:
        return  # μ-law's own noise, 38 dB below what it codes, begins to show
    words = frames(tone(440, -20.0, BED_S))
    noise = linear(heard(impairments, words)) - linear(b"".join(words))
    speech = linear(b"".join(words))
    ratio_db = 10 * np.log10((speech**2).mean() / (noise**2).mean())
    assert ratio_db == pytest.approx(snr_db, abs=0.5)


def test_the_ratio_holds_for_the_voices_that_ship() -> None:
    levels = [ulaw_dbfs(voice_clip(name).ulaw[640:-640]) for name in clip_names("phrase")]
    assert np.mean(levels) == pytest.approx(-20.0, abs=0.5)


def test_a_ringing_tone_has_its_level_while_it_sounds() -> None:
    line = linear(heard(Impairments(noise=Noise("ringback", 12)), [QUIET] * ROUND))
    power = (line.reshape(-1, 160) ** 2).mean(axis=1)
    sounding = power[power > power.max() / 100]
    level_dbfs = 10 * np.log10(sounding.mean() / 32768**2)
    assert (len(sounding) / len(power), level_dbfs) == pytest.approx((1 / 3, -32.0), abs=0.5)


def test_recordings_of_another_level_get_the_same_ratio() -> None:
    soft = Impairments(noise=Noise("pink", 10, speech_dbfs=-30))
    assert ulaw_dbfs(heard(soft, [QUIET] * ROUND)) == pytest.approx(-40, abs=0.5)


def test_the_same_seed_is_the_same_line_and_another_seed_another() -> None:
    def line(seed: int) -> bytes:
        every = Impairments(
            seed=seed,
            noise=Noise("street", 10),
            echo=Echo(80, 20),
            clipping=Clipping(),
            band=Band(),
        )
        return heard(every, [QUIET] * 50, [b"\x20" * 160] * 50)

    assert line(1) == line(1)
    assert line(1) != line(2)


@settings(max_examples=40, deadline=None)
@given(delay_ms=st.integers(0, 600), attenuation_db=st.floats(6, 34), seed=st.integers(0, 10_000))
def test_an_echo_has_its_delay_and_its_attenuation(
    delay_ms: int, attenuation_db: float, seed: int
) -> None:
    said = white(seed, 1.0, -16.0)
    bot: list[bytes | None] = [*frames(said), *[None] * 40]
    back = linear(heard(Impairments(echo=Echo(delay_ms, attenuation_db)), [QUIET] * 90, bot))
    spoken = linear(said)
    delay = delay_ms * 8
    score = [spoken @ back[at : at + 8000] for at in range(max(0, delay - 80), delay + 80)]
    assert max(0, delay - 80) + int(np.argmax(score)) == delay
    loss_db = 10 * np.log10((spoken**2).sum() / (back**2).sum())
    assert loss_db == pytest.approx(attenuation_db, abs=0.5)
    assert not back[:delay].any()


def test_an_echo_of_a_voice_is_near_its_attenuation_and_dies_away() -> None:
    clip = voice_clip("opening_hours_slt").ulaw
    bot: list[bytes | None] = [*frames(clip), *[None] * 50]
    line = heard(Impairments(echo=Echo(100, 20)), [QUIET] * len(bot), bot)
    loss_db = 10 * np.log10((linear(clip) ** 2).sum() / (linear(line) ** 2).sum())
    assert loss_db == pytest.approx(20, abs=2.5)
    assert line[-30 * 160 :] == QUIET * 30


def test_a_frame_of_the_bot_that_is_short_or_missing_leaves_a_hole_in_the_echo() -> None:
    bot: list[bytes | None] = [b"\x10" * 80, None, b"\x10" * 160]
    back = linear(heard(Impairments(echo=Echo(0, 6)), [QUIET] * 3, bot))
    assert np.abs(back[:80]).min() > 0
    assert not back[100:320].any()
    assert np.abs(back[320:]).min() > 0


def test_clipping_amplifies_and_then_cuts_voice_and_background_but_not_the_echo() -> None:
    clipping = Clipping(gain_db=12, limit_dbfs=-12)
    soft = heard(Impairments(clipping=clipping), frames(tone(440, -40)))
    assert ulaw_dbfs(soft) == pytest.approx(-28, abs=0.3)
    noisy = Impairments(clipping=clipping, noise=Noise("white", 0))
    loud = heard(noisy, frames(tone(440, -10)))
    assert ulaw_peak(loud) == pytest.approx(32768 * 10 ** (-12 / 20), rel=0.05)
    echoing = Impairments(clipping=clipping, echo=Echo(0, 6))
    bot: list[bytes | None] = [*frames(tone(440, -14))]
    back = heard(echoing, [QUIET] * 50, bot)
    assert ulaw_dbfs(back) == ulaw_dbfs(heard(Impairments(echo=Echo(0, 6)), [QUIET] * 50, bot))


def test_a_pressed_key_is_heard_in_the_callers_audio_with_its_length_and_level() -> None:
    line = LineSound(Impairments(key_leak=KeyLeak(level_dbfs=-20, tone_ms=90)))
    out = [line.frame(QUIET, None) for _ in range(3)]
    line.press("5")
    out += [line.frame(QUIET, None) for _ in range(7)]
    assert out[:3] == [QUIET] * 3
    assert out[8:] == [QUIET] * 2
    audio = b"".join(out)
    assert ulaw_dbfs(audio[480 : 480 + 720]) == pytest.approx(-20, abs=0.3)
    assert [key.key for key in DtmfDetector().push(audio)] == ["5"]


def test_keys_pressed_fast_sound_one_after_the_other() -> None:
    line = LineSound(Impairments(key_leak=KeyLeak(tone_ms=60)))
    line.press("1")
    line.press("9")
    out = [line.frame(QUIET, None) for _ in range(8)]
    assert [frame == QUIET for frame in out] == [False] * 6 + [True] * 2
    LineSound(Impairments()).press("1")


@pytest.mark.parametrize(("hz", "passes"), [(50, False), (440, True), (1000, True), (3000, True)])
def test_a_band_passes_speech_and_stops_what_lies_below(hz: int, passes: bool) -> None:
    line = heard(Impairments(band=Band()), frames(tone(hz, -20)))
    assert (ulaw_dbfs(line[800:]) > -21) is passes
    assert (ulaw_dbfs(line[800:]) < -32) is not passes


def test_a_band_delays_by_what_it_says() -> None:
    sound = white(1, 1.0)
    line = LineSound(Impairments(band=Band()))
    assert line.delay_ms == BAND_DELAY_MS
    out = linear(b"".join(line.frame(frame, None) for frame in frames(sound)))
    source = linear(sound)
    score = [source[: 8000 - at] @ out[at:] for at in range(200)]
    assert int(np.argmax(score)) == BAND_DELAY_MS * 8
    assert LineSound(Impairments()).delay_ms == 0


def test_noise_is_there_all_the_time() -> None:
    audio = heard(Impairments(noise=Noise("white", 20)), [QUIET] * 500)
    assert min(ulaw_dbfs(frame) for frame in frames(audio)) > -43
