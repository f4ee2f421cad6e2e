"""Every G.711 code and every 16-bit sample converts as ITU-T G.711 says.

The reference here is written from the segment definition and tables of the standard, with no
audioop in it, and compared over all 256 codes and all 65,536 samples.
"""

import subprocess
import sys
from bisect import bisect_right
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import telecodecs
from telecodecs import g711

ALL_CODES = bytes(range(256))
ALL_SAMPLES = range(-32_768, 32_768)
ALL_PCM = np.array(ALL_SAMPLES, dtype="<i2").tobytes()

# G.711 table 3 (μ decision value numbers 0..127 to A numbers) and table 4 (A 1..128 to μ numbers).
TABLE_3 = [
    *(1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8),
    *range(9, 26),
    *(27, 29, 31),
    *range(33, 45),
    46,
    *range(48, 63),
    *range(64, 80),
    *range(81, 129),
]
TABLE_4 = [
    *(1, 3, 5, 7, 9, 11, 13, 15),
    *range(16, 32),
    *(32, 32, 33, 33, 34, 34, 35, 35),
    *range(36, 48),
    *(48, 48, 49, 49),
    *range(50, 64),
    *(64, 64),
    *range(65, 80),
    79,
    *range(80, 128),
]


def ulaw_decisions() -> list[int]:
    """Table 2a: 8 segments, steps 2, 4, ... 256, the first interval half as wide; times 4."""
    values, step = [0, 1], 2
    for segment in range(8):
        for _ in range(15 if segment == 0 else 16):
            values.append(values[-1] + step)
        step *= 2
    return [4 * value for value in values]


def alaw_decisions() -> list[int]:
    """Table 1a: 13 segments over both signs, so two of step 2, then 4, 8, ... 128; times 8."""
    values = [0]
    for step in (2, 2, 4, 8, 16, 32, 64, 128):
        values += [values[-1] + step * n for n in range(1, 17)]
    return [8 * value for value in values]


def ulaw_code(level: int, *, negative: bool) -> int:
    """Table 2: the polarity bit is 1 for positive values, the other seven bits are inverted."""
    return (0 if negative else 0x80) | (0x7F - level)


def alaw_code(level: int, *, negative: bool) -> int:
    """Table 1: the polarity bit is 1 for positive values; even bits are inverted for sending."""
    return ((0 if negative else 0x80) | level) ^ 0b0101_0101


def level_of(sample: int, decisions: list[int]) -> int:
    """The interval that holds `sample`; one on a decision value belongs above it (G.191)."""
    magnitude = sample if sample >= 0 else -sample - 1
    return min(bisect_right(decisions, magnitude) - 1, 127)


def output_value(level: int, decisions: list[int], *, zero_at_first: bool) -> int:
    if level == 0 and zero_at_first:
        return 0
    return (decisions[level] + decisions[level + 1]) // 2


def signed_codes() -> list[tuple[int, bool]]:
    return [(level, negative) for negative in (False, True) for level in range(128)]


def samples_of(pcm: bytes) -> list[int]:
    return [int(value) for value in np.frombuffer(pcm, "<i2")]


def test_reference_ends_at_the_virtual_decision_values_of_the_standard() -> None:
    assert ulaw_decisions()[-1] == 8159 * 4
    assert alaw_decisions()[-1] == 4096 * 8
    assert len(ulaw_decisions()) == len(alaw_decisions()) == 129


def test_all_ulaw_codes_decode_to_the_standards_output_values() -> None:
    decisions = ulaw_decisions()
    for level, negative in signed_codes():
        value = output_value(level, decisions, zero_at_first=True)
        decoded = samples_of(g711.ulaw_to_pcm(bytes([ulaw_code(level, negative=negative)])))
        assert decoded == [-value if negative else value]


def test_all_alaw_codes_decode_to_the_standards_output_values() -> None:
    decisions = alaw_decisions()
    for level, negative in signed_codes():
        value = output_value(level, decisions, zero_at_first=False)
        decoded = samples_of(g711.alaw_to_pcm(bytes([alaw_code(level, negative=negative)])))
        assert decoded == [-value if negative else value]


def test_all_samples_encode_as_the_ulaw_quantiser_says() -> None:
    decisions = ulaw_decisions()
    expected = bytes(ulaw_code(level_of(s, decisions), negative=s < 0) for s in ALL_SAMPLES)
    assert g711.pcm_to_ulaw(ALL_PCM) == expected


def test_all_samples_encode_as_the_alaw_quantiser_says() -> None:
    decisions = alaw_decisions()
    expected = bytes(alaw_code(level_of(s, decisions), negative=s < 0) for s in ALL_SAMPLES)
    assert g711.pcm_to_alaw(ALL_PCM) == expected


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_samples_strictly_inside_an_interval_encode_alike_for_both_signs(law: str) -> None:
    """The one property that needs no rule for ties, and that audioop's μ-law encoder breaks."""
    encode = g711.pcm_to_ulaw if law == "ulaw" else g711.pcm_to_alaw
    on_decision = set(ulaw_decisions() if law == "ulaw" else alaw_decisions())
    inside = [s for s in range(1, 32_768) if s not in on_decision]
    positive = encode(np.array(inside, dtype="<i2").tobytes())
    negative = encode((-np.array(inside)).astype("<i2").tobytes())
    assert negative == bytes(code ^ 0x80 for code in positive)


def test_smallest_negative_samples_stay_silence_in_ulaw() -> None:
    pcm = np.array([-1, -2, -3, -4], dtype="<i2").tobytes()
    assert samples_of(g711.ulaw_to_pcm(g711.pcm_to_ulaw(pcm))) == [0, 0, 0, 0]


def test_ulaw_to_alaw_is_table_3_of_the_standard() -> None:
    for level, negative in signed_codes():
        code = bytes([ulaw_code(level, negative=negative)])
        expected = alaw_code(TABLE_3[level] - 1, negative=negative)
        assert g711.ulaw_to_alaw(code) == bytes([expected])


def test_alaw_to_ulaw_is_table_4_of_the_standard() -> None:
    for level, negative in signed_codes():
        code = bytes([alaw_code(level, negative=negative)])
        expected = ulaw_code(TABLE_4[level], negative=negative)
        assert g711.alaw_to_ulaw(code) == bytes([expected])


def test_double_conversion_changes_only_the_values_that_the_standard_lists() -> None:
    """Note 3 to tables 3 and 4 names the decision value numbers, and only bit 8 may change."""
    ulaw_changed, alaw_changed = set(), set()
    for level, negative in signed_codes():
        ulaw = ulaw_code(level, negative=negative)
        ulaw_again = g711.alaw_to_ulaw(g711.ulaw_to_alaw(bytes([ulaw])))[0]
        alaw = alaw_code(level, negative=negative)
        alaw_again = g711.ulaw_to_alaw(g711.alaw_to_ulaw(bytes([alaw])))[0]
        assert ulaw >> 1 == ulaw_again >> 1
        assert alaw >> 1 == alaw_again >> 1
        ulaw_changed |= {level} if ulaw != ulaw_again else set()
        alaw_changed |= {level + 1} if alaw != alaw_again else set()
    assert ulaw_changed == {0, 2, 4, 6, 8, 10, 12, 14}
    assert alaw_changed == {26, 28, 30, 32, 45, 47, 63, 80}


def test_decoding_and_encoding_keeps_every_code_but_minus_zero() -> None:
    again = g711.pcm_to_ulaw(g711.ulaw_to_pcm(ALL_CODES))
    assert [code for code in ALL_CODES if again[code] != code] == [0x7F]
    assert g711.pcm_to_alaw(g711.alaw_to_pcm(ALL_CODES)) == ALL_CODES


def test_silence_bytes_are_the_codes_of_zero() -> None:
    assert g711.pcm_to_ulaw(b"\0\0") == g711.ULAW_SILENCE == bytes([0xFF])
    assert g711.pcm_to_alaw(b"\0\0") == g711.ALAW_SILENCE == bytes([0xD5])


def test_frame_constants_agree_with_each_other() -> None:
    assert g711.BYTES_PER_MS * 1000 == g711.SAMPLE_RATE_HZ
    assert g711.FRAME_BYTES == g711.FRAME_MS * g711.BYTES_PER_MS


@given(st.binary(max_size=400), st.integers(0, 400))
def test_pieces_convert_like_the_whole(codes: bytes, cut: int) -> None:
    head, tail = codes[:cut], codes[cut:]
    for convert in (g711.ulaw_to_pcm, g711.alaw_to_pcm, g711.ulaw_to_alaw, g711.alaw_to_ulaw):
        assert convert(head) + convert(tail) == convert(codes)


@pytest.mark.parametrize("encode", [g711.pcm_to_ulaw, g711.pcm_to_alaw])
def test_half_a_sample_is_refused_with_its_length(encode: object) -> None:
    assert callable(encode)
    with pytest.raises(ValueError, match="even number of bytes; got 3"):
        encode(b"\0\0\0")


def test_empty_input_gives_empty_output() -> None:
    assert g711.pcm_to_ulaw(b"") == g711.pcm_to_alaw(b"") == g711.ulaw_to_pcm(b"") == b""


def test_import_settles_the_audioop_notice_and_no_other_warning() -> None:
    program = (
        "import warnings, telecodecs.g711\n"
        "warnings.warn(\"'audioop' is deprecated, says somebody else\", DeprecationWarning)\n"
    )
    source_root = str(Path(telecodecs.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"PYTHONPATH": source_root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "says somebody else" in done.stderr.splitlines()[-1]
    assert "telecodecs" not in done.stderr.replace("import warnings, telecodecs.g711", "")
