"""Invariant: only line ends end the lines of a message, its body is as long in characters as it was
in bytes, and whatever the bytes are, a text comes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sip_line.wire import readable

HEAD = "OPTIONS sip:a@b SIP/2.0\r\nFrom: {name} <sip:a@b>;tag=1\r\nCall-ID: x"


@pytest.mark.parametrize("end", ["\r", "\n", "\v", "\f", "\x1c", "\x1e", "\x85", "\u2028"])
def test_nothing_but_a_line_end_ends_a_line(end: str) -> None:
    text = readable(HEAD.format(name=f"A{end}B").encode())
    assert text.splitlines() == HEAD.format(name="A B").split("\r\n")


def test_lines_that_end_in_the_unix_way_are_lines() -> None:
    assert readable(b"a: 1\nb: 2\n\nc") == "a: 1\r\nb: 2\r\n\r\nc"


def test_lines_that_are_no_header_are_left_away() -> None:
    assert (
        readable(b"OPTIONS x\r\na: 1\r\n b\r\nnothing\r\n\r\n") == "OPTIONS x\r\na: 1\r\n b\r\n\r\n"
    )


@given(st.binary(max_size=300), st.text(max_size=50))
def test_a_body_keeps_its_length(body: bytes, name: str) -> None:
    name = "".join(name.splitlines())
    head = HEAD.format(name=name)
    text = readable(f"{head}\r\n\r\n".encode() + body)
    assert text.startswith(f"{head}\r\n\r\n")
    assert len(text) == len(head) + 4 + len(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_read(datagram: bytes) -> None:
    readable(datagram).encode()
