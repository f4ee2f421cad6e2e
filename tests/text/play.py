"""A text conversation without sockets: a model, tools and a sender that do as a test says."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from app.agents.sms_table import Sms
from app.bridge.once import Outcome
from app.bridge.ports import ToolOutcome
from app.call.events import Usage
from app.carriers.twilio.rest_messages import ClearedLike, Sender, SentMessage
from app.carriers.twilio.sms import InboundSms, OptOut
from app.live.opt_outs import Word
from app.live.text_leases import TextLeases
from app.live.texts_here import TextsHere
from app.models.openai_answer import TextFailed
from app.models.openai_chat import Called, Item, Reply
from app.text.desk import TextDesk
from app.text.digests import Digests
from app.text.opt_outs import Source
from app.text.ports import TextAgent, Unwatched
from app.text.record import TextRecord
from app.text.sending import Messenger, Recipient
from app.text.turn import Desk
from app.text.writing import House
from tests.live.store import Clock, until

OURS, THEIRS = "+15550100002", "+15550100001"
BOOK = {"type": "function", "name": "book", "parameters": {}}
Answer: TypeAlias = Reply | TextFailed


def says(text: str, *calls: Called) -> Reply:
    return Reply(text, calls, Usage(input_text_tokens=10, output_text_tokens=10))


def calls(call_id: str = "c1", name: str = "book", arguments: str = "{}") -> Called:
    return Called(call_id, name, arguments)


@dataclass(frozen=True)
class Cleared:
    address: str


@dataclass
class OutsHere:
    words: dict[str, Word] = field(default_factory=dict)

    async def is_out(self, number: str) -> bool:
        word = self.words.get(number)
        return word is not None and word.out

    async def out(self, number: str, source: Source, at_s: float | None = None) -> None:
        self.words[number] = Word(True, at_s or 0.0, source)

    async def back(self, number: str, source: Source, at_s: float | None = None) -> None:
        self.words[number] = Word(False, at_s or 0.0, source)


@dataclass
class Played:
    """What the world does, and what was done to it."""

    folder: Path
    answers: list[Answer] = field(default_factory=list)
    """In order; then it says "Yes."."""
    asked: list[tuple[str, list[Item], list[str]]] = field(default_factory=list)
    """Instructions, items, the functions on offer."""
    ran: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, arguments, id."""
    sent: list[tuple[str, Sender, str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    """What the next sendings raise."""
    summaries: list[str] = field(default_factory=list)
    tool: Callable[[str], ToolOutcome] = lambda name: Outcome(True, '{"code": "4711"}')
    gate: asyncio.Event | None = None
    """The model waits for it."""
    before_send: Callable[[], None] = lambda: None
    clears: bool = True
    cleared: list[tuple[str, bool]] = field(default_factory=list)
    """Our number, and whether the message counts against policy's limits."""
    sms: Sms = field(default_factory=Sms)
    usd: float = 0.0
    clock: Clock = field(default_factory=Clock)
    outs: OutsHere = field(default_factory=OutsHere)
    silent: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    known: bool = True
    _sids: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.store = TextsHere(3600, self.clock)
        self.leases = TextLeases(None)
        self.digests = Digests(["secret"])
        self.record = TextRecord(self.folder)
        self.desk = self.worker()
        self.conversation = self.digests.conversation(OURS, THEIRS)

    def worker(self) -> TextDesk:
        """Another worker on the same store."""
        messenger = Messenger(self.clear, self.send, self.outs)
        house = House(
            desk=Desk(messenger=messenger, record=self.record, now_s=self.clock),
            store=self.store,
            leases=self.leases,
            agents=self,
            digests=self.digests,
            watch=_Watching(self),
            gather_s=0.0,
        )
        return TextDesk(house, self.outs, young_s=1_800)

    # The agents

    def get(self, name: str) -> TextAgent | None:
        if not self.known:
            return None
        return TextAgent(
            name=name,
            instructions=lambda parties: _prompt(name),
            sms=self.sms,
            schemas=lambda: (BOOK,),
            tools=lambda conversation, parties: self,
            ask=self.ask,
            summarise=self.summarise,
            languages=("en",),
            cost_usd=lambda usage: self.usd,
        )

    def for_number(self, ours: str) -> str:
        return "reception"

    async def ask(
        self, instructions: str, items: Sequence[Item], tools: Sequence[dict[str, Any]]
    ) -> Answer:
        self.asked.append((instructions, list(items), [tool["name"] for tool in tools]))
        if self.gate is not None:
            await self.gate.wait()
        return self.answers.pop(0) if self.answers else says("Yes.")

    async def summarise(self, instructions: str, text: str) -> str:
        self.summaries.append(text)
        return '{"who": "somebody"}'

    async def run(self, name: str, arguments_json: str, *, run_id: str) -> ToolOutcome:
        self.ran.append((name, arguments_json, run_id))
        return self.tool(name)

    # The carrier

    async def clear(self, to: Recipient, *, counts: bool) -> ClearedLike | None:
        self.cleared.append((to.own, counts))
        return Cleared(to.theirs) if self.clears else None

    async def send(self, to: ClearedLike, sender: Sender, body: str) -> SentMessage:
        self.before_send()
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((to.address, sender, body))
        return SentMessage("SM1", "queued")

    async def text(self, body: str, *, opt_out: OptOut = "", sid: str = "", **more: Any) -> None:
        sid = sid or f"SM{next(self._sids)}"
        sms = InboundSms(sid, THEIRS, OURS, body, opt_out=opt_out)
        self.clock.now_s += 10
        await self.desk.receive(replace(sms, **more))

    async def answered(self) -> list[str]:
        """All that was sent so far, once nobody is at work."""
        await until(lambda: self.desk.busy == 0)
        return [body for _, _, body in self.sent]


async def _prompt(name: str) -> str:
    return f"You are {name}."


@dataclass
class _Watching(Unwatched):
    played: Played

    def silent(self, why: str) -> None:
        self.played.silent.append(why)

    def turn(self, end: str, seconds: float) -> None:
        self.played.ends.append(end)
