"""A made-up call under a policy: what is billed, and what is still known when it is needed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

from app.call.events import Usage
from app.call.prices import Prices, cost_usd
from bench.cost_model import (
    TEXT_MODEL,
    TRANSCRIPTION_USD_PER_MINUTE,
    Talk,
    Terms,
)
from bench.cost_policy import Policy
from bench.cost_session import Item, Reading, Session
from bench.cost_talk import Turn

TOOLS_BATCH_TOKENS = 2_000
"""Irrelevant tool results are deleted together when there are so many, or with old audio."""


@dataclass(frozen=True, slots=True)
class Known:
    """How a fact is in the session."""

    summaries: int = 0
    """Through how many summaries it went one after the other since it stood there verbatim."""
    transcribed: bool = False
    """It went through a transcript of the caller's audio."""


@dataclass(slots=True)
class Tally:
    """Tokens so far. What may be cached is counted apart, so that any share of it can be priced."""

    text_in: int = 0
    audio_in: int = 0
    same_text: int = 0
    same_audio: int = 0
    text_out: int = 0
    audio_out: int = 0
    text_model_in: int = 0
    text_model_out: int = 0
    caller_s: float = 0.0
    responses: int = 0
    sessions: int = 1
    most_read: int = 0
    asked: Counter[Known | None] = field(default_factory=Counter)
    """How the facts that were needed were known; None: not at all."""

    def copy(self) -> "Tally":
        same = {f.name: getattr(self, f.name) for f in fields(self)}
        return Tally(**{**same, "asked": self.asked.copy()})

    def bill(self, reading: Reading, text_out: int, audio_out: int) -> None:
        self.text_in += reading.text_tokens
        self.audio_in += reading.audio_tokens
        self.same_text += reading.same_text_tokens
        self.same_audio += reading.same_audio_tokens
        self.text_out += text_out
        self.audio_out += audio_out
        self.responses += 1
        self.most_read = max(self.most_read, reading.tokens)

    def usage(self, share: float) -> Usage:
        """As the vendor reports it when this share of what may be cached was."""
        return Usage(
            input_text_tokens=self.text_in,
            input_audio_tokens=self.audio_in,
            cached_text_tokens=round(share * self.same_text),
            cached_audio_tokens=round(share * self.same_audio),
            output_text_tokens=self.text_out,
            output_audio_tokens=self.audio_out,
        )

    def usd(self, prices: Prices, share: float, *, transcription: bool = True) -> float:
        text_model = Usage(
            input_text_tokens=self.text_model_in, output_text_tokens=self.text_model_out
        )
        heard = TRANSCRIPTION_USD_PER_MINUTE * self.caller_s / 60 if transcription else 0.0
        return cost_usd(prices, self.usage(share)) + cost_usd(TEXT_MODEL, text_model) + heard

    def recall(self, summary_keeps: float, transcript_keeps: float = 1.0) -> float:
        """The share of needed facts that were known, 1 if none was needed."""
        known = sum(
            n * summary_keeps**how.summaries * (transcript_keeps if how.transcribed else 1.0)
            for how, n in self.asked.items()
            if how is not None
        )
        return known / self.asked.total() if self.asked else 1.0


def tallies(
    turns: Sequence[Turn], policy: Policy, talk: Talk, terms: Terms, minutes: Sequence[int]
) -> dict[int, Tally]:
    """The tally after each of these minutes of one call."""
    call = _Call(policy, talk, terms)
    found: dict[int, Tally] = {}
    waiting = list(minutes)
    for number, turn in enumerate(turns):
        while waiting and turn.at_s > waiting[0] * 60:
            found[waiting.pop(0)] = call.tally.copy()
        call.between(number, turn.at_s)
        call.turn(number, turn)
    found.update({minute: call.tally.copy() for minute in waiting})
    return found


class _Call:
    def __init__(self, policy: Policy, talk: Talk, terms: Terms) -> None:
        self.policy, self.talk, self.terms = policy, talk, terms
        self.tally = Tally()
        self._head_tokens = terms.instructions_tokens + terms.tools_tokens
        self._session = Session(terms, self._head_tokens, 0.0)
        self._summary: dict[int, Known] = {}
        """The facts of the summary that the session began with, by turn."""
        self._summary_tokens = 0

    # A turn

    def turn(self, number: int, turn: Turn) -> None:
        item_tokens = self.terms.item_tokens
        self.tally.caller_s += turn.caller_s
        line = turn.caller_text_tokens + item_tokens
        self._add(Item("caller", number, 0, turn.caller_audio_tokens, line, fact=turn.fact))
        if turn.asks is not None:
            self.tally.asked[self._known().get(turn.asks)] += 1
        if turn.result_tokens:
            self._respond(turn.at_s, self.talk.tool_call_tokens, 0)
            tokens = self.talk.tool_call_tokens + turn.result_tokens + 2 * item_tokens
            self._add(Item("tool", number, tokens, 0, tokens))
        self._respond(turn.at_s, turn.agent_text_tokens, turn.agent_audio_tokens)
        heard = turn.heard_share
        # Truncation takes the transcript out of the session altogether [api].
        text_tokens = turn.agent_text_tokens if heard == 1.0 else 0
        line = round(heard * turn.agent_text_tokens) + item_tokens
        audio_tokens = round(heard * turn.agent_audio_tokens)
        self._add(Item("agent", number, text_tokens, audio_tokens, line))

    def _add(self, item: Item) -> None:
        self._session.add(item)

    def _respond(self, at_s: float, text_out: int, audio_out: int) -> None:
        self._truncate()
        self.tally.bill(self._session.read(at_s), text_out, audio_out)

    def _truncate(self) -> None:
        """What the vendor does to a session that is too long: the oldest items go."""
        limit = self.policy.limit_tokens or self.terms.window_tokens - self._session.head_tokens
        session = self._session
        if session.item_tokens <= limit:
            return
        left, gone = session.item_tokens, 0
        while left > self.policy.retention * limit:
            left -= session.items[gone].tokens
            gone += 1
        session.delete(list(range(gone)))

    def _known(self) -> dict[int, Known]:
        """The facts that the session has, by turn."""
        verbatim = {item.turn: Known(0, item.is_text) for item in self._session.items if item.fact}
        return {**self._summary, **verbatim}

    # Between turns

    def between(self, number: int, at_s: float) -> None:
        """A quiet moment before turn `number`."""
        policy, session = self.policy, self._session
        if (policy.minutes and at_s - session.began_s >= policy.minutes * 60) or (
            policy.context_tokens and session.read_tokens >= policy.context_tokens
        ):
            self._renew(at_s)
            return
        replaced = self._replace_audio(number) if policy.audio_turns else False
        if policy.tools != "never":
            self._delete_results(number, together=replaced)

    def _replace_audio(self, number: int) -> bool:
        session = self._session
        if session.audio_tokens <= self.policy.batch_tokens:
            return False
        old = [
            place
            for place, item in enumerate(session.items)
            if item.audio_tokens and item.turn < number - self.policy.audio_turns
        ]
        if sum(session.items[place].audio_tokens for place in old) <= self.policy.batch_tokens:
            return False
        session.to_text(old)
        return True

    def _delete_results(self, number: int, *, together: bool) -> None:
        items = self._session.items
        old = [place for place, item in enumerate(items) if self._is_irrelevant(item, number)]
        waiting = sum(items[place].tokens for place in old)
        if self.policy.tools == "at once" or together or waiting >= TOOLS_BATCH_TOKENS:
            self._session.delete(old)

    def _is_irrelevant(self, item: Item, number: int) -> bool:
        return item.kind == "tool" and item.turn < number - self.talk.tool_relevant_turns

    def _renew(self, at_s: float) -> None:
        """Summarise, and go on in a new session with the last lines as text."""
        known = self._known()
        by_text = self.policy.summary_by == "text model"
        self._summary = {
            turn: Known(how.summaries + 1, how.transcribed or by_text)
            for turn, how in known.items()
        }
        self._summarise(at_s)
        old, terms = self._session, self.terms
        self._session = Session(terms, self._head_tokens + self._summary_tokens, at_s)
        for item in self._last_lines(old):
            self._session.add(item)
        self.tally.sessions += 1

    def _summarise(self, at_s: float) -> None:
        terms, tally = self.terms, self.tally
        request = terms.summary_request_tokens + self._summary_tokens
        written = terms.summary_tokens + terms.summary_fact_tokens * len(self._summary)
        self._summary_tokens = min(terms.summary_most_tokens, written)
        if self.policy.summary_by == "text model":
            lines = sum(item.line_tokens for item in self._session.items)
            tally.text_model_in += request + lines
            tally.text_model_out += self._summary_tokens
            return
        reading = self._session.read(at_s, request)
        if not terms.summary_keeps_prefix:
            reading = Reading(reading.text_tokens, reading.audio_tokens, 0, 0)
        tally.bill(reading, self._summary_tokens, 0)

    def _last_lines(self, old: Session) -> Iterator[Item]:
        for item in old.items[-self.terms.keep_entries :]:
            yield Item(item.kind, item.turn, item.line_tokens, 0, item.line_tokens, True, item.fact)
