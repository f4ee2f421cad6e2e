"""One response: from `response.created` to `response.done`, whatever happens in between."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeAlias

from app.lab.realtime.config import Json, ResponseRequest
from app.lab.realtime.conversation import Item, turns
from app.lab.realtime.output_items import FunctionOutput, MessageOutput, OutputItem
from app.lab.realtime.pacing import Step, audio_steps, text_steps
from app.lab.realtime.ports import AsideBrain, CallFunction, Output, Say, ToolAwareBrain
from app.lab.realtime.stage import Stage
from app.lab.realtime.usage import (
    Context,
    Tokens,
    cached_tokens,
    context_of,
    item_tokens,
    tokens_of,
    usage,
)

logger = logging.getLogger(__name__)

Status: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]
Reason: TypeAlias = Literal["turn_detected", "client_cancelled", "max_output_tokens"]

TOKENS_PER_MINUTE = 40_000
RESERVED_TOKENS = 4096


class ResponseRun:
    """Started and cancelled without waiting; it speaks in its own task.

    `read_before`: what earlier responses read, the conversation's last one first; for the cached
    share of the usage.
    `done` is called once, right after `response.done` was emitted.
    """

    def __init__(
        self,
        stage: Stage,
        request: ResponseRequest,
        number: int,
        override: list[Item] | None,
        understood: Callable[[], Awaitable[None]],
        read_before: Sequence[Context],
        done: Callable[["ResponseRun"], None],
    ) -> None:
        self.id = stage.ids.new("resp")
        self.request = request
        self.read: Context = ()
        self._stage = stage
        self._faulty = stage.behaviour.faulty(number, out_of_band=request.out_of_band)
        self._override = override
        self._understood = understood
        self._read_before = read_before
        self._done = done
        self._outputs: list[OutputItem] = []
        self._open: MessageOutput | None = None
        self._pieces: Iterator[tuple[str, bytes]] = iter(())
        self._task: asyncio.Task[None] | None = None

    @property
    def audio_ms(self) -> int:
        """Audio produced so far, over all items."""
        logged = self._stage.log.items
        return sum(logged[o.item.id].audio_ms for o in self._outputs if o.item.id in logged)

    def start(self) -> None:
        self._stage.outbox.emit("response.created", response=self._json("in_progress"))
        self._emit_rate_limits()
        self._task = self._stage.tasks.spawn(self._run())

    def cancel(self, reason: Reason) -> None:
        """Ends the response now: its closing events are queued before this returns."""
        if self._task is not None:
            self._task.cancel()
        if self._open is not None:
            for piece in islice(self._pieces, self._stage.behaviour.late_deltas):
                self._open.add(*piece)
        self._finish("cancelled", reason=reason)

    async def _run(self) -> None:
        behaviour = self._stage.behaviour
        try:
            if self._faulty and behaviour.mute:
                await asyncio.Event().wait()
            if self._faulty and (behaviour.rate_limited or behaviour.response_error):
                code = behaviour.response_error or "rate_limit_exceeded"
                self._finish("failed", error=_failure(code))
                return
            await self._answer()
        except Exception:
            logger.exception("the lab's brain or mouth failed; the response fails")
            self._stage.log.notes.append("the brain or the mouth raised an exception")
            self._finish("failed", error=_failure("server_error"))

    async def _answer(self) -> None:
        await self._understood()
        await asyncio.sleep(self._stage.behaviour.think_ms / 1000)
        items = self._stage.conversation.items if self._override is None else self._override
        self.read = context_of(items, self.request.instructions, self.request.tool_text)
        for output in self._think(items):
            if isinstance(output, CallFunction):
                self._call(output)
            elif not await self._say(output):
                self._finish("incomplete", reason="max_output_tokens")
                return
        self._finish("completed")

    def _think(self, items: list[Item]) -> list[Output]:
        brain, conversation = self._stage.brain, turns(items)
        if isinstance(brain, ToolAwareBrain):
            brain.offer(sorted(self.request.functions))
        if self.request.out_of_band and isinstance(brain, AsideBrain):
            return list(brain.aside(conversation, self.request.instructions))
        return list(brain.reply(conversation, self.request.instructions))

    def _call(self, call: CallFunction) -> None:
        if call.name not in self.request.functions:
            self._stage.log.notes.append(f"the brain called '{call.name}', which no tool offers")
            return
        output = FunctionOutput(
            self._stage,
            self.id,
            len(self._outputs),
            call,
            out_of_band=self.request.out_of_band,
        )
        self._outputs.append(output)
        output.write()

    async def _say(self, say: Say) -> bool:
        """False when the response's token limit cut it short."""
        spoken = self.request.modality == "audio"
        audio = await self._voice(say) if spoken else b""
        message = MessageOutput(
            self._stage,
            self.id,
            len(self._outputs),
            self.request.modality,
            self.request.output_format,
            out_of_band=self.request.out_of_band,
        )
        self._outputs.append(message)
        self._open = message
        message.open()
        step_ms = self._stage.behaviour.text_step_ms
        steps = self._audio_steps(say, len(audio)) if spoken else text_steps(say.text, step_ms)
        whole = await self._send(message, list(steps), audio)
        self._open = None
        message.close("completed" if whole else "incomplete")
        return whole

    async def _voice(self, say: Say) -> bytes:
        ulaw = say.audio
        if ulaw is None:
            ulaw = await self._stage.mouth.say(say.text, self.request.voice)
        return self.request.output_format.from_ulaw(ulaw)

    def _audio_steps(self, say: Say, n_bytes: int) -> Iterator[Step]:
        stall = None if say.stall_after_ms is None else (say.stall_after_ms, say.stall_ms)
        return audio_steps(
            say.text,
            n_bytes,
            self.request.output_format.bytes_per_ms,
            self._stage.behaviour,
            self._stage.dice,
            stall,
        )

    async def _send(self, message: MessageOutput, steps: list[Step], audio: bytes) -> bool:
        began_s, limit = time.monotonic(), self.request.max_output_tokens
        self._pieces = ((step.text, audio[step.start : step.end]) for step in steps)
        for step in steps:
            wait_s = began_s + step.due_ms / 1000 - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if limit is not None and self._written().total >= limit:
                return False
            message.add(*next(self._pieces))
        return True

    def _written(self) -> Tokens:
        return sum((item_tokens(output.item) for output in self._outputs), Tokens())

    def _finish(
        self, status: Status, *, reason: Reason | None = None, error: Json | None = None
    ) -> None:
        if self._open is not None:
            self._open.close("incomplete")
            self._open = None
        self._stage.outbox.emit("response.done", response=self._json(status, reason, error))
        self._done(self)

    def _json(
        self,
        status: Status | Literal["in_progress"],
        reason: Reason | None = None,
        error: Json | None = None,
    ) -> Json:
        request, running = self.request, status == "in_progress"
        details = None
        if status not in ("in_progress", "completed"):
            details = {"type": status, "reason": reason, "error": error}
        read, cached = tokens_of(self.read), cached_tokens(self.read, self._read_before)
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [output.item.json() for output in self._outputs],
            "conversation_id": None if request.out_of_band else self._stage.conversation_id,
            "output_modalities": [request.modality],
            "max_output_tokens": request.max_output_tokens or "inf",
            "audio": {"output": {"format": request.output_format.json, "voice": request.voice}},
            "usage": None if running else usage(read, cached, self._written()),
            "metadata": request.metadata,
        }

    def _emit_rate_limits(self) -> None:
        """At the start, with the tokens of the coming answer set aside."""
        left = 0 if self._faulty and self._stage.behaviour.rate_limited else None
        used = tokens_of(self._read_before[0]).total + RESERVED_TOKENS
        limits = (("requests", 1000, 999), ("tokens", TOKENS_PER_MINUTE, TOKENS_PER_MINUTE - used))
        self._stage.outbox.emit(
            "rate_limits.updated",
            rate_limits=[
                {
                    "name": name,
                    "limit": limit,
                    "remaining": max(0, remaining) if left is None else left,
                    "reset_seconds": round((limit - max(0, remaining)) * 60 / limit, 3),
                }
                for name, limit, remaining in limits
            ],
        )


def _failure(code: str) -> Json:
    kinds = {"rate_limit_exceeded": "tokens", "server_error": "server_error"}
    return {
        "type": kinds.get(code, "invalid_request_error"),
        "code": code,
        "message": f"The response could not be made ({code}).",
    }
