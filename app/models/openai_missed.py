"""What a sideband missed while it was broken, as far as the server still tells.

The answers that were being made are known by their items: each is retrieved once the socket is
there again. When all of an answer's items are complete, so is the answer, and its tools are run;
when one of them was cut, it was interrupted. While one is still being made, the server tells the
rest itself. An answer of which no item was known cannot be asked for: the heart waits for it as for
any model that has fallen silent.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from app.call.events import Event, ItemAdded, ResponseCreated, ResponseFinished, ToolCall
from app.models import openai_shapes as wire

_HEAD = b'"conversation.item.retrieved"'
_HEAD_BYTES = 200
_RETRIEVED = msgspec.json.Decoder(wire.Retrieved)


class Missed:
    """One per sideband; told of every event that goes to the heart."""

    def __init__(self) -> None:
        self._making: dict[str, dict[str, wire.OutputItem | None]] = {}
        """By response its items, and what was retrieved of them."""
        self._asked: set[str] = set()
        """Items that are being retrieved."""
        self._guessed: set[str] = set()
        """Responses that were called finished by what was retrieved of them."""
        self._run: set[str] = set()
        """Tool calls that were told of."""

    def passed(self, event: Event) -> Event | None:
        """What to tell the heart of an event that came: None for what it was told already."""
        match event:
            case ResponseCreated(response_id):
                self._making[response_id] = {}
            case ItemAdded(response_id, item_id):
                self._making.setdefault(response_id, {})[item_id] = None
            case ResponseFinished():
                return self._finished(event)
            case _:
                pass
        return event

    def questions(self) -> Iterator[bytes]:
        """Client events that ask for what may have been missed."""
        for items in self._making.values():
            for item_id in items:
                items[item_id] = None
                self._asked.add(item_id)
                ask = {"type": "conversation.item.retrieve", "item_id": item_id}
                yield msgspec.json.encode({**ask, "event_id": f"missed-{item_id}"[:64]})

    def answered(self, raw: bytes) -> list[Event]:
        """What an answer to a question tells the heart."""
        if not self._asked or _HEAD not in raw[:_HEAD_BYTES]:
            return []
        try:
            item = _RETRIEVED.decode(raw).item
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        self._asked.discard(item.id)
        for response_id, items in self._making.items():
            if item.id in items:
                items[item.id] = item
                finished = self._verdict(response_id, items)
                return [] if finished is None else [finished]
        return []

    def _verdict(
        self, response_id: str, items: dict[str, wire.OutputItem | None]
    ) -> ResponseFinished | None:
        known = [item for item in items.values() if item is not None]
        if len(known) < len(items) or any(i.status == "in_progress" for i in known):
            return None
        self._guessed.add(response_id)
        del self._making[response_id]
        if any(item.status == "incomplete" for item in known):
            return ResponseFinished(response_id, "cancelled", "turn_detected")
        calls = tuple(
            ToolCall(item.call_id, item.id, item.name, item.arguments or "")
            for item in known
            if item.type == "function_call" and item.call_id and item.name
        )
        return self._new_calls(ResponseFinished(response_id, "completed", tool_calls=calls))

    def _finished(self, event: ResponseFinished) -> ResponseFinished | None:
        self._making.pop(event.response_id, None)
        new = self._new_calls(event)
        if event.response_id not in self._guessed:
            return new
        self._guessed.discard(event.response_id)
        return new if new.tool_calls or event.usage is not None else None

    def _new_calls(self, event: ResponseFinished) -> ResponseFinished:
        calls = tuple(call for call in event.tool_calls if call.call_id not in self._run)
        self._run.update(call.call_id for call in calls)
        return replace(event, tool_calls=calls)
