"""What a model's tokens cost: arithmetic only; the table of prices is the operator's."""

from dataclasses import dataclass

from app.call.events import Usage

TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens."""

    text_in: float
    text_cached_in: float
    audio_in: float
    audio_cached_in: float
    text_out: float
    audio_out: float


def cost_usd(prices: Prices, usage: Usage) -> float:
    """Per modality: input that was not cached, input that was, output.

    Cached counts are a part of the input counts (OpenAI docs: realtime costs); what a vendor says
    beyond them is not believed.
    """
    text_cached = min(usage.cached_text_tokens, usage.input_text_tokens)
    audio_cached = min(usage.cached_audio_tokens, usage.input_audio_tokens)
    total = (
        (usage.input_text_tokens - text_cached) * prices.text_in
        + text_cached * prices.text_cached_in
        + (usage.input_audio_tokens - audio_cached) * prices.audio_in
        + audio_cached * prices.audio_cached_in
        + usage.output_text_tokens * prices.text_out
        + usage.output_audio_tokens * prices.audio_out
    )
    return total / TOKENS_PER_PRICE
