"""Invariant: a coded byte names its stream and millisecond wherever it lands, and no other does."""

import audioop
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.speech.coded import MAX_MS, MAX_STREAM_ID, Run, coded_audio, decode_coded

STREAMS = st.integers(0, MAX_STREAM_ID)
STARTS_MS = st.integers(0, MAX_MS - 400)
FOREIGN = st.one_of(
    st.binary(max_size=60),
    st.integers(0, 255).flatmap(
        lambda code: st.integers(0, 400).map(lambda n: bytes([code]) * n),
    ),
)


@given(STREAMS, STARTS_MS, st.integers(2, 400), st.booleans())
def test_a_whole_stream_decodes_to_one_run(
    stream_id: int, start_ms: int, duration_ms: int, quiet: bool
) -> None:
    data = coded_audio(stream_id, start_ms, duration_ms, quiet)
    assert len(data) == 8 * duration_ms
    assert decode_coded(data) == [Run(stream_id, start_ms, start_ms + duration_ms, 0)]


@given(STREAMS, STARTS_MS, st.integers(4, 50), st.booleans(), st.data())
def test_a_cut_inside_a_millisecond_costs_only_that_millisecond(
    stream_id: int, start_ms: int, duration_ms: int, quiet: bool, data: st.DataObject
) -> None:
    audio = coded_audio(stream_id, start_ms, duration_ms, quiet)
    cut_head = data.draw(st.integers(0, 8))
    cut_tail = data.draw(st.integers(0, 8))
    (run,) = decode_coded(audio[cut_head : len(audio) - cut_tail])
    first_ms = -(-cut_head // 8)
    last_ms = duration_ms - -(-cut_tail // 8)
    assert run == Run(stream_id, start_ms + first_ms, start_ms + last_ms, 8 * first_ms - cut_head)


@given(st.lists(st.tuples(STREAMS, STARTS_MS, st.integers(2, 40), st.booleans(), FOREIGN)))
def test_runs_are_found_between_foreign_bytes(
    pieces: list[tuple[int, int, int, bool, bytes]],
) -> None:
    data = b""
    expected: list[Run] = []
    for stream_id, start_ms, duration_ms, quiet, foreign in pieces:
        data += foreign + b"\x00"  # a code of neither band: pieces never continue each other
        expected.append(Run(stream_id, start_ms, start_ms + duration_ms, len(data)))
        data += coded_audio(stream_id, start_ms, duration_ms, quiet)
    assert decode_coded(data) == expected


@given(STREAMS, STARTS_MS, st.integers(4, 40), st.booleans(), st.data())
def test_a_skipped_or_repeated_stretch_shows_as_a_break(
    stream_id: int, start_ms: int, duration_ms: int, quiet: bool, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(2, duration_ms - 2))
    resumed = data.draw(st.integers(0, duration_ms - 2).filter(lambda ms: ms != cut))
    audio = coded_audio(stream_id, start_ms, duration_ms, quiet)
    assert decode_coded(audio[: 8 * cut] + audio[8 * resumed :]) == [
        Run(stream_id, start_ms, start_ms + cut, 0),
        Run(stream_id, start_ms + resumed, start_ms + duration_ms, 8 * cut),
    ]


def test_a_change_of_loudness_does_not_break_a_run() -> None:
    data = coded_audio(3, 0, 100, quiet=True) + coded_audio(3, 100, 100, quiet=False)
    assert decode_coded(data) == [Run(3, 0, 200, 0)]


def test_a_changed_byte_costs_only_its_millisecond() -> None:
    audio = bytearray(coded_audio(9, 0, 100, quiet=False))
    audio[8 * 50 + 3] ^= 0x01
    assert decode_coded(bytes(audio)) == [Run(9, 0, 50, 0), Run(9, 51, 100, 8 * 51)]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_path_through_linear_samples_keeps_the_code(quiet: bool) -> None:
    audio = coded_audio(MAX_STREAM_ID, 0, 5000, quiet)
    assert audioop.lin2ulaw(audioop.ulaw2lin(audio, 2), 2) == audio


def test_quiet_audio_stays_below_47_dbfs_and_loud_audio_is_at_the_level_of_speech() -> None:
    quiet = np.frombuffer(audioop.ulaw2lin(coded_audio(5, 0, 4000, True), 2), dtype="<i2")
    loud = np.frombuffer(audioop.ulaw2lin(coded_audio(5, 0, 4000, False), 2), dtype="<i2")
    assert np.abs(quiet).max() <= 132
    assert -23 < 20 * np.log10(np.sqrt((loud.astype(float) ** 2).mean()) / 32768) < -18


def test_foreign_audio_never_decodes() -> None:
    random_bytes = random.Random(7).randbytes(2_000_000)
    codes = coded_audio(1, 0, 60_000, quiet=True)
    shuffled = bytearray(codes)
    random.Random(8).shuffle(shuffled)
    assert decode_coded(random_bytes) == []
    assert decode_coded(bytes(shuffled)) == []
    assert all(decode_coded(bytes([code]) * 4000) == [] for code in range(256))


@settings(max_examples=20)
@given(st.integers(0, 17))
def test_runs_cross_the_decoders_block_edges(shift: int) -> None:
    data = b"\x00" * (65_536 * 2 - 9 + shift) + coded_audio(2, 7, 20_000, quiet=True)
    assert decode_coded(data) == [Run(2, 7, 20_007, 65_536 * 2 - 9 + shift)]


@pytest.mark.parametrize("data", [b"", b"\xff", coded_audio(1, 1, 1, True)])
def test_too_little_to_tell_decodes_to_nothing(data: bytes) -> None:
    assert decode_coded(data) == []


def test_ten_minutes_cut_off_the_grid_decode_to_one_run() -> None:
    audio = coded_audio(1, 0, 600_000, quiet=True)
    assert decode_coded(audio[3:]) == [Run(1, 1, 600_000, 5)]


@pytest.mark.parametrize(
    ("stream_id", "start_ms", "duration_ms", "said"),
    [
        (-1, 0, 1, "stream_id must be 0 to 2047, got -1"),
        (2048, 0, 1, "stream_id must be 0 to 2047, got 2048"),
        (0, -1, 1, "coded milliseconds run from 0 to 2097151, got -1 to -1"),
        (0, MAX_MS, 2, "got 2097151 to 2097152"),
        (0, 0, -1, "duration_ms must not be negative, got -1"),
    ],
)
def test_what_cannot_be_coded_is_refused(
    stream_id: int, start_ms: int, duration_ms: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        coded_audio(stream_id, start_ms, duration_ms, quiet=True)
