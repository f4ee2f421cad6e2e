"""Which commands bring the model's memory in line with what the caller heard.

- An item of which nothing was heard is deleted: truncating at 0 can be rejected.
- An item heard in part is truncated to whole milliseconds, rounded down, so never above what was
  received: a longer value is an error.
- An item heard whole stays. Where its response was cancelled in the middle of it, the model
  remembers audio that never came to us, and the item is truncated to what was heard of it.
- An item of a dead response that never came to sound is deleted when the response is over.
"""

from collections.abc import Callable

from app.call.axis import ItemHeard
from app.call.commands import DeleteItem, TruncateItem
from app.call.playout import Settled
from app.call.recent import Recent


def mend(settled: Settled, complete: Callable[[str], bool]) -> list[TruncateItem | DeleteItem]:
    """`complete(response_id)`: the response ended by itself before it was interrupted."""
    commands: list[TruncateItem | DeleteItem] = []
    for item in settled.items:
        if item.unheard:
            commands.append(delete(item.item_id))
        elif not stays(item, settled, complete):
            commands.append(_truncate(item))
    return commands


def stays(item: ItemHeard, settled: Settled, complete: Callable[[str], bool]) -> bool:
    """True for an item that came whole and was heard whole."""
    last = [other.item_id for other in settled.items if other.response_id == item.response_id][-1]
    return item.whole and (item.item_id != last or complete(item.response_id))


class SilentItems:
    """Message items that were opened and have not come to sound yet."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: Recent[str] = Recent()
        """By item id the response. The oldest belong to responses whose end was never told."""

    def opened(self, item_id: str, response_id: str) -> None:
        self._items.put(item_id, response_id)

    def sounded(self, item_id: str) -> None:
        self._items.pop(item_id)

    def take(self, response_id: str) -> list[str]:
        """The items of a response that is over; they are forgotten here."""
        silent = [item for item, owner in self._items.items() if owner == response_id]
        for item_id in silent:
            self._items.pop(item_id)
        return silent


def delete(item_id: str) -> DeleteItem:
    return DeleteItem(f"delete-{item_id}", item_id)


def _truncate(item: ItemHeard) -> TruncateItem:
    return TruncateItem(f"truncate-{item.item_id}", item.item_id, item.heard_ms, item.content_index)
