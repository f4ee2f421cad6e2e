"""Invariant: a model costs what the table says of it, or of the model that it is a snapshot of, and
nothing is guessed; a wrong table says where it is wrong, all at once."""

from datetime import date
from pathlib import Path

import pytest

from app.call.prices import Prices
from app.observe.prices import PricesError, load_prices

TABLE = """
as_of = 2026-11-20

[tokens."voice-2"]
text_in = 1
text_cached_in = 0.5
audio_in = 2
audio_cached_in = 0.25
text_out = 3
audio_out = 4.5

[tokens."voice-2-mini"]
text_in = 0.1
text_cached_in = 0
audio_in = 0.2
audio_cached_in = 0
text_out = 0.3
audio_out = 0.4

[minutes]
"ears" = 0.006
"""


def table(tmp_path: Path, text: str = TABLE) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str) -> list[str]:
    path = table(tmp_path, text)
    with pytest.raises(PricesError) as caught:
        load_prices(path)
    return str(caught.value).replace(str(path), "FILE").splitlines()


def test_the_table_that_ships_has_the_vendors_figures() -> None:
    """OpenAI's model pages, as of 2026-11-20."""
    prices = load_prices()
    assert prices.as_of == date(2026, 11, 20)
    assert prices.prices_for("gpt-realtime-2.1") == Prices(4.0, 0.4, 32.0, 0.4, 24.0, 64.0)
    assert prices.prices_for("gpt-realtime-2.1-mini") == Prices(0.6, 0.06, 10.0, 0.3, 2.4, 20.0)
    assert prices.prices_for("gpt-realtime-2") == Prices(4.0, 0.4, 32.0, 0.4, 24.0, 64.0)
    assert prices.prices_for("gpt-realtime-1.5") == Prices(4.0, 0.4, 32.0, 0.4, 16.0, 64.0)
    assert prices.prices_for("gpt-realtime") == Prices(4.0, 0.4, 32.0, 0.4, 16.0, 64.0)
    assert prices.prices_for("gpt-realtime-mini") == Prices(0.6, 0.06, 10.0, 0.3, 2.4, 20.0)
    assert prices.usd_a_minute("gpt-transcribe") == 0.0045
    assert prices.usd_a_minute("gpt-live-transcribe") == 0.017


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_path_means_the_table_that_ships(nothing: str | None) -> None:
    assert load_prices(nothing) == load_prices()


def test_the_operators_table_is_read_instead(tmp_path: Path) -> None:
    prices = load_prices(str(table(tmp_path)))
    assert prices.prices_for("voice-2") == Prices(1.0, 0.5, 2.0, 0.25, 3.0, 4.5)
    assert prices.usd_a_minute("ears") == 0.006
    assert prices.prices_for("gpt-realtime-2.1") is None


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("voice-2", "voice-2"),
        ("voice-2-2026-10-01", "voice-2"),
        ("voice-2-mini-2026-10-01", "voice-2-mini"),
        ("voice-2-nano", None),
        ("voice-2.1", None),
        ("voice-2-2026", None),
        ("voice-2-2026-10-01-preview", None),
        ("voice", None),
        ("", None),
    ],
)
def test_a_dated_snapshot_costs_what_its_model_costs_and_a_relative_does_not(
    tmp_path: Path, model: str, found: str | None
) -> None:
    prices = load_prices(table(tmp_path))
    assert prices.id_for(model) == found
    assert prices.prices_for(model) == (None if found is None else prices.tokens[found])


def test_a_snapshot_with_a_price_of_its_own_has_that(tmp_path: Path) -> None:
    text = TABLE.replace("voice-2-mini", "voice-2-2026-10-01")
    prices = load_prices(table(tmp_path, text))
    assert prices.id_for("voice-2-2026-10-01") == "voice-2-2026-10-01"
    assert prices.id_for("voice-2-2026-10-02") == "voice-2"


def test_a_transcription_has_no_price_for_tokens(tmp_path: Path) -> None:
    prices = load_prices(table(tmp_path))
    assert prices.prices_for("ears") is None
    assert prices.usd_a_minute("voice-2") is None
    assert prices.usd_a_minute("ears-2026-01-02") == 0.006


def test_every_problem_is_told_with_its_key(tmp_path: Path) -> None:
    wrong = TABLE.replace("2026-11-20", '"yesterday"').replace("audio_in = 2\n", 'audio_in = "2"\n')
    wrong = wrong.replace("text_out = 0.3\n", "text_uot = -1\n") + "\n[token]\n"
    assert problems(tmp_path, wrong) == [
        "FILE: token: there is no such key; did you mean tokens?",
        "FILE: as_of: expected the day of the figures such as 2026-11-20, without quotes, "
        'got "yesterday".',
        'FILE: tokens.voice-2.audio_in: expected US dollars, a number from 0, got "2".',
        "FILE: tokens.voice-2-mini.text_uot: there is no such key; did you mean text_out?",
        "FILE: tokens.voice-2-mini.text_out: expected US dollars, a number from 0, it is missing.",
    ]


@pytest.mark.parametrize("value", ["-0.01", "nan", "inf", "true", "[1]"])
def test_a_price_is_a_number_from_0(tmp_path: Path, value: str) -> None:
    told = problems(tmp_path, TABLE.replace("0.006", value))
    assert len(told) == 1
    assert told[0].startswith("FILE: minutes.ears: expected US dollars, a number from 0, got ")


def test_a_table_must_be_one(tmp_path: Path) -> None:
    told = problems(tmp_path, 'as_of = 2026-01-01\ntokens = "free"\n[minutes]\n')
    assert told == ['FILE: tokens: expected a table, got "free".']


def test_a_time_of_day_is_no_day(tmp_path: Path) -> None:
    told = problems(tmp_path, "as_of = 2026-01-01T10:00:00\n")
    assert told[0].endswith('without quotes, got "2026-01-01 10:00:00".')


def test_keys_with_dots_are_quoted_as_the_file_has_them(tmp_path: Path) -> None:
    told = problems(tmp_path, 'as_of = 2026-01-01\n[tokens]\n"voice-2.1" = 3\n')
    assert told == ['FILE: tokens."voice-2.1": expected a table, got 3.']


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"as_of = ", "it is not TOML: "), (b"\xff", "expected UTF-8 text.")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(PricesError) as caught:
        load_prices(path)
    assert str(caught.value).startswith(f"{path}: {expected}")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(PricesError, match="expected a file of prices: No such file"):
        load_prices(tmp_path / "none.toml")
