"""How the lab's worker processes talk with us: msgpack messages, each behind a 4-byte length."""

import struct
from typing import BinaryIO, Literal

import msgspec

_LENGTH = struct.Struct(">I")
LENGTH_BYTES = _LENGTH.size
MAX_FRAME_BYTES = 64 * 1024 * 1024


class Question(msgspec.Struct, frozen=True, array_like=True):
    number: int
    payload: bytes


class Answer(msgspec.Struct, frozen=True, array_like=True):
    number: int
    """The question's; 0 is the worker's first message: it is ready, or why it cannot work."""
    payload: bytes = b""
    fault: Literal["", "asker", "worker"] = ""
    message: str = ""


def frame(message: Question | Answer) -> bytes:
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def body_length(prefix: bytes) -> int:
    """Length of the body that follows `prefix`. Raises ValueError when it cannot be one of ours."""
    (length,) = _LENGTH.unpack(prefix)
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a worker message may hold {MAX_FRAME_BYTES} bytes, got {length}")
    return int(length)


def read_question(stream: BinaryIO) -> Question | None:
    """The next question; None at the end of the stream, also when it ends inside a question."""
    prefix = stream.read(LENGTH_BYTES)
    if len(prefix) < LENGTH_BYTES:
        return None
    length = body_length(prefix)
    body = stream.read(length)
    if len(body) < length:
        return None
    return msgspec.msgpack.decode(body, type=Question)
