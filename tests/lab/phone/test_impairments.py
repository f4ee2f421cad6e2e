"""Impairments that no line can have are refused, with what was expected and what came."""

from collections.abc import Callable

import pytest

from app.lab.phone.impairments import (
    Band,
    Bursts,
    Clipping,
    Echo,
    Impairments,
    JitterBursts,
    KeyLeak,
    Noise,
)


@pytest.mark.parametrize("wrong", [{"delay_ms": -1}, {"jitter_ms": -1}, {"loss": 1.5}])
def test_impossible_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="got"):
        Impairments(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bursts(share=-0.1),
        lambda: Bursts(share=0.9, mean_ms=100),
        lambda: Bursts(share=0.1, mean_ms=19),
        lambda: JitterBursts(mean_every_ms=0),
        lambda: JitterBursts(peak_ms=-1),
        lambda: Noise("hiss", 10),  # type: ignore[arg-type]
        lambda: Noise("white", 61),
        lambda: Noise("white", 10, speech_dbfs=0),
        lambda: Echo(-1, 20),
        lambda: Echo(2_001, 20),
        lambda: Echo(100, -1),
        lambda: Clipping(gain_db=61),
        lambda: Clipping(limit_dbfs=1),
        lambda: KeyLeak(level_dbfs=0),
        lambda: KeyLeak(tone_ms=0),
        lambda: Band(3_400, 300),
        lambda: Band(300, 4_001),
    ],
)
def test_each_concept_says_what_it_expected(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"(from .* to|above 0|or more|one of|<=).*got"):
        make()


def test_the_most_that_bursts_can_take_is_taken() -> None:
    most = Bursts(share=100 / 120, mean_ms=100)
    assert most.begin_chance == pytest.approx(1.0)
    assert most.end_chance == pytest.approx(0.2)
