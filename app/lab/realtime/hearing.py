"""Understanding the caller: each utterance goes to the ear while the session goes on."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from app.lab.realtime.config import Json
from app.lab.realtime.conversation import Item, Part
from app.lab.realtime.formats import AudioFormat
from app.lab.realtime.ports import PartialEar
from app.lab.realtime.stage import Stage
from app.lab.realtime.usage import item_tokens, text_tokens

logger = logging.getLogger(__name__)

Listen: TypeAlias = Callable[[bytes, Sequence[str]], Awaitable[str | None]]

_BILLED_BY_DURATION = ("whisper-1", "gpt-realtime-whisper")


class Hearing:
    """Listens to user audio items; `settled` waits until everything begun was understood."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pending: set[asyncio.Task[None]] = set()
        # Dice of its own: a transcript more or less must not change the pace of the answers.
        self._dice = random.Random(f"{stage.behaviour.seed}/{stage.log.session_id}")

    def begin(self, item: Item, transcription_model: str | None) -> None:
        """`transcription_model`: whose transcription events the client asked for; None: none."""
        for index, part in enumerate(item.parts):
            if part.kind == "input_audio" and part.audio:
                task = self._stage.tasks.spawn(self._hear(item, index, transcription_model))
                self._pending.add(task)
                task.add_done_callback(self._pending.discard)

    async def settled(self) -> None:
        if self._pending:
            await asyncio.wait(tuple(self._pending))

    async def _hear(self, item: Item, index: int, model: str | None) -> None:
        part = item.parts[index]
        assert part.audio_format is not None
        text = await self._listen(self._stage.ear.hear, bytes(part.audio), part.audio_format)
        item.understood = text is not None
        part.heard = text or ""
        if model is not None:
            self._stage.tasks.spawn(self._report(item, index, model))

    async def so_far(self, audio: bytes, audio_format: AudioFormat) -> str | None:
        """The words of a turn that may go on; None: not understood."""
        ear = self._stage.ear
        listen = ear.so_far if isinstance(ear, PartialEar) else ear.hear
        return await self._listen(listen, audio, audio_format)

    async def _listen(self, listen: Listen, audio: bytes, audio_format: AudioFormat) -> str | None:
        try:
            return await listen(audio_format.to_ulaw(audio), self._stage.brain.hints())
        except Exception:
            logger.exception("the lab's ear failed; the utterance counts as not understood")
            self._stage.log.notes.append("the ear raised an exception")
            return None

    async def _report(self, item: Item, index: int, model: str) -> None:
        behaviour = self._stage.behaviour
        jitter_ms = self._dice.randint(0, behaviour.transcription_jitter_ms)
        await asyncio.sleep((behaviour.transcription_delay_ms + jitter_ms) / 1000)
        part = item.parts[index]
        emit, where = self._stage.outbox.emit, {"item_id": item.id, "content_index": index}
        prefix = "conversation.item.input_audio_transcription"
        if self._stage.behaviour.transcription_fails:
            emit(f"{prefix}.failed", **where, error=_FAILURE)
            return
        part.text = part.heard
        if part.heard:
            emit(f"{prefix}.delta", **where, delta=part.heard)
        emit(f"{prefix}.completed", **where, transcript=part.heard, usage=_usage(item, part, model))


_FAILURE: Json = {
    "type": "transcription_error",
    "code": "audio_unintelligible",
    "message": "The audio could not be transcribed.",
    "param": None,
}


def _usage(item: Item, part: Part, model: str) -> Json:
    if model in _BILLED_BY_DURATION:
        return {"type": "duration", "seconds": part.audio_ms / 1000}
    audio, written = item_tokens(item).audio, text_tokens(part.heard)
    return {
        "type": "tokens",
        "input_tokens": audio,
        "output_tokens": written,
        "total_tokens": audio + written,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
    }
