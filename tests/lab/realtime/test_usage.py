"""Invariant: tokens follow the published arithmetic, and cached ones are part of those read."""

from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.conversation import Item, Part
from app.lab.realtime.formats import format_named
from app.lab.realtime.usage import Tokens, context_tokens, item_tokens, usage

PCMU = format_named("audio/pcmu")
TOKENS = st.builds(Tokens, st.integers(0, 9999), st.integers(0, 9999))


def spoken(ms: int) -> Part:
    return Part("output_audio", "12345", bytearray(8 * ms), PCMU)


def test_the_caller_costs_a_token_per_100_ms_and_the_model_one_per_50() -> None:
    caller = Part("input_audio", "transcribed", bytearray(8 * 1000), PCMU)
    assert item_tokens(Item("a", "message", parts=[caller])) == Tokens(0, 10)
    assert item_tokens(Item("b", "message", parts=[spoken(1000)])) == Tokens(2, 20)
    assert item_tokens(Item("c", "message", parts=[spoken(1)])) == Tokens(2, 1)


def test_a_context_is_its_instructions_tools_and_items() -> None:
    items = [
        Item("a", "function_call", payload="x" * 8),
        Item("b", "message", parts=[Part("input_text", "y" * 4), spoken(100)]),
    ]
    assert context_tokens(items, "z" * 40, "t" * 4) == Tokens(10 + 1 + 2 + 1 + 2, 2)


@given(read=TOKENS, before=TOKENS, written=TOKENS)
def test_the_sums_add_up(read: Tokens, before: Tokens, written: Tokens) -> None:
    told = usage(read, read.overlap(before), written)
    details = told["input_token_details"]
    assert told["total_tokens"] == told["input_tokens"] + told["output_tokens"]
    assert told["input_tokens"] == details["text_tokens"] + details["audio_tokens"]
    cached = details["cached_tokens_details"]
    assert details["cached_tokens"] == cached["text_tokens"] + cached["audio_tokens"]
    assert cached["text_tokens"] <= details["text_tokens"]
    assert cached["audio_tokens"] <= details["audio_tokens"]
