"""One turn: what a model and tools make of some messages, and the reply that is sent.

    messages taken -> (model -> tools)* -> reply known -> each part: about to be sent -> sent

Every arrow is written down before the next one begins, so another worker goes on where a killed one
stopped. A tool's run keeps its id and so runs once; a part that may have been sent is not sent
again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.carriers.twilio.rest_messages import Sender
from app.models.openai_answer import FailureCause, TextFailed
from app.models.openai_chat import Called, Reply
from app.observe.log import event
from app.text import prompt
from app.text.limits import FAILURE_REST_S, note_sent, note_spent
from app.text.ports import Parties, TextAgent, Tools, TurnEnd
from app.text.record import TextRecord
from app.text.sending import Messenger, Recipient
from app.text.talk import Line, Talk, Turn, with_output

logger = logging.getLogger(__name__)

MOST_ROUNDS: Final = 6
"""Answers of the model for one turn; the last one is offered no tools."""
MOST_CALLS: Final = 8
"""Tools that one answer may call."""
TURN_S: Final = 90.0
"""Longest wait for a reply, tools included."""
RETRY_PAUSE_S: Final = 1.0
_PASSING: Final[frozenset[FailureCause]] = frozenset({"limited", "unreachable", "late", "nonsense"})
"""Failures after which the model is asked once more: asking changes nothing in the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all turns of a worker share."""

    messenger: Messenger
    record: TextRecord
    now_s: Callable[[], float]
    """Unix seconds."""


@dataclass(slots=True, kw_only=True)
class TurnRun:
    """Carries out `talk.turn`. `save` writes the talk down; it raises when another worker has the
    conversation, and so ends this run."""

    conversation: str
    talk: Talk
    agent: TextAgent
    desk: Desk
    save: Callable[[], Awaitable[None]]
    _tools: Tools = field(init=False)

    def __post_init__(self) -> None:
        self._tools = self.agent.tools(self.conversation, self._parties)

    async def run(self) -> TurnEnd:
        """From wherever the turn stands to its end."""
        turn = self._turn
        if turn.reply is None:
            turn.reply = await self._reply()
            await self.save()
        return await self._send(turn.reply)

    @property
    def _turn(self) -> Turn:
        assert self.talk.turn is not None, "a run is made for a talk with a turn"
        return self.talk.turn

    @property
    def _parties(self) -> Parties:
        return Parties(self.talk.theirs, self.talk.own)

    # What is said

    async def _reply(self) -> list[str]:
        sms = self.agent.sms
        match self._turn.kind:
            case "help":
                return prompt.parts(sms.help)
            case "first":
                return prompt.parts(sms.first_message.replace("{link}", sms.link))
        written: Reply | TextFailed
        try:
            async with asyncio.timeout(TURN_S):
                written = await self._write()
        except TimeoutError:
            written = TextFailed("late", f"no reply within {TURN_S:g} s")
        if isinstance(written, TextFailed):
            return await self._apology(written)
        self.talk.apologised = False
        return prompt.parts(written.text or self._turn.aside)

    async def _write(self) -> Reply | TextFailed:
        """The model's last answer, after the tools that it asked for."""
        turn = self._turn
        while True:
            await self._run_tools()
            tools = self.agent.schemas() if turn.rounds < MOST_ROUNDS - 1 else ()
            reply = await self._ask(tools)
            turn.rounds += 1
            if isinstance(reply, TextFailed) or not reply.calls:
                return reply
            if turn.rounds >= MOST_ROUNDS:
                return TextFailed("nonsense", f"{MOST_ROUNDS} answers and no reply")
            turn.lines += [_line(call) for call in reply.calls[:MOST_CALLS]]
            turn.aside = reply.text
            # Before the tools run: who takes over must know their ids.
            await self.save()

    async def _run_tools(self) -> None:
        turn = self._turn
        waiting = [line for line in turn.lines if line.kind == "tool" and line.output is None]
        if not waiting:
            return
        await asyncio.gather(*(self._run_tool(line) for line in waiting))
        await self.save()

    async def _run_tool(self, line: Line) -> None:
        turn, now_s = self._turn, self.desk.now_s
        run_id = f"{turn.number}-{line.call_id}"
        outcome = await self._tools.run(line.name, line.arguments, run_id=run_id)
        turn.lines = with_output(turn.lines, line.call_id, outcome.output)
        told = {"name": line.name, "arguments": line.arguments, "output": outcome.output}
        await self.desk.record.add(self.conversation, "tool", now_s(), ok=outcome.ok, **told)

    async def _ask(self, tools: Sequence[dict[str, Any]]) -> Reply | TextFailed:
        talk = self.talk
        spoke = bool(talk.summary) or any(line.kind == "agent" for line in talk.lines)
        agents = await self.agent.instructions(self._parties)
        told = prompt.instructions(agents, talk.summary, spoke=spoke)
        items = prompt.items([*talk.lines, *self._turn.lines])
        reply = await self.agent.ask(told, items, tools)
        self._spend(reply)
        if isinstance(reply, TextFailed) and reply.cause in _PASSING:
            await asyncio.sleep(RETRY_PAUSE_S)
            reply = await self.agent.ask(told, items, tools)
            self._spend(reply)
        return reply

    def _spend(self, reply: Reply | TextFailed) -> None:
        if reply.usage is not None:
            usd = self.agent.cost_usd(reply.usage)
            note_spent(self.talk.pace, usd, self.desk.now_s())

    async def _apology(self, failed: TextFailed) -> list[str]:
        """One, and then a rest: who writes again at once would only get it again."""
        event(
            logger,
            logging.WARNING,
            "no answer to a text message",
            conversation=self.conversation,
            cause=failed.cause,
            detail=failed.detail,
        )
        now_s = self.desk.now_s()
        cause, detail = failed.cause, failed.detail
        await self.desk.record.add(self.conversation, "failed", now_s, cause=cause, detail=detail)
        self._turn.failed = True
        self.talk.pace.resting_until_s = now_s + FAILURE_REST_S
        if self.talk.apologised:
            return []
        self.talk.apologised = True
        return prompt.parts(self.agent.sms.sorry)

    # What is sent

    async def _send(self, reply: list[str]) -> TurnEnd:
        turn = self._turn
        if turn.sending:
            # Whoever was at it did not come to say whether it went out.
            await self._sent("unknown", reply[turn.sent])
        while turn.sent < len(reply):
            turn.sending = True
            await self.save()
            how = await self._deliver(reply[turn.sent])
            if how not in ("sent", "unknown"):
                turn.sending = False
                await self._note(how, reply[turn.sent])
                return "not_sent"
            await self._sent(how, reply[turn.sent])
        if not reply:
            return "silent"
        return "apologised" if turn.failed else "answered"

    async def _deliver(self, body: str) -> str:
        talk = self.talk
        to = Recipient(self.conversation, self.agent.name, talk.theirs, talk.own)
        return await self.desk.messenger.deliver(to, sender_of(talk.ours), body)

    async def _sent(self, how: str, body: str) -> None:
        turn = self._turn
        turn.sending = False
        turn.sent += 1
        note_sent(self.talk.pace, self.desk.now_s())
        await self.save()
        await self._note(how, body)

    async def _note(self, how: str, body: str) -> None:
        await self.desk.record.add(self.conversation, "out", self.desk.now_s(), how=how, text=body)


def sender_of(ours: str) -> Sender:
    """`ours`: a number or a messaging service."""
    return Sender(service_sid=ours) if ours.startswith("MG") else Sender(number=ours)


def _line(call: Called) -> Line:
    return Line("tool", call_id=call.call_id, name=call.name, arguments=call.arguments)
