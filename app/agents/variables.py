"""What an agent's texts may name in `{{...}}`, and what it stands for in one call.

Where a value comes from decides how far it is trusted. The agent's file is the operator's own: its
defaults stand as they are. What we make ourselves, such as the date or a number of digits, does
too. Everything else is `app.agents.outside`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from app.agents.outside import GUARD, OPENS, UNKNOWN, as_data, as_header, speakable, tidied
from app.agents.placeholders import filled, names_in
from app.call.facts import CallFacts, number_of

if TYPE_CHECKING:
    from app.agents.agent import Agent

BUILT_IN: Final[Mapping[str, str]] = {
    "caller_number": "the number of whoever speaks with the agent, if it is shown",
    "called_number": "our own number in this call",
    "caller_country": "the caller's country, two letters, where the carrier says it",
    "caller_name": "the caller's name, where the carrier looks it up",
    "forwarded_from": "the number that sent the call on",
    "caller_address": "whoever speaks with the agent, as a number, sip:user@host or client:name",
    "called_address": "our own address alike",
    "sip_domain": "the SIP domain that the call came in through",
    "sip_source_ip": "the address that a SIP call came from",
    "sip_call_id": "its Call-ID, by which the other side's logs know it",
    "direction": "inbound or outbound",
    "date": "the date at the call's start, as 2026-11-20",
    "time": "the time at the call's start, as 14:05",
    "weekday": "the day of the week, in English",
}
"""Name -> meaning, of what every call has or may have."""
SIP: Final = "sip_"
"""Names of SIP headers begin so: {{sip_x_order}} is X-Order, {{sip_user_to_user}} User-to-User."""
ANSWER: Final = "Answer-"
"""Before the names of headers of an answer. No header that comes in is called so: those begin with
X-, or are User-to-User."""
UUI_TEXT: Final = "sip_user_to_user_text"
"""What a User-to-User header in hexadecimal digits says."""
ALWAYS: Final = frozenset({"direction", "date", "time", "weekday"})
"""Known in every call, so no default is needed."""


@dataclass(frozen=True, slots=True, repr=False)
class Values:
    """What the names stand for in one call. Personal data, so it is kept out of `repr`."""

    defaults: Mapping[str, str]
    ours: Mapping[str, str]
    """Made by us, of plain letters and digits."""
    outside: Mapping[str, str] = field(default_factory=dict)

    def told(self, text: str) -> str:
        """A text for the model."""
        return filled(text, self._told)

    def prompt(self, text: str) -> str:
        """A whole prompt, which says at its end what is data in it."""
        whole = self.told(text)
        held = whole != text and any(
            as_data(self.outside.get(name, "")).startswith(OPENS)
            for name in names_in(text)
            if not self.ours.get(name)
        )
        return f"{whole.rstrip()}\n\n{GUARD}" if held else whole

    def spoken(self, text: str) -> str:
        """A text that is spoken word for word."""
        said = filled(text, self._spoken)
        return text if said == text else tidied(said)

    def header(self, text: str) -> str:
        """A text as the value of a SIP header; "" where nothing is left of it."""
        return as_header(filled(text, self.raw))

    def raw(self, name: str) -> str:
        """The value itself, for whoever makes it safe for another use."""
        return self.ours.get(name) or self.outside.get(name, "") or self.defaults.get(name, "")

    def all(self) -> dict[str, str]:
        """All values, raw."""
        return {name: self.raw(name) for name in (*self.defaults, *self.outside, *self.ours)}

    def told_also(self, outside: Mapping[str, str]) -> "Values":
        """The same with more from outside, such as the answer to a look-up."""
        return replace(self, outside={**self.outside, **outside})

    def _told(self, name: str) -> str:
        if ours := self.ours.get(name):
            return ours
        data = as_data(self.outside.get(name, ""))
        return data if data != UNKNOWN else self.defaults.get(name) or UNKNOWN

    def _spoken(self, name: str) -> str:
        said = self.ours.get(name) or speakable(self.outside.get(name, ""))
        return said or self.defaults.get(name, "")


def values_of(agent: "Agent", facts: CallFacts, now: Callable[[], datetime]) -> Values:
    """What is known at the start of a call. `now`: the time, aware of its zone."""
    here = now().astimezone(ZoneInfo(agent.zone))
    headers: dict[str, str] = {}
    for name, value in facts.sip_headers.items():
        headers.setdefault(header_name(name), value)
    if text := _user_to_user(facts.header("User-to-User")):
        headers[UUI_TEXT] = text
    given = {name: value for name, value in facts.campaign.items() if name in agent.variables}
    return Values(
        defaults=agent.variables,
        ours={
            "caller_number": number_of(facts.party),
            "called_number": number_of(facts.line),
            "caller_country": facts.country,
            "forwarded_from": number_of(facts.forwarded_from),
            "direction": facts.direction,
            "date": f"{here:%Y-%m-%d}",
            "time": f"{here:%H:%M}",
            "weekday": f"{here:%A}",
        },
        outside={
            **headers,
            "caller_name": facts.caller_name,
            "caller_address": facts.party,
            "called_address": facts.line,
            "sip_domain": facts.sip_domain,
            "sip_source_ip": facts.source_ip,
            "sip_call_id": facts.sip_call_id,
            **given,
        },
    )


def headers_out(
    agent: "Agent", transfer: str, facts: CallFacts, now: Callable[[], datetime]
) -> dict[str, str]:
    """What a SIP system is told of a call that goes there; what is not known is left out."""
    if transfer not in agent.transfers or not agent.transfers[transfer].headers:
        return {}
    values = values_of(agent, facts, now)
    sent = {name: values.header(t) for name, t in agent.transfers[transfer].headers.items()}
    return {name: value for name, value in sent.items() if value}


def answered(facts: CallFacts, said: Mapping[str, str], wanted: tuple[str, ...]) -> CallFacts:
    """The facts of a call that comes back, with those headers of the other system's answer that are
    `wanted`: {{sip_answer_x_...}}. They are data like any header, and of no more trust."""
    names = {name.casefold() for name in wanted}
    told = {f"{ANSWER}{name}": v for name, v in said.items() if name.casefold() in names}
    return replace(facts, sip_headers={**facts.sip_headers, **told}) if told else facts


def _user_to_user(value: str) -> str:
    """The text in a User-to-User header (RFC 7433) that is written in hexadecimal digits; "" for
    what is none."""
    digits, _, parameters = value.partition(";")
    if "encoding=hex" not in parameters.replace(" ", "").lower():
        return ""
    try:
        return bytes.fromhex(digits.strip()).decode()
    except ValueError:
        return ""


def header_name(header: str) -> str:
    """The variable that holds a SIP header."""
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in header.lower())
    return f"{SIP}{letters}"


def variables_in(agent: "Agent") -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
    """The texts of an agent that may hold `{{name}}`: key, text, and whether callers hear it word
    for word."""
    yield ("instructions",), agent.instructions, False
    yield ("greeting",), agent.greeting, True
    yield ("disclosure",), agent.disclosure, True
    for at, notice in enumerate(agent.notices):
        yield ("notices", at), notice, True
    if agent.hours is not None:
        yield ("hours", "message"), agent.hours.message, True
    for at, prompt in enumerate(agent.silence.prompts):
        yield ("silence", "prompts", at), prompt, False
    yield ("silence", "goodbye"), agent.silence.goodbye, False
    for key, transfer in agent.transfers.items():
        for name, value in transfer.headers.items():
            yield ("transfers", key, "headers", name), value, False


def has_variables(agent: "Agent") -> bool:
    """Or asks for some."""
    return agent.lookup is not None or any(names_in(text) for _, text, _ in variables_in(agent))
