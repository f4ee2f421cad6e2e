"""Invariant: an utterance survives the way to a wire format and back, in length and loudness."""

import pytest

from app.lab.realtime.formats import format_named
from telecodecs.levels import ulaw_dbfs
from tests.lab.realtime.driver import silence, tone

NAMES = ["audio/pcmu", "audio/pcma", "audio/pcm"]


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_keeps_length_and_level(name: str) -> None:
    wire_format = format_named(name)
    wire = wire_format.from_ulaw(tone(500))
    assert len(wire) == 500 * wire_format.bytes_per_ms
    back = wire_format.to_ulaw(wire)
    assert len(back) == 4000
    assert ulaw_dbfs(back) == pytest.approx(ulaw_dbfs(tone(500)), abs=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_levels_mean_the_same_in_every_format(name: str) -> None:
    wire_format = format_named(name)
    loud, quiet = (wire_format.from_ulaw(ulaw) for ulaw in (tone(500), silence(500)))
    middle = slice(200 * wire_format.bytes_per_ms, 220 * wire_format.bytes_per_ms)
    assert len(loud[middle]) == wire_format.frame_bytes
    assert wire_format.level_dbfs(loud[middle]) == pytest.approx(-11.7, abs=0.5)
    assert wire_format.level_dbfs(quiet[middle]) < -60


def test_only_pcm_shows_a_rate() -> None:
    assert [format_named(name).json for name in NAMES] == [
        {"type": "audio/pcmu"},
        {"type": "audio/pcma"},
        {"type": "audio/pcm", "rate": 24000},
    ]
