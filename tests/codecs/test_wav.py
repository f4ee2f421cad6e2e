"""Any usual WAV becomes telephone audio, and any other file is refused with the reason."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecodecs.g711 import pcm_to_alaw, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.wav import TAG_ALAW, TAG_PCM, TAG_ULAW, WavError, load_as_ulaw, read_wav

EXTENSIBLE = 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(
    data: bytes,
    *,
    tag: int = TAG_PCM,
    bits: int = 16,
    channels: int = 1,
    rate_hz: int = 8_000,
    extensible: bool = False,
    before_data: bytes = b"",
) -> bytes:
    frame_bytes = channels * bits // 8
    fmt = struct.pack(
        "<HHIIHH",
        EXTENSIBLE if extensible else tag,
        channels,
        rate_hz,
        rate_hz * frame_bytes,
        frame_bytes,
        bits,
    )
    if extensible:
        fmt += struct.pack("<HHIH", 22, bits, 0, tag) + GUID_TAIL
    body = b"WAVE" + chunk(b"fmt ", fmt) + before_data + chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sine(rate_hz: int, *, hz: float = 700.0, peak: float = 8_000.0) -> npt.NDArray[np.int64]:
    t = np.arange(rate_hz) / rate_hz
    return np.rint(peak * np.sin(2 * np.pi * hz * t)).astype(np.int64)


def encoded(samples: npt.NDArray[np.int64], bits: int) -> bytes:
    """The samples, given on the 16-bit scale, as integer PCM of another width."""
    if bits == 8:
        return (samples // 256 + 128).astype(np.uint8).tobytes()
    if bits == 24:
        wide = (samples * 256).astype("<i4").view(np.uint8).reshape(-1, 4)
        return wide[:, :3].tobytes()
    return (samples * 65_536 if bits == 32 else samples).astype(f"<i{bits // 8}").tobytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.wav"


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_integer_pcm_of_every_width_reads_as_16_bit(
    file: Path, bits: int, extensible: bool
) -> None:
    samples = np.array([-32_768, -256, 0, 256, 32_512])
    file.write_bytes(wav(encoded(samples, bits), bits=bits, extensible=extensible))
    rate_hz, channels, pcm = read_wav(file)
    assert (rate_hz, channels) == (8_000, 1)
    assert np.frombuffer(pcm, "<i2").tolist() == samples.tolist()


def test_ulaw_and_alaw_files_are_decoded(file: Path) -> None:
    pcm = sine(8_000).astype("<i2").tobytes()
    ulaw = pcm_to_ulaw(pcm)
    file.write_bytes(wav(ulaw, tag=TAG_ULAW, bits=8))
    assert read_wav(file)[2] == ulaw_to_pcm(ulaw)
    assert load_as_ulaw(file) == ulaw
    file.write_bytes(wav(pcm_to_alaw(pcm), tag=TAG_ALAW, bits=8))
    decoded = np.frombuffer(read_wav(file)[2], "<i2")
    assert np.abs(decoded - sine(8_000)).max() <= 256


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_every_usual_rate_loads_as_the_same_second_of_telephone_audio(
    file: Path, rate_hz: int, channels: int
) -> None:
    samples = np.repeat(sine(rate_hz), channels)
    file.write_bytes(wav(samples.astype("<i2").tobytes(), channels=channels, rate_hz=rate_hz))
    ulaw = load_as_ulaw(file)
    assert len(ulaw) == 8_000
    error = np.frombuffer(ulaw_to_pcm(ulaw), "<i2")[400:-400] - sine(8_000)[400:-400]
    assert np.sqrt(np.mean(error.astype(float) ** 2)) < 8_000 / 2**0.5 / 10 ** (33 / 20)


def test_stereo_is_averaged(file: Path) -> None:
    pairs = np.array([[1_000, 3_000], [32_767, 32_767], [-32_768, -32_768], [500, -500]] * 20)
    file.write_bytes(wav(pairs.astype("<i2").tobytes(), channels=2))
    expected = pcm_to_ulaw(np.array([2_000, 32_767, -32_768, 0] * 20, "<i2").tobytes())
    assert load_as_ulaw(file) == expected


def test_other_chunks_are_skipped_and_what_follows_the_audio_is_ignored(file: Path) -> None:
    content = wav(b"\x01\x02", before_data=chunk(b"LIST", b"odd")) + chunk(b"id3 ", b"tail")
    file.write_bytes(content)
    assert read_wav(file) == (8_000, 1, b"\x01\x02")


def test_a_wav_streamed_into_a_pipe_reads_to_its_end(file: Path) -> None:
    whole = wav(b"\x01\x02\x03\x04")
    unknown = whole.replace(b"data\x04\0\0\0", b"data\xff\xff\xff\xff")
    file.write_bytes(unknown + b"\x05")
    assert read_wav(file)[2] == b"\x01\x02\x03\x04"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"ID3\x04 some mp3 bytes", "expected a RIFF WAVE file"),
        (b"RIFF\0\0\0\0AVI LIST", "expected a RIFF WAVE file"),
        (wav(b"\0\0" * 80)[:100], "cut short"),
        (wav(b"\0\0" * 80)[:30], "at least 16 bytes of format"),
        (wav(b"\0\0" * 80)[:36], "before its audio"),
        (wav(b"\0\0\0"), "cut short"),
        (wav(b""), "holds no audio"),
        (wav(b"\0" * 8, tag=3, bits=32), "format 3 with 32 bits"),
        (wav(b"\0" * 8, tag=0x11, bits=4), "format 17 with 4 bits"),
        (wav(b"\0" * 8, bits=12), "format 1 with 12 bits"),
        (wav(b"\0" * 8, rate_hz=0), "at 0 Hz"),
        (b"RIFF\x0e\0\0\0WAVE" + chunk(b"data", b"\0\0"), "no fmt chunk"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(file: Path, content: bytes, complaint: str) -> None:
    file.write_bytes(content)
    with pytest.raises(WavError, match=complaint) as caught:
        read_wav(file)
    assert str(caught.value).startswith("some.wav: ")
    assert str(file.parent) not in str(caught.value)


def test_loading_refuses_surround_and_impossible_rates(file: Path) -> None:
    file.write_bytes(wav(b"\0" * 12, channels=6))
    with pytest.raises(WavError, match="6 channels"):
        load_as_ulaw(file)
    file.write_bytes(wav(b"\0" * 12, rate_hz=1_000))
    with pytest.raises(WavError, match="1000 Hz"):
        load_as_ulaw(file)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_wav(tmp_path / "absent.wav")


@given(st.binary(max_size=120), st.integers(0, 60), st.integers(0, 255))
def test_damage_anywhere_never_raises_anything_but_wav_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int, value: int
) -> None:
    content = bytearray(wav(data))
    content[at % len(content)] = value
    file = tmp_path_factory.getbasetemp() / "damaged.wav"
    file.write_bytes(content)
    try:
        _, _, pcm = read_wav(file)
    except WavError:
        return
    assert len(pcm) % 2 == 0
