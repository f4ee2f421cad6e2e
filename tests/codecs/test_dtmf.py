"""Every press is heard once, as ITU-T Q.24 demands of a receiver, and nothing else is."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecodecs.dtmf import HIGH_GROUP_HZ, KEYS, LOW_GROUP_HZ, DtmfDetector, dtmf_tone
from telecodecs.g711 import ULAW_SILENCE, pcm_to_ulaw
from telecodecs.levels import pcm_dbfs, ulaw_dbfs

Floats = npt.NDArray[np.float64]
LEVEL_DBFS = -13.0


def silence(ms: int) -> Floats:
    return np.zeros(ms * 8)


def tone(
    key: str,
    ms: int,
    *,
    low_off: float = 0.0,
    high_off: float = 0.0,
    twist_db: float = 0.0,
    level_dbfs: float = LEVEL_DBFS,
    phase_rad: float = 0.0,
) -> Floats:
    """A key's two tones, written apart from `dtmf_tone` so that one cannot hide the other's error.

    `low_off` and `high_off` are relative frequency errors; positive twist: the high group louder.
    """
    number = KEYS.index(key)
    t = np.arange(ms * 8) / 8_000
    low_hz = LOW_GROUP_HZ[number // 4] * (1 + low_off)
    high_hz = HIGH_GROUP_HZ[number % 4] * (1 + high_off)
    low = np.sin(2 * np.pi * low_hz * t + phase_rad)
    high = np.sin(2 * np.pi * high_hz * t - phase_rad) * 10 ** (twist_db / 20)
    rms = np.sqrt((1 + 10 ** (twist_db / 10)) / 2)
    pair: Floats = (low + high) / rms * 10 ** (level_dbfs / 20)
    return pair


def line(*parts: Floats, snr_db: float | None = None, seed: int = 0) -> bytes:
    """The parts one after another as the telephone line gives them, with white noise or without."""
    audio = np.concatenate([silence(50), *parts, silence(100)])
    if snr_db is not None:
        noise = np.random.default_rng(seed).standard_normal(len(audio))
        audio = audio + noise * 10 ** ((LEVEL_DBFS - snr_db) / 20)
    scaled = np.clip(np.rint(audio * 32_768), -32_768, 32_767)
    return pcm_to_ulaw(scaled.astype("<i2").tobytes())


def heard(ulaw: bytes) -> str:
    return "".join(press.key for press in DtmfDetector().push(ulaw))


def test_the_frequencies_are_those_of_q23() -> None:
    assert LOW_GROUP_HZ == (697, 770, 852, 941)
    assert HIGH_GROUP_HZ == (1209, 1336, 1477, 1633)
    rows = [KEYS[at : at + 4] for at in range(0, 16, 4)]
    assert rows == ["123A", "456B", "789C", "*0#D"]


@pytest.mark.parametrize("tone_ms", [40, 100, 1_000])
def test_all_keys_are_heard_in_order_through_ulaw(tone_ms: int) -> None:
    assert heard(dtmf_tone(KEYS, tone_ms=tone_ms, gap_ms=60)) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_tone_has_its_keys_two_frequencies_and_no_third(key: str) -> None:
    pcm = dtmf_tone(key, tone_ms=1_000, gap_ms=0, encoding="pcm")
    spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2").astype(float)))
    number = KEYS.index(key)
    assert set(np.argsort(spectrum)[-2:]) == {LOW_GROUP_HZ[number // 4], HIGH_GROUP_HZ[number % 4]}
    assert np.sort(spectrum)[-3] < spectrum.max() / 1_000


@pytest.mark.parametrize("level_dbfs", [-6.1, -10.0, -30.0])
def test_tones_have_the_level_and_length_asked_for(level_dbfs: float) -> None:
    pcm = dtmf_tone("8", tone_ms=200, gap_ms=0, level_dbfs=level_dbfs, encoding="pcm")
    assert pcm_dbfs(pcm) == pytest.approx(level_dbfs, abs=0.1)
    ulaw = dtmf_tone("80", tone_ms=200, gap_ms=55, level_dbfs=level_dbfs)
    assert len(ulaw) == 2 * (200 + 55) * 8
    assert ulaw_dbfs(ulaw[:1_600]) == pytest.approx(level_dbfs, abs=0.2)
    assert ulaw[1_600:2_040] == ULAW_SILENCE * 440


def test_letters_may_be_small_and_no_keys_are_no_audio() -> None:
    assert dtmf_tone("a#d") == dtmf_tone("A#D")
    assert dtmf_tone("") == b""


def test_bad_requests_are_refused_with_what_was_wrong() -> None:
    with pytest.raises(ValueError, match="got 'X'"):
        dtmf_tone("12x")
    with pytest.raises(ValueError, match="got -5 and 100 ms"):
        dtmf_tone("1", tone_ms=-5)
    with pytest.raises(ValueError, match=r"at most -6\.1 dBFS"):
        dtmf_tone("1", level_dbfs=-3.0)


@pytest.mark.parametrize("key", KEYS)
def test_40_ms_are_heard_in_noise_at_15_db_snr(key: str) -> None:
    for seed in range(6):
        audio = line(tone(key, 40, phase_rad=seed), snr_db=15, seed=seed)
        assert heard(audio) == key


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("snr_db", [None, 15])
def test_frequencies_1_5_percent_off_are_accepted(key: str, snr_db: float | None) -> None:
    for low_off, high_off in itertools.product((-0.015, 0.0, 0.015), repeat=2):
        audio = line(tone(key, 50, low_off=low_off, high_off=high_off), snr_db=snr_db)
        assert heard(audio) == key


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("snr_db", [None, 15])
def test_either_frequency_3_5_percent_off_is_refused(key: str, snr_db: float | None) -> None:
    wrong = [(-0.035, 0.0), (0.035, 0.0), (0.0, -0.035), (0.0, 0.035), (0.035, -0.035)]
    for low_off, high_off in wrong:
        audio = line(tone(key, 300, low_off=low_off, high_off=high_off), snr_db=snr_db)
        assert heard(audio) == ""


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("twist_db", [4.0, -8.0])
def test_twist_that_q24_allows_is_accepted_even_in_noise(key: str, twist_db: float) -> None:
    for snr_db in (None, 15):
        assert heard(line(tone(key, 50, twist_db=twist_db), snr_db=snr_db)) == key


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("twist_db", [8.0, -12.0])
def test_twist_far_beyond_is_refused(key: str, twist_db: float) -> None:
    assert heard(line(tone(key, 300, twist_db=twist_db))) == ""


@pytest.mark.parametrize("key", KEYS)
def test_tones_under_23_ms_are_refused(key: str) -> None:
    for ms, phase in itertools.product((5, 10, 15, 20, 22), (0.0, 1.0, 2.5)):
        assert heard(line(silence(ms // 5), tone(key, ms, phase_rad=phase))) == ""


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("level_dbfs", [-3.2, -6.0, -20.0, -28.0, -40.0])
def test_levels_from_q24s_loudest_to_below_its_quietest_are_heard(
    key: str, level_dbfs: float
) -> None:
    """-3.2 dBFS is 0 dBm0 for each tone, where μ-law already clips the sum; -28 is -25 dBm0."""
    assert heard(line(tone(key, 40, level_dbfs=level_dbfs))) == key


def test_a_whisper_of_a_tone_is_refused() -> None:
    assert heard(line(tone("5", 300, level_dbfs=-58.0))) == ""


@pytest.mark.parametrize("pair", ["55", "15", "17", "##", "0*", "DD"])
@pytest.mark.parametrize("snr_db", [None, 15])
def test_two_presses_30_ms_apart_are_two(pair: str, snr_db: float | None) -> None:
    for seed in range(4):
        first, second = tone(pair[0], 50), tone(pair[1], 50, phase_rad=seed)
        audio = line(silence(seed), first, silence(30), second, snr_db=snr_db, seed=seed)
        assert heard(audio) == pair


@pytest.mark.parametrize("key", KEYS)
def test_a_dropout_of_10_ms_does_not_make_two_presses(key: str) -> None:
    for phase in range(4):
        audio = line(silence(phase), tone(key, 60), silence(10), tone(key, 60, phase_rad=phase))
        assert heard(audio) == key


def test_a_key_held_for_seconds_is_one_press() -> None:
    assert heard(line(tone("9", 5_000), snr_db=15)) == "9"


def test_keys_that_follow_without_a_pause_are_both_heard() -> None:
    assert heard(line(tone("4", 80), tone("6", 80))) == "46"


@pytest.mark.parametrize("tone_ms", [40, 90])
@pytest.mark.parametrize("start", [0, 1, 399, 777, 8_123])
def test_positions_say_where_the_press_began_and_when_it_was_sure(start: int, tone_ms: int) -> None:
    before, after = ULAW_SILENCE * start, ULAW_SILENCE * 800
    (press,) = DtmfDetector().push(before + dtmf_tone("7", tone_ms=tone_ms, gap_ms=0) + after)
    assert abs(press.start_sample - start) <= 40
    assert 35 * 8 <= press.heard_sample - start <= 45 * 8


def test_a_press_is_reported_while_the_key_is_still_down() -> None:
    detector = DtmfDetector()
    tone_on = dtmf_tone("3", tone_ms=45, gap_ms=0)
    assert [press.key for press in detector.push(tone_on)] == ["3"]
    assert detector.push(ULAW_SILENCE * 8_000) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7_000), max_size=40))
def test_cutting_the_stream_anywhere_changes_nothing(cuts: list[int]) -> None:
    audio = line(tone("1", 50), silence(37), tone("#", 43), silence(60), tone("#", 70), snr_db=20)
    edges = [0, *sorted(cut for cut in cuts if cut < len(audio)), len(audio)]
    detector = DtmfDetector()
    pieces = [press for a, b in itertools.pairwise(edges) for press in detector.push(audio[a:b])]
    assert pieces == DtmfDetector().push(audio)
    assert [press.key for press in pieces] == ["1", "#", "#"]


def test_reset_forgets_a_half_heard_key_and_counts_from_zero() -> None:
    audio = dtmf_tone("2", tone_ms=50, gap_ms=100)
    halves = audio[:240], audio[240:]  # 30 ms of tone, then 20 ms
    interrupted, detector = DtmfDetector(), DtmfDetector()
    assert [press.key for half in halves for press in detector.push(half)] == ["2"]
    assert interrupted.push(halves[0]) == []
    interrupted.reset()
    assert interrupted.push(halves[1]) == []
    detector.reset()
    assert detector.push(audio) == DtmfDetector().push(audio)


def speech_like(seconds: int, seed: int) -> Floats:
    """Pulses of a gliding voice through three gliding formants, in syllables with pauses."""
    rng = np.random.default_rng(seed)
    n = seconds * 8_000
    glide = np.interp(np.arange(n), np.arange(0, n, 800), rng.standard_normal(n // 800))
    pitch_hz = 150 * 2 ** (0.4 * glide)
    turns = np.floor(np.cumsum(pitch_hz) / 8_000)
    voice = np.diff(turns, prepend=0.0) + 0.01 * rng.standard_normal(n)
    for low_hz, high_hz in ((300, 900), (900, 2_000), (2_200, 3_000)):
        formant_hz = rng.uniform(low_hz, high_hz, n // 1_600 + 1)
        voice = resonated(voice, np.repeat(formant_hz, 1_600)[:n])
    syllables = np.repeat(rng.random(n // 1_600 + 1) < 0.8, 1_600)[:n]
    speech: Floats = voice * syllables / np.abs(voice).max() * 0.5
    return speech


def resonated(audio: Floats, formant_hz: Floats, bandwidth_hz: float = 80.0) -> Floats:
    radius = float(np.exp(-np.pi * bandwidth_hz / 8_000))
    turn = 2 * radius * np.cos(2 * np.pi * formant_hz / 8_000)
    out, last, before = np.zeros(len(audio)), 0.0, 0.0
    for i, (x, c) in enumerate(zip(audio.tolist(), turn.tolist(), strict=True)):
        last, before = x + c * last - radius**2 * before, last
        out[i] = last
    return out


@pytest.mark.parametrize("seed", range(3))
def test_speech_presses_no_keys(seed: int) -> None:
    audio = speech_like(10, seed)
    assert np.sqrt(np.mean(audio**2)) > 0.02  # it would be loud enough to be heard as keys
    assert heard(line(audio)) == ""


def test_a_key_pressed_over_quiet_speech_is_heard() -> None:
    audio = speech_like(2, seed=4) * 0.1
    audio[8_000 : 8_000 + 800] += tone("6", 100)
    assert heard(line(audio)) == "6"


@pytest.mark.parametrize("seed", range(3))
def test_noise_presses_no_keys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(20 * 8_000) * 0.1
    assert heard(line(white)) == ""
    assert heard(line(np.convolve(white, np.ones(6) / 6, "same"))) == ""


@pytest.mark.parametrize("seconds", [1, 5, 20])
@pytest.mark.parametrize("n_partials", [1, 3])
def test_whistles_and_hums_that_glide_through_the_band_press_no_keys(
    seconds: int, n_partials: int
) -> None:
    """Not with two partials: gliding slowly, an octave does pass through what Q.24 calls a key."""
    t = np.arange(seconds * 8_000) / 8_000
    angle = 2 * np.pi * (300 * t + 1_500 * t**2 / (2 * seconds))
    chirp: Floats = np.sum([np.sin(n * angle) for n in range(1, n_partials + 1)], axis=0)
    assert heard(line(0.2 * chirp)) == ""


@pytest.mark.parametrize(
    "tones_hz",
    [(350, 440), (440, 480), (480, 620), (1_400,), (2_100,), (697, 770), (1_209, 1_477)]
    + [(hz,) for hz in LOW_GROUP_HZ + HIGH_GROUP_HZ],
)
def test_other_tones_of_the_telephone_network_press_no_keys(tones_hz: tuple[int, ...]) -> None:
    t = np.arange(2 * 8_000) / 8_000
    audio: Floats = sum((0.2 * np.sin(2 * np.pi * hz * t) for hz in tones_hz), np.zeros(len(t)))
    assert heard(line(audio)) == ""


@pytest.mark.parametrize("overtone_db", [-3.0, 3.0])
def test_a_key_with_strong_second_harmonics_is_a_voice_and_no_key(overtone_db: float) -> None:
    """The talk-off guard of Q.24 receivers: speech has overtones, a telephone's keypad has not."""
    t = np.arange(300 * 8) / 8_000
    overtones = np.sin(2 * np.pi * 2 * 770 * t) + np.sin(2 * np.pi * 2 * 1_336 * t)
    assert heard(line(tone("5", 300))) == "5"
    assert heard(line(tone("5", 300) + 10 ** ((LEVEL_DBFS + overtone_db) / 20) * overtones)) == ""


def test_random_bytes_press_no_keys() -> None:
    codes = np.random.default_rng(1).integers(0, 256, 80_000, dtype=np.uint8).tobytes()
    assert heard(codes) == ""
