"""Invariant: a key that was pressed is told once, whichever packets of it were lost, doubled or
came late, as long as one of them came; and keys are told in the order of the presses."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from app.sip_line.keys import KEYS, SILENT_MS, KeyEvents

PRESS_MS, PAUSE_MS, UPDATE_MS = 120, 100, 20


def event(key: str, duration_samples: int, *, end: bool) -> bytes:
    return struct.pack("!BBH", KEYS.index(key), 0x80 * end | 10, duration_samples)


def press(key: str, start: int) -> list[tuple[int, bytes]]:
    """What a phone sends for one press: updates, then the end thrice."""
    updates = range(UPDATE_MS, PRESS_MS, UPDATE_MS)
    packets = [(start, event(key, 8 * ms, end=False)) for ms in updates]
    return packets + 3 * [(start, event(key, 8 * PRESS_MS, end=True))]


def told(packets: list[tuple[int, bytes]]) -> str:
    events, keys = KeyEvents(), ""
    for timestamp, payload in packets:
        keys += events.put(timestamp, payload, 0)
    return keys + events.tick(SILENT_MS)


@given(st.text(KEYS, max_size=8), st.integers(0, 2**32 - 1), st.data())
def test_each_key_once_whatever_is_lost_or_doubled(
    keys: str, begin: int, data: st.DataObject
) -> None:
    packets = []
    for number, key in enumerate(keys):
        sent = press(key, (begin + number * 8 * (PRESS_MS + PAUSE_MS)) % 2**32)
        arrived = data.draw(
            st.lists(st.integers(0, len(sent) - 1), min_size=1).map(sorted), label=key
        )
        packets += [sent[index] for index in arrived]
    assert told(packets) == keys


@given(st.permutations(press("5", 1_000)))
def test_the_order_of_one_press_does_not_matter(packets: list[tuple[int, bytes]]) -> None:
    assert told(packets) == "5"


def test_packets_of_a_key_that_was_told_are_late_doubles() -> None:
    first, second = press("1", 0), press("2", 8 * 220)
    assert told([*first, *second, first[-1], second[0], first[0]]) == "12"


def test_a_press_without_its_end_is_told_after_a_while_and_only_then() -> None:
    events = KeyEvents()
    assert events.put(0, event("7", 160, end=False), 1_000) == ""
    assert events.put(0, event("7", 320, end=False), 1_100) == ""
    assert events.tick(1_100 + SILENT_MS - 1) == ""
    assert events.tick(1_100 + SILENT_MS) == "7"
    assert events.tick(5_000) == ""


def test_a_very_long_press_in_segments_is_one() -> None:
    """RFC 4733, 2.5.1.3."""
    packets = [(0, event("*", 0xFFFF, end=False)), (0xFFFF, event("*", 800, end=False))]
    assert told([*packets, (0xFFFF, event("*", 1_600, end=True))]) == "*"


def test_keys_are_heard_after_the_timestamps_began_anew() -> None:
    """A PBX that connects another leg goes on with that one's timestamps, and its own SSRC."""
    first, second = press("1", 2_000_000), press("2", 5_000)
    assert told([*first, *second, *press("3", 9_000)]) == "123"
    assert told([first[0], *second]) == "12"


def test_what_is_no_key_is_none() -> None:
    assert told([(0, bytes([16, 0x80, 0, 160])), (0, b"\x05"), (0, b"")]) == ""
