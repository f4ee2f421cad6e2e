"""The demo's verdict is drawn from what was played, so a call that went wrong cannot pass."""

from app.demo.verdict import played_bytes

ITEM = bytes(range(1, 255)) * 20


def test_an_item_played_whole_counts_whole() -> None:
    assert played_bytes(ITEM, b"\xff" * 320 + ITEM + b"\xff" * 320) == len(ITEM)


def test_an_item_that_was_cut_counts_to_the_cut() -> None:
    assert played_bytes(ITEM, ITEM[:2_000] + b"\xff" * 320) == 2_000


def test_leading_silence_of_an_item_counts_as_played() -> None:
    item = b"\xff" * 480 + ITEM
    assert played_bytes(item, b"\x80" * 160 + item[:2_480]) == 2_480


def test_an_item_that_never_began_counts_nothing() -> None:
    assert played_bytes(ITEM, b"\xff" * 4_000) == 0
    assert played_bytes(b"", ITEM) == 0
