"""Not one byte of a closed chain can be changed, and no link taken out, put in or moved, without
its being found."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.chain import BEGAN, CLOSED, Chain, verify

AT_MS = 1_795_000_000_123
WHAT: dict[str, Any] = {
    "call": "CA1",
    "agent": "clerk",
    "text": "A machine speaks. Öffnen?",
    "n": 3,
}


def made(key: bytes = b"", kinds: tuple[str, ...] = ("notice", "tool", "opt_out")) -> list[bytes]:
    chain = Chain(key)
    whole = (BEGAN, *kinds, CLOSED)
    return [chain.link(kind, 20 * n, AT_MS + 20 * n, WHAT) for n, kind in enumerate(whole)]


@pytest.mark.parametrize("key", [b"", b"secret"])
def test_a_chain_as_it_was_written_is_whole(key: bytes) -> None:
    verdict = verify(b"".join(made(key)), key)
    assert verdict.whole
    assert [link.kind for link in verdict.links] == [BEGAN, "notice", "tool", "opt_out", CLOSED]
    assert verdict.links[1].what == WHAT
    assert verdict.links[0].at == "2026-11-18T11:06:40.123Z"


def test_every_change_of_one_byte_is_found() -> None:
    chain = b"".join(made())
    chance = Random(6)
    for at in range(len(chain)):
        other = bytes([chain[at] ^ chance.randrange(1, 256)])
        assert not verify(chain[:at] + other + chain[at + 1 :]).whole, at


@given(st.binary(max_size=300))
def test_anything_may_stand_in_the_file(content: bytes) -> None:
    assert not verify(content).whole


def test_a_link_that_is_taken_out_put_in_or_moved_is_found() -> None:
    lines = made()
    for at in range(len(lines)):
        assert not verify(b"".join(lines[:at] + lines[at + 1 :])).whole
        assert not verify(b"".join([*lines[:at], lines[at], *lines[at:]])).whole
    assert not verify(b"".join([lines[0], lines[2], lines[1], *lines[3:]])).whole


def test_a_chain_whose_end_is_cut_off_is_not_closed() -> None:
    verdict = verify(b"".join(made()[:-1]))
    assert not verdict.whole
    assert not verdict.faults


def test_a_chain_with_another_end_is_found() -> None:
    lines = made()
    chain = Chain()
    forged = [chain.link(kind, 0, AT_MS, WHAT) for kind in (BEGAN, "tool", CLOSED)]
    assert verify(b"".join(forged)).whole, "without a key only the head tells"
    assert forged[-1] != lines[-1]
    assert not verify(b"".join(forged), b"secret").whole


def test_what_follows_the_end_is_found() -> None:
    chain = Chain()
    kinds = (BEGAN, CLOSED, "tool", CLOSED)
    lines = b"".join(chain.link(kind, 0, AT_MS, {}) for kind in kinds)
    assert [fault.line for fault in verify(lines).faults] == [2]


def test_a_second_stream_goes_on_from_the_first() -> None:
    first = Chain()
    before = b"".join(first.link(kind, 0, AT_MS, {}) for kind in (BEGAN, CLOSED))
    second = Chain(after=first.head)
    after = b"".join(second.link(kind, 0, AT_MS, {}) for kind in (BEGAN, CLOSED))
    assert verify(before).whole
    assert verify(after).whole
    assert first.head.encode() in after
