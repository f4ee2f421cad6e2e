"""Invariant: a configuration that no vendor would take is refused before a call depends on it."""

import pytest

from app.models.ports import ServerVad, SessionConfig


def test_the_defaults_are_a_valid_telephone_session() -> None:
    config = SessionConfig()
    assert config.model == "gpt-realtime-2.1"
    assert config.turn_detection == ServerVad()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"model": ""}, "model"),
        ({"speed": 0.2}, "speed: expected 0.25 to 1.5, got 0.2"),
        ({"speed": 1.6}, "speed"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 4097}, "max_output_tokens"),
    ],
)
def test_values_out_of_range_are_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SessionConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 1.1},
        {"silence_duration_ms": -1},
        {"prefix_padding_ms": 60_001},
        {"idle_timeout_ms": 0},
    ],
)
def test_voice_detection_out_of_range_is_named(settings: dict[str, float]) -> None:
    (name,) = settings
    with pytest.raises(ValueError, match=name):
        ServerVad(**settings)  # type: ignore[arg-type]
