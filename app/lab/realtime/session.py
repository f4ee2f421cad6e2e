"""One session: client events in, server events out. Nothing here ever waits."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from app.lab.realtime.config import (
    Json,
    SessionConfig,
    default_session,
    response_request,
    without_formats,
)
from app.lab.realtime.conversation import decode_audio, item_from_client
from app.lab.realtime.log import Append, ClientEvent, Truncation
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.shapes import CLIENT_EVENT, SESSION
from app.lab.realtime.stage import Stage
from app.lab.realtime.turn_taking import TurnTaking


class _Append(msgspec.Struct, tag="input_audio_buffer.append"):
    """The one hot client event: its base64 is decoded while the JSON is parsed."""

    audio: bytes


_decode_append: Final = msgspec.json.Decoder(_Append).decode
_decode: Final = msgspec.json.Decoder(Json).decode


class Session:
    """The endpoint's state for one socket. `handle` takes each message as it arrives."""

    def __init__(self, stage: Stage, expires_at: int) -> None:
        self._stage = stage
        self._config = SessionConfig(
            default_session(stage.log.session_id, stage.log.model, expires_at)
        )
        stage.log.instructions = self._config.data["instructions"]
        self._turns = TurnTaking(stage, self._config)
        self._handlers: dict[str, Callable[[Json], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": lambda _: self._turns.commit(),
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve,
            "conversation.item.truncate": self._truncate,
            "conversation.item.delete": self._delete,
            "response.create": self._respond,
            "response.cancel": lambda event: self._turns.responder.cancel(event.get("response_id")),
        }

    def open(self) -> None:
        self._stage.outbox.emit("session.created", session=self._config.data)

    def close(self) -> None:
        self._turns.close()

    def expire(self) -> None:
        """The session's time is up: say so and close."""
        minutes = self._stage.behaviour.session_cap_s / 60
        text = f"Your session hit the maximum duration of {minutes:g} minutes."
        self._stage.outbox.refuse(RequestRefused("session_expired", text), None)
        self._stage.outbox.close(1001, text)

    def handle(self, message: bytes) -> None:
        try:
            audio = _decode_append(message).audio
        except msgspec.DecodeError:
            self._handle_control(message)
            return
        try:
            self._hear(audio)
        except RequestRefused as refusal:
            self._stage.outbox.refuse(refusal, _event_id(_decode(message)))

    def _handle_control(self, message: bytes) -> None:
        event: Json = {}
        try:
            event = _parsed(message)
            self._log(event)
            CLIENT_EVENT(event, "")
            self._handlers[event["type"]](event)
        except RequestRefused as refusal:
            self._stage.outbox.refuse(refusal, _event_id(event))

    def _log(self, event: Json) -> None:
        type_ = str(event.get("type"))
        if type_ != "input_audio_buffer.append":
            self._stage.log.received.append(ClientEvent(time.monotonic(), type_, event))

    def _hear(self, audio: bytes) -> None:
        self._turns.hear(audio)
        log = self._stage.log
        log.appends.append(Append(time.monotonic(), len(log.caller_audio)))

    def _append(self, event: Json) -> None:
        self._hear(decode_audio(event["audio"], "audio"))

    def _clear(self, event: Json) -> None:
        self._turns.audio.clear()
        self._stage.outbox.emit("input_audio_buffer.cleared")

    def _update(self, event: Json) -> None:
        patch = event["session"]
        if self._stage.behaviour.wrong_format:
            SESSION(patch, "session")
            patch = without_formats(patch)
        spoken = self._stage.conversation.assistant_spoke
        self._config = self._config.updated(patch, voice_locked=spoken)
        self._turns.configure(self._config)
        self._stage.log.instructions = self._config.data["instructions"]
        self._stage.outbox.emit("session.updated", session=self._config.data)

    def _create_item(self, event: Json) -> None:
        body = event["item"]
        if body["type"] == "function_call_output":
            self._stage.conversation.check_call(body["call_id"])
        new_id = body.get("id") or self._stage.ids.new("item")
        item = item_from_client(body, new_id, self._config.input_format)
        self._turns.add(item, event.get("previous_item_id"))
        reported = self._stage.behaviour.transcribes_created_items
        self._turns.hearing.begin(item, self._config.transcription_model if reported else None)

    def _retrieve(self, event: Json) -> None:
        item = self._stage.conversation.find(event["item_id"], "item_retrieve_invalid_item_id")
        self._stage.outbox.emit("conversation.item.retrieved", item=item.json(with_audio=True))

    def _truncate(self, event: Json) -> None:
        item_id, end_ms = event["item_id"], event["audio_end_ms"]
        log, accepted = self._stage.log, False
        try:
            self._stage.conversation.truncate(item_id, event["content_index"], end_ms)
            accepted = True
            log.items[item_id].truncated_ms = end_ms
        finally:
            log.truncations.append(Truncation(time.monotonic(), item_id, end_ms, accepted))
        self._stage.outbox.emit(
            "conversation.item.truncated",
            item_id=item_id,
            content_index=event["content_index"],
            audio_end_ms=end_ms,
        )

    def _delete(self, event: Json) -> None:
        item_id = event["item_id"]
        self._stage.conversation.delete(item_id)
        if item_id in self._stage.log.items:
            self._stage.log.items[item_id].deleted = True
        self._stage.outbox.emit("conversation.item.deleted", item_id=item_id)

    def _respond(self, event: Json) -> None:
        request = response_request(self._config, event.get("response"))
        self._turns.responder.create(request, self._config.input_format)


def _parsed(message: bytes) -> Json:
    try:
        return _decode(message)
    except msgspec.DecodeError as error:
        raise RequestRefused(
            "invalid_json", f"Expected an event as a JSON object; {error}."
        ) from None


def _event_id(event: Json) -> str | None:
    event_id = event.get("event_id")
    return event_id if isinstance(event_id, str) else None
