"""Invariant: tokens follow the published arithmetic, and cached ones are part of those read."""

from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.conversation import Item, Part
from app.lab.realtime.formats import format_named
from app.lab.realtime.usage import (
    Segment,
    Tokens,
    cached_tokens,
    context_of,
    item_tokens,
    tokens_of,
    usage,
)

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
    assert tokens_of(context_of(items, "z" * 40, "t" * 4)) == Tokens(10 + 1 + 2 + 1 + 2, 2)


def test_only_an_unchanged_beginning_is_cached() -> None:
    said = [Item(name, "function_call", payload=name * 40) for name in "abcd"]
    before = context_of(said[:3], "Be kind.", "")
    longer = context_of(said, "Be kind.", "")
    assert cached_tokens(longer, [before]) == tokens_of(before)
    without_the_second = context_of([said[0], *said[2:]], "Be kind.", "")
    assert cached_tokens(without_the_second, [before]) == Tokens(2 + 10)
    assert cached_tokens(context_of(said, "Summarise.", ""), [before]) == Tokens()
    assert cached_tokens(longer, [context_of([], "Summarise.", ""), before]) == tokens_of(before)
    assert cached_tokens(longer, []) == Tokens()


@given(read=st.lists(TOKENS), before=st.lists(TOKENS), written=TOKENS)
def test_the_sums_add_up(read: list[Tokens], before: list[Tokens], written: Tokens) -> None:
    now, earlier = (
        tuple(Segment(str(n), tokens) for n, tokens in enumerate(side)) for side in (read, before)
    )
    told = usage(tokens_of(now), cached_tokens(now, [earlier]), written)
    details = told["input_token_details"]
    assert told["total_tokens"] == told["input_tokens"] + told["output_tokens"]
    assert told["input_tokens"] == details["text_tokens"] + details["audio_tokens"]
    cached = details["cached_tokens_details"]
    assert details["cached_tokens"] == cached["text_tokens"] + cached["audio_tokens"]
    assert cached["text_tokens"] <= details["text_tokens"]
    assert cached["audio_tokens"] <= details["audio_tokens"]
