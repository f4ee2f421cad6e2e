"""The model is told to forget exactly what the caller did not hear, in commands that are valid."""

from hypothesis import given
from hypothesis import strategies as st

from app.call.axis import ItemHeard
from app.call.commands import DeleteItem, TruncateItem
from app.call.memory import SilentItems, mend
from app.call.playout import Settled


def settled(*items: ItemHeard) -> Settled:
    position = sum(item.heard_bytes for item in items)
    received = sum(item.received_bytes for item in items)
    return Settled(0, "fence", position, received, received, items)


def complete(_response_id: str) -> bool:
    return True


def cancelled(_response_id: str) -> bool:
    return False


def test_an_unheard_item_is_deleted() -> None:
    commands = mend(settled(ItemHeard("r", "a", 0, 0, 8_000)), complete)

    assert commands == [DeleteItem("delete-a", "a")]


def test_a_half_heard_item_is_truncated_to_whole_milliseconds() -> None:
    commands = mend(settled(ItemHeard("r", "a", 2, 4_007, 8_000)), complete)

    assert commands == [TruncateItem("truncate-a", "a", 500, 2)]


def test_an_item_heard_whole_is_left_alone() -> None:
    assert mend(settled(ItemHeard("r", "a", 0, 8_000, 8_000)), complete) == []


def test_an_item_cancelled_in_the_middle_is_truncated_to_what_came() -> None:
    commands = mend(settled(ItemHeard("r", "a", 0, 8_000, 8_000)), cancelled)

    assert commands == [TruncateItem("truncate-a", "a", 1_000)]


def test_an_item_heard_whole_is_left_alone_when_a_later_one_of_its_response_was_cut() -> None:
    first = ItemHeard("r", "a", 0, 8_000, 8_000)
    second = ItemHeard("r", "b", 0, 1_600, 8_000)
    third = ItemHeard("r", "c", 0, 0, 800)

    assert mend(settled(first, second, third), cancelled) == [
        TruncateItem("truncate-b", "b", 200),
        DeleteItem("delete-c", "c"),
    ]


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.booleans())
def test_a_truncation_is_above_nothing_and_never_above_what_was_received(
    one: int, other: int, ended: bool
) -> None:
    item = ItemHeard("r", "a", 0, min(one, other), max(one, other))

    for command in mend(settled(item), lambda _: ended):
        if isinstance(command, TruncateItem):
            assert 0 < command.audio_end_ms * 8 <= item.received_bytes


def test_silent_items_are_told_once_and_only_for_their_response() -> None:
    silent = SilentItems()
    silent.opened("a", "r1")
    silent.opened("b", "r2")
    silent.opened("c", "r1")
    silent.sounded("c")

    assert silent.take("r1") == ["a"]
    assert silent.take("r1") == []
    assert silent.take("r2") == ["b"]
