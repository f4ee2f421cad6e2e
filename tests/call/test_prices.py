"""Invariant: a call costs what its tokens cost, each of them once and at its own price."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.events import Usage
from app.call.prices import Prices, cost_usd

REALTIME = Prices(
    text_in=4.0,
    text_cached_in=0.4,
    audio_in=32.0,
    audio_cached_in=0.4,
    text_out=24.0,
    audio_out=64.0,
)

counts = st.integers(0, 10_000_000)
usd = st.floats(0, 1_000, allow_nan=False)
prices = st.builds(Prices, usd, usd, usd, usd, usd, usd)
usages = st.builds(Usage, counts, counts, counts, counts, counts, counts, counts)


def exactly(p: Prices, u: Usage) -> Fraction:
    """The same sum token by token, without rounding."""
    text_cached = min(u.cached_text_tokens, u.input_text_tokens)
    audio_cached = min(u.cached_audio_tokens, u.input_audio_tokens)
    pairs = (
        (u.input_text_tokens - text_cached, p.text_in),
        (text_cached, p.text_cached_in),
        (u.input_audio_tokens - audio_cached, p.audio_in),
        (audio_cached, p.audio_cached_in),
        (u.output_text_tokens, p.text_out),
        (u.output_audio_tokens, p.audio_out),
    )
    return sum((n * Fraction(price) for n, price in pairs), Fraction()) / 1_000_000


@pytest.mark.parametrize(
    ("usage", "expected_usd"),
    [
        (Usage(), 0.0),
        (Usage(input_text_tokens=1_000_000), 4.0),
        (Usage(input_audio_tokens=1_000_000), 32.0),
        (Usage(output_text_tokens=1_000_000), 24.0),
        (Usage(output_audio_tokens=1_000_000), 64.0),
        (Usage(input_text_tokens=1_000_000, cached_text_tokens=1_000_000), 0.4),
        (Usage(input_audio_tokens=1_000_000, cached_audio_tokens=250_000), 24.1),
    ],
)
def test_each_kind_of_token_has_its_own_price(usage: Usage, expected_usd: float) -> None:
    assert cost_usd(REALTIME, usage) == pytest.approx(expected_usd, rel=1e-12)


@given(prices, usages)
def test_the_cost_is_the_exact_sum(p: Prices, u: Usage) -> None:
    assert cost_usd(p, u) == pytest.approx(float(exactly(p, u)), rel=1e-9, abs=1e-12)


@given(counts, counts)
def test_cached_tokens_beyond_the_input_are_not_believed(n_tokens: int, more: int) -> None:
    believed = Usage(input_audio_tokens=n_tokens, cached_audio_tokens=n_tokens)
    said = Usage(input_audio_tokens=n_tokens, cached_audio_tokens=n_tokens + more)
    assert cost_usd(REALTIME, said) == cost_usd(REALTIME, believed)


@given(usages)
def test_the_total_that_a_vendor_adds_is_not_billed_again(u: Usage) -> None:
    parts = Usage(
        u.input_text_tokens,
        u.input_audio_tokens,
        u.cached_text_tokens,
        u.cached_audio_tokens,
        u.output_text_tokens,
        u.output_audio_tokens,
    )
    assert cost_usd(REALTIME, u) == cost_usd(REALTIME, parts)
