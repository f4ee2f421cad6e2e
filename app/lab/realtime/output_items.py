"""The events of one output item of a response, from `output_item.added` to `item.done`."""

import base64
from typing import Literal

import msgspec

from app.lab.realtime.config import Json
from app.lab.realtime.conversation import Item, Part, Status
from app.lab.realtime.formats import AudioFormat
from app.lab.realtime.log import LoggedItem
from app.lab.realtime.ports import CallFunction
from app.lab.realtime.stage import Stage


class OutputItem:
    """Announces an item to the response and, unless out of band, to the conversation."""

    def __init__(
        self, stage: Stage, item: Item, response_id: str, index: int, *, out_of_band: bool
    ) -> None:
        self.item = item
        self._stage = stage
        self._place: Json = {"response_id": response_id, "output_index": index}
        self._in_conversation = not out_of_band
        self._previous_id: str | None = None

    def _announce(self) -> None:
        emit = self._stage.outbox.emit
        emit("response.output_item.added", **self._place, item=self.item.json())
        if self._in_conversation:
            self._previous_id = self._stage.conversation.insert(self.item)
            emit(
                "conversation.item.added",
                previous_item_id=self._previous_id,
                item=self.item.json(),
            )

    def _finish(self, status: Status) -> None:
        emit = self._stage.outbox.emit
        self.item.status = status
        emit("response.output_item.done", **self._place, item=self.item.json())
        if self._in_conversation and self.item in self._stage.conversation.items:
            emit(
                "conversation.item.done",
                previous_item_id=self._previous_id,
                item=self.item.json(),
            )


class MessageOutput(OutputItem):
    """A message that is spoken (or written, with modality "text") piece by piece."""

    def __init__(
        self,
        stage: Stage,
        response_id: str,
        index: int,
        modality: Literal["audio", "text"],
        audio_format: AudioFormat,
        *,
        out_of_band: bool,
    ) -> None:
        item = Item(stage.ids.new("item"), "message", role="assistant", status="in_progress")
        super().__init__(stage, item, response_id, index, out_of_band=out_of_band)
        self._spoken = modality == "audio"
        self._log = LoggedItem(item.id, response_id, audio_format)
        self._where: Json = {**self._place, "item_id": item.id, "content_index": 0}
        self._part = Part("output_text", "")
        if self._spoken:
            self._part = Part("output_audio", "", audio_format=audio_format)
        head = msgspec.json.encode({"type": "response.output_audio.delta", **self._where})
        self._delta_head = head[:-1] + b',"event_id":"'

    def open(self) -> None:
        self._stage.log.items[self.item.id] = self._log
        self._announce()
        self.item.parts.append(self._part)
        self._stage.outbox.emit(
            "response.content_part.added", **self._where, part=self._part_json("")
        )

    def add(self, text: str, audio: bytes) -> None:
        """Send a piece. Nothing is remembered of an item that the client has cut meanwhile."""
        self._log.text += text
        self._log.audio += audio
        if not self.item.cut:
            self._part.text = (self._part.text or "") + text
            self._part.audio += audio
        if text:
            name = "output_audio_transcript" if self._spoken else "output_text"
            self._stage.outbox.emit(f"response.{name}.delta", **self._where, delta=text)
        if audio:
            tail = b'","delta":"%b"}' % base64.b64encode(audio)
            self._stage.outbox.emit_prepared("response.output_audio.delta", self._delta_head, tail)

    def close(self, status: Status) -> None:
        emit, text = self._stage.outbox.emit, self._log.text
        if self._spoken:
            emit("response.output_audio.done", **self._where)
            emit("response.output_audio_transcript.done", **self._where, transcript=text)
        else:
            emit("response.output_text.done", **self._where, text=text)
        emit("response.content_part.done", **self._where, part=self._part_json(text))
        self._finish(status)

    def _part_json(self, text: str) -> Json:
        if self._spoken:
            return {"type": "audio", "transcript": text}
        return {"type": "text", "text": text}


class FunctionOutput(OutputItem):
    """A function call: its arguments come in pieces, but without a pause between them."""

    def __init__(
        self, stage: Stage, response_id: str, index: int, call: CallFunction, *, out_of_band: bool
    ) -> None:
        item = Item(
            stage.ids.new("item"),
            "function_call",
            status="in_progress",
            call_id=stage.ids.new("call"),
            name=call.name,
        )
        super().__init__(stage, item, response_id, index, out_of_band=out_of_band)
        self._arguments = msgspec.json.encode(dict(call.arguments)).decode()

    def write(self) -> None:
        self._announce()
        where: Json = {**self._place, "item_id": self.item.id, "call_id": self.item.call_id}
        emit, half = self._stage.outbox.emit, -(-len(self._arguments) // 2)
        for piece in (self._arguments[:half], self._arguments[half:]):
            emit("response.function_call_arguments.delta", **where, delta=piece)
        self.item.payload = self._arguments
        emit(
            "response.function_call_arguments.done",
            **where,
            name=self.item.name,
            arguments=self._arguments,
        )
        self._finish("completed")
