"""Which commands bring the model's memory in line with what the caller heard.

- An item of which nothing was heard is deleted: truncating at 0 can be rejected.
- An item heard in part is truncated to whole milliseconds, rounded down, so never above what was
  received: a longer value is an error.
- An item heard whole stays, unless its response was cancelled: the model then remembers audio
  that never came to us, and the item is truncated to what came.
"""

from collections.abc import Callable

from app.call.axis import ItemHeard
from app.call.commands import DeleteItem, TruncateItem
from app.call.playout import Settled


def mend(settled: Settled, complete: Callable[[str], bool]) -> list[TruncateItem | DeleteItem]:
    """`complete(response_id)`: the response ended by itself before it was interrupted."""
    commands: list[TruncateItem | DeleteItem] = []
    for item in settled.items:
        if item.heard_ms == 0:
            commands.append(DeleteItem(f"delete-{item.item_id}", item.item_id))
        elif item.heard_bytes < item.received_bytes or not complete(item.response_id):
            commands.append(_truncate(item))
    return commands


def _truncate(item: ItemHeard) -> TruncateItem:
    return TruncateItem(f"truncate-{item.item_id}", item.item_id, item.heard_ms, item.content_index)
