"""What the model remembers: the items of a conversation, in order, and what was cut from them."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from app.lab.realtime.config import Json
from app.lab.realtime.formats import AudioFormat
from app.lab.realtime.ports import Turn
from app.lab.realtime.refusals import RequestRefused

Role: TypeAlias = Literal["user", "assistant", "system"]
Status: TypeAlias = Literal["completed", "incomplete", "in_progress"]


@dataclass(slots=True)
class Part:
    """One content part of a message. `text` is the transcript when there is audio."""

    kind: Literal["input_text", "input_audio", "input_image", "output_text", "output_audio"]
    text: str | None = None
    audio: bytearray = field(default_factory=bytearray)
    """In `audio_format`, as it crossed the wire."""
    audio_format: AudioFormat | None = None
    image: Json = field(default_factory=dict)
    heard: str = ""
    """What the ear made of the caller's audio. The client sees it only as `text`, on request."""

    @property
    def audio_ms(self) -> int:
        return 0 if self.audio_format is None else len(self.audio) // self.audio_format.bytes_per_ms

    def json(self, *, with_audio: bool = False) -> Json:
        if self.audio_format is None:
            return {"type": self.kind, **self.image} | (
                {} if self.text is None else {"text": self.text}
            )
        part: Json = {"type": self.kind, "transcript": self.text}
        if with_audio:
            part["audio"] = base64.b64encode(self.audio).decode()
        return part


@dataclass(slots=True, eq=False)
class Item:
    id: str
    kind: Literal["message", "function_call", "function_call_output"]
    role: Role | None = None
    status: Status = "completed"
    parts: list[Part] = field(default_factory=list)
    call_id: str = ""
    name: str = ""
    payload: str = ""
    """A function call's arguments or a function's output."""
    understood: bool = True
    """False for speech that the ear rejected."""
    cut: bool = False
    """Truncated by the client: nothing may be added to it any more."""

    def json(self, *, with_audio: bool = False) -> Json:
        item: Json = {"id": self.id, "object": "realtime.item", "type": self.kind}
        if self.kind == "function_call_output":
            return item | {"call_id": self.call_id, "output": self.payload}
        item["status"] = self.status
        if self.kind == "function_call":
            return item | {"call_id": self.call_id, "name": self.name, "arguments": self.payload}
        content = [part.json(with_audio=with_audio) for part in self.parts]
        return item | {"role": self.role, "content": content}

    def turn(self) -> Turn:
        if self.kind != "message":
            return Turn(self.kind, self.payload, name=self.name)
        assert self.role is not None
        text = " ".join(said for part in self.parts if (said := part.heard or part.text))
        return Turn(self.role, text, understood=self.understood)


class Conversation:
    """The default conversation of a session. Every refusal is a `RequestRefused`."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    @property
    def last_id(self) -> str | None:
        return self.items[-1].id if self.items else None

    @property
    def assistant_spoke(self) -> bool:
        return any(
            part.kind == "output_audio" and part.audio for item in self.items for part in item.parts
        )

    def find(self, item_id: str, code: str) -> Item:
        for item in reversed(self.items):
            if item.id == item_id:
                return item
        raise RequestRefused(code, f"Item with item_id not found: {item_id}", "item_id")

    def insert(self, item: Item, after: str | None = None) -> str | None:
        """Returns the id of the item before it. `after`: None appends, "root" goes first."""
        if any(known.id == item.id for known in self.items):
            raise RequestRefused(
                "item_create_duplicate_item_id", f"An item '{item.id}' exists already.", "item.id"
            )
        index = len(self.items)
        if after == "root":
            index = 0
        elif after is not None:
            index = 1 + self.items.index(self.find(after, "item_create_invalid_previous_item_id"))
        self.items.insert(index, item)
        return self.items[index - 1].id if index else None

    def check_call(self, call_id: str) -> None:
        """A function's output needs the call that it answers."""
        if not any(item.kind == "function_call" and item.call_id == call_id for item in self.items):
            raise RequestRefused(
                "item_create_invalid_tool_call_id",
                f"Tool call ID '{call_id}' not found in conversation.",
                "item.call_id",
            )

    def delete(self, item_id: str) -> None:
        self.items.remove(self.find(item_id, "item_delete_invalid_item_id"))

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut the item's audio and forget its whole transcript: no words are aligned to it."""
        item = self.find(item_id, "item_truncate_invalid_item_id")
        part = item.parts[content_index] if content_index < len(item.parts) else None
        if item.role != "assistant" or part is None or part.audio_format is None:
            raise _not_model_audio()
        if not part.audio and not item.cut:
            raise _not_model_audio()
        if audio_end_ms > part.audio_ms:
            raise RequestRefused(
                "invalid_value",
                f"Audio content of {part.audio_ms}ms is already shorter than {audio_end_ms}ms",
            )
        del part.audio[audio_end_ms * part.audio_format.bytes_per_ms :]
        part.text = None
        item.cut = True


def _not_model_audio() -> RequestRefused:
    return RequestRefused(
        "unsupported_content_type", "Only model output audio messages can be truncated"
    )


def turns(items: Iterable[Item]) -> list[Turn]:
    """The conversation as a brain reads it; items still being generated are left out."""
    return [
        item.turn()
        for item in items
        if item.status != "in_progress" and (item.kind != "message" or item.parts)
    ]


def item_from_client(body: Json, item_id: str, audio_format: AudioFormat) -> Item:
    """From a checked item of `conversation.item.create`; `audio_format` is the session's input.

    Raises `RequestRefused` for audio that is not base64, or ends in half a sample.
    """
    if body["type"] != "message":
        return Item(
            item_id,
            body["type"],
            call_id=body.get("call_id", ""),
            name=body.get("name", ""),
            payload=str(body.get("arguments", body.get("output", ""))),
        )
    parts = [_part_from_client(part, audio_format) for part in body["content"]]
    return Item(item_id, "message", role=cast(Role, body["role"]), parts=parts)


def _part_from_client(body: dict[str, Any], audio_format: AudioFormat) -> Part:
    if body["type"] == "input_audio":
        audio = decode_audio(body["audio"], "item.content.audio")
        check_whole_samples(audio, audio_format, "item.content.audio")
        return Part("input_audio", body.get("transcript"), bytearray(audio), audio_format)
    if body["type"] == "input_image":
        image: Json = {name: body[name] for name in ("image_url", "detail") if name in body}
        return Part("input_image", image=image)
    return Part(body["type"], body["text"])


def check_whole_samples(audio: bytes, audio_format: AudioFormat, param: str) -> None:
    """Raises `RequestRefused` for half a 16-bit sample."""
    if audio_format.bytes_per_ms > 8 and len(audio) % 2:
        raise RequestRefused(
            "invalid_value",
            f"16-bit audio takes an even number of bytes, but got {len(audio)}.",
            param,
        )


def decode_audio(encoded: str, param: str) -> bytes:
    """Base64 text to bytes. Raises `RequestRefused`."""
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise RequestRefused(
            "invalid_value", f"'{param}' is not valid base64 audio: {error}.", param
        ) from None
