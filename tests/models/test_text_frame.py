"""Invariant: what is framed here, `websockets` reads as one text message, whatever its length, and
no masking key serves twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from app.models.text_frame import text_frame


def read(frames: bytes) -> list[bytes]:
    """As a server: masks and lengths are checked."""
    server = Protocol(Side.SERVER)
    server.receive_data(frames)
    assert server.parser_exc is None
    found = []
    for event in server.events_received():
        assert isinstance(event, Frame)
        assert event.opcode is Opcode.TEXT and event.fin
        found.append(bytes(event.data))
    return found


@pytest.mark.parametrize("n_bytes", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_every_form_of_the_length_is_read_as_it_was_meant(n_bytes: int) -> None:
    message = bytes(at % 251 for at in range(n_bytes))
    assert read(text_frame(message)) == [message]


@given(st.lists(st.text().map(str.encode), min_size=1, max_size=5))
def test_frames_in_a_row_are_messages_in_a_row(messages: list[bytes]) -> None:
    assert read(b"".join(map(text_frame, messages))) == messages


def test_each_frame_has_a_key_of_its_own_also_past_one_pool() -> None:
    keys = {text_frame(b"")[2:] for _ in range(3_000)}
    assert (
        len(keys) > 2_990
    )  # 4 random bytes each: two of 3000 are the same once in a thousand runs
