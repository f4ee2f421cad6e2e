"""Invariant: items stay in the order asked for, and a cut leaves no word that was not heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.conversation import Conversation, Item, Part, decode_audio, turns
from app.lab.realtime.formats import format_named
from app.lab.realtime.refusals import RequestRefused

PCMU = format_named("audio/pcmu")


def spoken(item_id: str, ms: int) -> Item:
    part = Part("output_audio", "some words", bytearray(8 * ms), PCMU)
    return Item(item_id, "message", role="assistant", parts=[part])


def written(item_id: str, text: str) -> Item:
    return Item(item_id, "message", role="user", parts=[Part("input_text", text)])


@given(length_ms=st.integers(1, 5000), end_ms=st.integers(0, 6000))
def test_a_cut_keeps_exactly_what_was_heard(length_ms: int, end_ms: int) -> None:
    conversation = Conversation()
    conversation.insert(spoken("a", length_ms))
    item = conversation.items[0]
    if end_ms > length_ms:
        with pytest.raises(RequestRefused, match=f"{length_ms}ms is already shorter"):
            conversation.truncate("a", 0, end_ms)
        assert item.turn().text == "some words"
        return
    conversation.truncate("a", 0, end_ms)
    assert len(item.parts[0].audio) == 8 * end_ms
    assert item.turn().text == ""
    conversation.truncate("a", 0, end_ms)


def test_a_content_part_that_is_not_there_cannot_be_cut() -> None:
    conversation = Conversation()
    conversation.insert(spoken("a", 100))
    with pytest.raises(RequestRefused) as refused:
        conversation.truncate("a", 1, 0)
    assert refused.value.code == "unsupported_content_type"


def test_an_item_is_inserted_once_and_after_an_item_that_exists() -> None:
    conversation = Conversation()
    assert conversation.insert(written("a", "x")) is None
    with pytest.raises(RequestRefused, match="exists already"):
        conversation.insert(written("a", "y"))
    with pytest.raises(RequestRefused) as refused:
        conversation.insert(written("b", "y"), "nowhere")
    assert refused.value.code == "item_create_invalid_previous_item_id"
    assert conversation.last_id == "a"


def test_a_brain_reads_neither_unfinished_nor_empty_messages() -> None:
    unfinished, empty = spoken("a", 100), Item("b", "message", role="assistant")
    unfinished.status = "in_progress"
    call = Item("c", "function_call", name="book", payload="{}")
    assert [turn.name for turn in turns([unfinished, empty, call])] == ["book"]


def test_audio_that_is_not_base64_is_refused() -> None:
    assert decode_audio("//8=", "audio") == b"\xff\xff"
    for wrong in ("//8", "ÿÿ", "a b="):
        with pytest.raises(RequestRefused, match="base64"):
            decode_audio(wrong, "audio")
