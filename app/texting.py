"""What answers text messages: the desk with the agents' text models, tools, store and sender."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.agents import AgentError
from app.bridge.once import OnceTools, UnderWay
from app.briefing import Briefing
from app.call.events import Usage
from app.call.facts import CallFacts
from app.call.prices import cost_usd
from app.call_tools import CallTools
from app.carriers.twilio.errors import AccountError
from app.carriers.twilio.idempotency import Answers, AnswersHere
from app.carriers.twilio.rest_messages import ClearedLike, Sender, SentMessage, send_message
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.sms import SmsDoor
from app.cast import Part
from app.gate import Gate, Who
from app.live import Live
from app.live.opt_outs import LiveOptOuts
from app.live.text_leases import TextLeases
from app.live.texts import LiveTexts
from app.live.texts_here import TextsHere
from app.models import openai_text
from app.models.openai_answer import TextFailed
from app.models.openai_chat import Item, Reply, converse
from app.models.openai_connect import Credentials
from app.observe.log import event
from app.observe.metrics import Metrics
from app.observe.prices import PriceTable
from app.outgoing.events import SmsReceived
from app.persona import Persona, Personas, credentials_of
from app.policy.destinations import By, Cleared, Purpose
from app.policy.trust import Proof, level
from app.rest_line import RestLine
from app.settings import Settings
from app.text.desk import Begun, CallOver, TextDesk
from app.text.digests import Digests
from app.text.opt_out_file import OptOutFile
from app.text.opt_outs import KeptOptOuts
from app.text.ports import Parties, TextAgent
from app.text.prompt import parts
from app.text.record import TextRecord
from app.text.sending import Messenger, Recipient
from app.text.turn import Desk, sender_of
from app.text.writing import House
from app.tools.built_ins import BUILT_INS
from app.tools.current_call import CurrentCall
from app.tools.telephone import TELEPHONE_TOOLS as TELEPHONE

logger = logging.getLogger(__name__)

MODEL_S = 30.0
"""Longest wait for one answer of a text model."""
MODEL_TOKENS = 1_000
"""The longest answer, tool calls included."""
SUMMARY_S = 20.0
SUMMARY_TOKENS = 1_000
GATHER_S = 1.5
"""How long the messages that follow a first one are waited for: people send thoughts in pieces."""


NOT_BEGUN: dict[Begun, str] = {
    "begun": "",
    "opted_out": "They have told us that they want no text messages. Offer another way.",
    "refused": "This number may not be sent text messages. Offer another way.",
    "no_sender": "Text messages are not set up on this line. Offer another way.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What texting is given by whoever makes a worker."""

    settings: Settings
    personas: Personas
    metrics: Metrics
    prices: Callable[[], PriceTable]
    gate: Gate
    rest: RestLine
    live: Live | None = None
    agent_for: Callable[[str], str] | None = None
    """The agent that answers messages to a number of ours. None: the default agent."""
    gather_s: float = GATHER_S


class Texting:
    """`desk` takes messages in; `opt_outs` is for all who send any. `run` beside the calls, then
    `close`."""

    def __init__(self, around: Around) -> None:
        settings, live = around.settings, around.live
        digests = Digests(settings.digest_keys)
        ttl_s = settings.text_hours * 3600
        here = TextsHere(ttl_s)
        self.opt_outs = KeptOptOuts(
            OptOutFile(settings.data_dir),
            None if live is None else LiveOptOuts(live.asker, live.outbox),
            digests,
        )
        told = around.metrics.texts.sent
        self._outgoing = outgoing = Outgoing(around.gate, around.rest)
        self.agents = TextAgents(around)
        self._messenger = Messenger(outgoing.clear, outgoing.send, self.opt_outs, told)
        record = TextRecord(settings.data_dir, keep=settings.record_events)
        house = House(
            desk=Desk(messenger=self._messenger, record=record, now_s=here.now_s),
            store=here if live is None else LiveTexts(live.asker, live.outbox, here),
            leases=TextLeases(None if live is None else live.asker),
            agents=self.agents,
            digests=digests,
            watch=around.metrics.texts,
            gather_s=around.gather_s,
        )
        self.desk = TextDesk(house, self.opt_outs, ttl_s)

    def door(self, checker: SignatureChecker, answers: Answers | None = None) -> SmsDoor:
        """What the webhooks need."""
        return SmsDoor(
            checker=checker,
            on_message=self.desk.receive,
            on_delivery=self.desk.delivered,
            answers=AnswersHere() if answers is None else answers,
        )

    async def begin(self, call: CallOver) -> str:
        """A call goes on by text: a sentence for the model that says why not, or ""."""
        return NOT_BEGUN[await self.desk.begin_from_call(call)]

    async def send(self, who: Who, to: Cleared, text: str) -> bool:
        """One text beside a call, to who was cleared for it. `who`: whose call it is."""
        found = self.agents.get(who.agent)
        sms = None if found is None else found.sms
        line = who.own if sms is None else sms.messaging_service or sms.from_number or who.own
        for body in parts(text):
            sent = await self._messenger.deliver_cleared(to, who.call_sid, sender_of(line), body)
            if sent != "sent":
                return False
        return bool(parts(text))

    def tell(self, emit: Callable[[SmsReceived], None]) -> None:
        """Have somebody told of each message that comes in."""
        self.desk.told = lambda sms, agent: emit(
            SmsReceived(
                call_id="",
                agent=agent,
                direction="inbound",
                caller=sms.from_number,
                called=sms.to_number,
                occurrence=sms.message_sid,
                message_id=sms.message_sid,
                sender=sms.from_number,
                text=sms.body,
            )
        )

    async def run(self) -> None:
        """Until cancelled: take up what other workers left behind."""
        await self.opt_outs.publish()
        await self.desk.run()

    async def close(self) -> None:
        """Let turns that are under way end, for a while."""
        await self.desk.close()


class Outgoing:
    """Messages on their way out: through the gate, then to Twilio's REST API."""

    def __init__(self, gate: Gate, rest: RestLine) -> None:
        self._gate = gate
        self._rest = rest

    async def clear(self, to: Recipient, *, counts: bool) -> Cleared | None:
        """See `app.text.sending.Clear`. It is the carrier who says that they called or wrote."""
        who = Who(to.subject, to.agent, caller=to.theirs, own=to.own)
        try:
            verdict = await self._gate.clear(who, to.theirs, Purpose.SMS, By.CARRIER, counts=counts)
        except AgentError as error:
            # The rules cannot be made, so nothing is allowed.
            kind = type(error).__name__
            event(logger, logging.ERROR, "no policy for text messages", agent=to.agent, error=kind)
            return None
        return verdict if isinstance(verdict, Cleared) else None

    async def send(self, to: ClearedLike, sender: Sender, body: str) -> SentMessage:
        """See `send_message`."""
        rest = await self._rest()
        if rest is None:
            raise AccountError("there is no Twilio account to send messages with")
        return await send_message(rest, to, sender, body)


class TextAgents:
    """The agents as texting needs them. Fits `app.text.ports.Agents`."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._ready: dict[str, tuple[Persona, TextAgent]] = {}
        self._under_way = UnderWay()

    def get(self, name: str) -> TextAgent | None:
        """None: it cannot be loaded; the log says why."""
        try:
            persona = self._around.personas.get(name)
        except (AgentError, ValueError) as error:
            kind = type(error).__name__
            event(logger, logging.ERROR, "no such agent for text messages", agent=name, error=kind)
            return None
        known = self._ready.get(name)
        if known is None or known[0] is not persona:
            known = self._ready[name] = (persona, self._made(name, persona))
        return known[1]

    def for_number(self, ours: str) -> str:
        """The name of the agent that answers messages to a number of ours."""
        find = self._around.agent_for
        return self._around.settings.agent if find is None else find(ours)

    def _made(self, name: str, persona: Persona) -> TextAgent:
        around, agent = self._around, persona.agent
        settings = around.settings
        model = agent.sms.text_model or settings.text_model
        writer = Writer(model, credentials_of(settings, settings.text_base_url), around)
        return TextAgent(
            name=name,
            instructions=lambda parties: Briefing(persona, _facts(parties)).instructions(),
            sms=agent.sms,
            schemas=lambda: _schemas(persona),
            tools=lambda conversation, parties: self._tools(name, persona, conversation, parties),
            ask=writer.ask,
            summarise=writer.summarise,
            languages=(agent.language,) if agent.language else (),
            cost_usd=writer.cost_usd,
        )

    def _tools(self, name: str, persona: Persona, conversation: str, parties: Parties) -> OnceTools:
        """As in a call, by who is trusted no further than anybody: senders can be forged."""
        live, scope = self._around.live, f"text-{conversation}"
        decided = self._around.gate.decided
        part = Part(name, Briefing(persona, _facts(parties)), persona)
        proofs: set[Proof] = set()
        tools = CallTools(
            lambda: part,
            CurrentCall(scope, name, "inbound", parties.theirs, parties.own),
            lambda persona: level(proofs=proofs),
            lambda tool, verdict: decided(conversation, f"tool:{tool}", tool, verdict, "model"),
            proofs.add,
        )
        runs = None if live is None else live.tool_runs
        return OnceTools(tools, scope, runs, self._under_way)


def _schemas(persona: Persona) -> tuple[dict[str, Any], ...]:
    """Of all topics, but none of what only a call can carry out."""
    schemas = persona.tools.schemas(tuple(persona.agent.topics))
    return tuple(s for s in schemas if s["name"] not in BUILT_INS and s["name"] not in TELEPHONE)


def _facts(parties: Parties) -> CallFacts:
    return CallFacts(from_number=parties.theirs, to_number=parties.own)


class Writer:
    """One text model, for one agent. `model` "": there is none, and every request fails."""

    def __init__(self, model: str, credentials: Credentials, around: Around) -> None:
        self._model = model
        self._credentials = credentials
        self._prices = around.prices
        self._spent = around.metrics.spent

    async def ask(
        self, instructions: str, items: Sequence[Item], tools: Sequence[dict[str, Any]]
    ) -> Reply | TextFailed:
        """See `app.text.ports.Ask`."""
        if not self._model:
            return TextFailed("refused", "EARSHOT_TEXT_MODEL is not set")
        answer = await converse(
            self._model,
            instructions,
            items,
            tools,
            self._credentials,
            timeout_s=MODEL_S,
            max_output_tokens=MODEL_TOKENS,
        )
        self._note(answer.usage)
        return answer

    async def summarise(self, instructions: str, text: str) -> str:
        """See `app.text.ports.Summarise`."""
        if not self._model:
            return ""
        written = await openai_text.write_text(
            self._model,
            instructions,
            text,
            self._credentials,
            timeout_s=SUMMARY_S,
            max_output_tokens=SUMMARY_TOKENS,
        )
        self._note(written.usage)
        return "" if isinstance(written, TextFailed) else written.text

    def cost_usd(self, usage: Usage) -> float:
        """0 for a model that is not in the table of prices."""
        prices = self._prices().prices_for(self._model)
        return 0.0 if prices is None else max(0.0, cost_usd(prices, usage))

    def _note(self, usage: Usage | None) -> None:
        if usage is not None:
            self._spent(self._model, usage)
