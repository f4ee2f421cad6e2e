"""All turns of one conversation that are due, while this worker has its lease."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from app.call.summary import MOST_CHARS, tidied
from app.observe.log import event
from app.text import prompt
from app.text.digests import Digests
from app.text.limits import MACHINE_REST_S, DayLimits, note_received, silence
from app.text.ports import Agents, Leases, Store, TextAgent, Watch
from app.text.talk import (
    Line,
    Talk,
    Turn,
    Waiting,
    as_text,
    encode,
    read_call,
    read_talk,
    read_waiting,
)
from app.text.turn import Desk, TurnRun

logger = logging.getLogger(__name__)

MOST_LINES: Final = 60
MOST_LINE_CHARS: Final = 24_000
"""Beyond either of the two, a summary stands for the older lines."""
KEPT_LINES: Final = 20
"""Those that stay word for word."""
MOST_CALL_LINES: Final = 40


class LeaseLostError(Exception):
    """Another worker writes in this conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the conversations of a worker share."""

    desk: Desk
    store: Store
    leases: Leases
    agents: Agents
    digests: Digests
    watch: Watch
    gather_s: float
    """How long the messages that follow the first one are waited for."""


@dataclass(slots=True)
class Writing:
    """One conversation, for as long as its lease is ours."""

    conversation: str
    house: House
    talk: Talk | None = None

    async def work(self) -> None:
        """Until nobody waits for an answer. Raises `LeaseLostError`."""
        looked = await self.house.store.look(self.conversation)
        self.talk = read_talk(looked.state)
        if self.talk is not None and self.talk.turn is not None:
            await self._finish(self.talk)
        while messages := await self._due():
            talk = self.talk = self.talk or _new(messages[0])
            await self._begin(talk, messages)
            await self._finish(talk)

    async def waits(self) -> bool:
        """Whether a message has come that no turn has taken."""
        looked = await self.house.store.look(self.conversation)
        self.talk = read_talk(looked.state)
        return bool(await self._waiting())

    async def give_up(self) -> None:
        """A fault of ours: the turn that met it is over, or it would meet it again for ever."""
        if self.talk is not None and self.talk.turn is not None:
            self.talk.finish()
            await self._save(self.talk)

    async def _due(self) -> list[Waiting]:
        """What the next turn takes: what has come and is of one kind."""
        waiting = await self._waiting()
        if waiting and waiting[0].kind == "text" and self.house.gather_s:
            await asyncio.sleep(self.house.gather_s)
            waiting = await self._waiting()
        kinds = [message.kind for message in waiting]
        if not kinds or kinds[0] != "text":
            return waiting[:1]
        texts = next((n for n, kind in enumerate(kinds) if kind != "text"), len(kinds))
        return waiting[:texts]

    async def _waiting(self) -> list[Waiting]:
        looked = await self.house.store.look(self.conversation)
        taken = set(self.talk.taken) if self.talk is not None else set()
        messages = {key: read_waiting(value) for key, value in looked.inbox.items()}
        stale = [key for key, message in messages.items() if key in taken or message is None]
        if stale and self.talk is not None:
            await self._save(self.talk, stale)
        due = [m for key, m in messages.items() if m is not None and key not in taken]
        return sorted(due, key=lambda message: (message.at_s, message.message_id))

    # A turn

    async def _begin(self, talk: Talk, messages: list[Waiting]) -> None:
        await self._recall(talk)
        turn = talk.begin(messages)
        if turn.kind == "text":
            self._judge(talk, turn, [message.text for message in messages])
        talk.last_s = self.house.desk.now_s()
        await self._save(talk, [message.message_id for message in messages])

    def _judge(self, talk: Talk, turn: Turn, texts: list[str]) -> None:
        """Whether the messages get an answer at all."""
        now_s, pace = self.house.desk.now_s(), talk.pace
        sms = self._agent(talk).sms
        note_received(pace, texts, now_s)
        why = silence(pace, texts, now_s, DayLimits(sms.messages_per_day, sms.usd_per_day))
        if not why:
            return
        turn.reply = []
        if why == "machine":
            pace.resting_until_s = now_s + MACHINE_REST_S
            pace.quick = 0
        self.house.watch.silent(why)
        event(
            logger,
            logging.INFO,
            "a text message gets no answer",
            conversation=self.conversation,
            why=why,
        )

    async def _finish(self, talk: Talk) -> None:
        desk, agent = self.house.desk, self._agent(talk)
        began_s = desk.now_s()
        run = TurnRun(
            conversation=self.conversation,
            talk=talk,
            agent=agent,
            desk=desk,
            save=lambda: self._save(talk),
        )
        end = await run.run()
        talk.finish()
        talk.last_s = desk.now_s()
        await self._save(talk)
        self.house.watch.turn(end, max(0.0, desk.now_s() - began_s))
        event(
            logger,
            logging.INFO,
            "a turn by text message is over",
            conversation=self.conversation,
            agent=agent.name,
            end=end,
        )
        await self._shorten(talk, agent)

    async def _recall(self, talk: Talk) -> None:
        """Take in what was said in a call that the conversation does not know of."""
        person = self.house.digests.of(talk.theirs)
        await self.house.store.put_newest(person, self.conversation)
        memory = read_call(await self.house.store.call_of(person))
        if memory is None or memory.call_id == talk.call_id:
            return
        talk.call_id = memory.call_id
        if self.house.agents.get(memory.agent) is not None:
            talk.agent = memory.agent
        if memory.lines:
            said = memory.lines[-MOST_CALL_LINES:]
            notes = Line("note", prompt.CALL_BEGINS), Line("note", prompt.CALL_ENDS)
            talk.lines += [notes[0], *said, notes[1]]
        if memory.summary:
            talk.summary = "\n".join(filter(None, [talk.summary, memory.summary]))[-MOST_CHARS:]

    async def _shorten(self, talk: Talk, agent: TextAgent) -> None:
        """Let a summary stand for the older lines of a long conversation."""
        size = sum(len(line.text) + len(line.output or "") for line in talk.lines)
        if len(talk.lines) <= MOST_LINES and size <= MOST_LINE_CHARS:
            return
        kept = KEPT_LINES if len(talk.lines) > KEPT_LINES else len(talk.lines) // 2
        older, newer = talk.lines[:-kept], talk.lines[-kept:]
        request = prompt.summary_request(talk.summary)
        written = tidied(await agent.summarise(request, as_text(older)))
        if not written and len(talk.lines) < 3 * MOST_LINES and size < 3 * MOST_LINE_CHARS:
            return  # The next turn tries again.
        talk.summary, talk.lines = written or talk.summary, newer
        await self._save(talk)

    def _agent(self, talk: Talk) -> TextAgent:
        agents = self.house.agents
        agent = agents.get(talk.agent) or agents.get(agents.for_number(talk.ours))
        if agent is None:
            raise LookupError("the agent that answers text messages cannot be loaded")
        return agent

    async def _save(self, talk: Talk, taken: list[str] | None = None) -> None:
        if not await self.house.leases.holds(self.conversation):
            raise LeaseLostError
        talk.version += 1
        await self.house.store.save(self.conversation, talk.version, encode(talk), taken or ())


def _new(message: Waiting) -> Talk:
    return Talk(message.agent, message.ours, message.theirs, message.own)
