"""Calls that no model carries, as Twilio asks about them.

/twilio/onward   POST: a <Dial>, <Gather>, <Record> or <Refer> is over; or a held caller is brought
                 back (?end=...). The journey stands in the query, which Twilio signs.
/twilio/refer    POST: the SIP system that a caller was put through to sends them on (REFER).
/twilio/whisper  POST: the person whom a held caller waits for has answered, or has chosen.
/twilio/person   POST: that person's call is over.
/twilio/held     POST: somebody came into the caller's conference or left it.
/twilio/message  POST: a voicemail is ready to be fetched.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from app.call.endings import EndReason
from app.call.events import Direction
from app.call.facts import CallFacts
from app.carriers.twilio import onward_twiml, twiml
from app.carriers.twilio.intake import RefusedError
from app.carriers.twilio.onward_twiml import Saying
from app.carriers.twilio.outgoing import PLAIN, Outgoing
from app.carriers.twilio.public_url import (
    HELD_PATH,
    MESSAGE_PATH,
    ONWARD_PATH,
    PERSON_PATH,
    REFER_PATH,
    WHISPER_PATH,
    PublicUrl,
)
from app.onward.choosing import hints, spoken
from app.onward.happenings import (
    Apologise,
    AskMenu,
    BackToAgent,
    Chose,
    DialEnd,
    Dialled,
    Fell,
    HangUp,
    Happening,
    PutThrough,
    Recorded,
    Referred,
    Step,
    TakeMessage,
    Text,
)
from app.onward.journey import Journey, JourneyError, Stop, read_journey
from app.onward.plan import read_plan
from app.policy.destinations import Cleared

WHISPER_S: Final = 10
"""How long the person may think about it, in seconds."""
MOST_CHOICE_WORDS: Final = 6
"""Of an answer to the whisper."""
MOST_ASKED: Final = 3
"""How often a person is asked who says something else; then the caller comes back."""
_CALL_SID: Final = re.compile(r"CA[0-9a-fA-F]{32}\Z")
_DIAL_ENDS: Final[dict[str, DialEnd]] = {
    "completed": "talked",
    "answered": "talked",
    "busy": "busy",
    "no-answer": "no_answer",
    "canceled": "no_answer",
    "failed": "failed",
}
_QUEUE_ENDS: Final[dict[str, DialEnd]] = {
    "bridged": "talked",
    "leave": "no_answer",
    "hangup": "no_answer",
    "queue-full": "busy",
}
_ACCEPTS: Final = re.compile(r"\b(accept|yes|take it|put (them|him|her) through|one)\b", re.I)
_DECLINES: Final = re.compile(r"\b(no|not|decline|later|busy|two)\b", re.I)
Outcome: TypeAlias = Literal["joined", "declined", "busy", "no_answer", "failed", "gone"]
"""What came of a held caller, once: the person came, or why not, or the caller has gone."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it is; the numbers are personal data."""

    call_sid: str
    from_number: str = ""
    to_number: str = ""
    fields: Mapping[str, str] | None = None
    facts: CallFacts = field(default_factory=CallFacts)
    """What is known of the call since it began."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A step that may be taken now."""

    step: Step
    destination: Cleared | None = None
    """Of `PutThrough`: where it leads."""
    caller_id: str = ""
    """What shows there; "": the caller's own number."""
    person_sid: str = ""
    """Of a warm one: the call to the person, which rings already."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What a SIP system is told there."""


@dataclass(frozen=True, slots=True)
class Held:
    """A caller who waits for a person; `journey.hold` tells one time of it from another."""

    caller_sid: str
    person_sid: str
    journey: Journey


class Waiting(Protocol):
    """Callers who wait for a person."""

    async def briefing(self, caller_sid: str, journey: Journey) -> str:
        """What the person is told before they choose."""
        ...

    async def settle(self, held: Held, outcome: Outcome) -> bool:
        """What came of a held caller. False: it was settled otherwise before, and this is too late.
        Whoever does not come leads to the caller being brought back."""
        ...

    async def met(self, held: Held) -> None:
        """The person came into the caller's conference."""
        ...

    async def person_over(self, held: Held, outcome: Outcome) -> None:
        """The person's call is over; also of one who took the call and never came."""
        ...

    async def stop_ringing(self, held: Held) -> None:
        """The caller has gone: the person's telephone stops, or they are told so."""
        ...


class OnwardDesk(Protocol):
    """Who knows the agents' ways, the policy, and the carrier's API."""

    @property
    def waiting(self) -> Waiting: ...

    async def after(self, caller: Caller, journey: Journey, happening: Happening) -> Ready: ...

    async def sent_on(self, caller: Caller, journey: Journey, target: str) -> Ready:
        """The other side has asked by REFER that the caller go to `target`."""
        ...

    def answered(self, journey: Journey, facts: CallFacts, said: Mapping[str, str]) -> CallFacts:
        """The facts with what the agent wants to know of the headers `said` in an answer."""
        ...

    async def message_left(
        self, caller: Caller, journey: Journey, fields: Mapping[str, str]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Pages:
    """Writes what Twilio is told."""

    url: PublicUrl
    speech: twiml.Speech
    outgoing: Outgoing = PLAIN

    def of(self, caller: Caller, ready: Ready) -> str:
        """The document of a step; of `BackToAgent` there is none here."""
        step = ready.step
        match step:
            case PutThrough():
                return self._put_through(caller, ready, step)
            case AskMenu():
                words = f"{step.words} {spoken(step.options)}".strip()
                return onward_twiml.menu(
                    self._saying(words),
                    action_url=self._next(step.journey),
                    wait_s=step.wait_s,
                    hints=hints(step.options),
                )
            case TakeMessage():
                return onward_twiml.voicemail(
                    self._saying(step.words),
                    action_url=self._next(step.journey),
                    recording_url=self.url.webhook(MESSAGE_PATH, step.journey.as_query()),
                    max_s=step.max_s,
                )
            case HangUp() | Text():
                return onward_twiml.farewell(self._saying(step.words))
            case Apologise() | BackToAgent():
                return twiml.apology(self.speech)

    def _put_through(self, caller: Caller, ready: Ready, step: PutThrough) -> str:
        action_url, saying = self._next(step.journey), self._saying(step.words)
        if step.way.how == "warm":
            query = {
                **step.journey.as_query(),
                "caller": caller.call_sid,
                "person": ready.person_sid,
            }
            return onward_twiml.hold(
                saying,
                caller.call_sid,
                action_url=action_url,
                status_url=self.url.webhook(HELD_PATH, query),
                music=step.way.music,
            )
        assert ready.destination is not None, "a step is ready when its destination is cleared"
        if step.way.how == "refer":
            return onward_twiml.refer(
                saying,
                ready.destination,
                action_url=action_url,
                call_sid=caller.call_sid,
                headers=ready.headers,
            )
        return onward_twiml.transfer(
            saying,
            ready.destination,
            action_url=action_url,
            ring_s=step.way.ring_s,
            caller_id=ready.caller_id,
            call_sid=caller.call_sid,
            headers=ready.headers,
            refer_url=self.url.webhook(REFER_PATH, step.journey.as_query()),
            login=self.outgoing.login(ready.destination.uri),
        )

    def whisper(self, caller_sid: str, journey: Journey, words: str, asked: int) -> str:
        """`asked`: how often, with this time."""
        query = {**journey.as_query(), "caller": caller_sid, "asked": str(asked)}
        url = self.url.webhook(WHISPER_PATH, query)
        return onward_twiml.whisper(self._saying(words), action_url=url, wait_s=WHISPER_S)

    def farewell(self, words: str) -> str:
        return onward_twiml.farewell(self._saying(words))

    def _saying(self, words: str) -> Saying:
        return Saying(words, self.speech)

    def _next(self, journey: Journey) -> str:
        return self.url.webhook(ONWARD_PATH, journey.as_query())


def whisper_url(url: PublicUrl, caller_sid: str, journey: Journey) -> str:
    """What the person's call is answered with."""
    return url.webhook(WHISPER_PATH, {**journey.as_query(), "caller": caller_sid})


def person_url(url: PublicUrl, caller_sid: str, journey: Journey) -> str:
    """Told when the person's call is over."""
    return url.webhook(PERSON_PATH, {**journey.as_query(), "caller": caller_sid})


def gone_url(url: PublicUrl, caller_sid: str, journey: Journey) -> str:
    """Where a person goes on whose caller has gone."""
    return url.webhook(WHISPER_PATH, {**journey.as_query(), "caller": caller_sid, "gone": "1"})


def back_url(url: PublicUrl, journey: Journey, end: DialEnd) -> str:
    """Where a held caller goes on whom nobody took."""
    return url.webhook(ONWARD_PATH, {**journey.as_query(), "end": end})


def begun(
    agent: str, direction: Direction, reason: EndReason | None, detail: str
) -> tuple[Journey, Happening]:
    """The journey of a call whose stream has ended for `reason`."""
    plan = read_plan(detail) if reason is EndReason.HANDED_ON else None
    if plan is None:
        return Journey(agent, direction), Fell()
    journey = Journey(plan.agent or agent, direction, to=plan.to, plan=plan.run)
    return journey, plan.wanted


def carried_out(reason: EndReason | None, detail: str, done: str) -> bool:
    """The ending is the one by which the call left before it came back: `done` is the run of that
    plan. A stream that never came up has no ending of its own."""
    plan = read_plan(detail) if reason is EndReason.HANDED_ON and done else None
    return plan is not None and plan.run == done


def journey_of(query: Mapping[str, str]) -> Journey:
    """Raises `RefusedError` for a URL that is none of ours."""
    try:
        return read_journey(query)
    except JourneyError as error:
        raise RefusedError(400, str(error)) from error


def caller_sid_of(query: Mapping[str, str]) -> str:
    """Raises `RefusedError` for a URL that names no caller."""
    call_sid = query.get("caller", "")
    if not _CALL_SID.match(call_sid):
        raise RefusedError(400, "expected the CallSid of the caller who waits")
    return call_sid


def happened(journey: Journey, query: Mapping[str, str], fields: Mapping[str, str]) -> Happening:
    """What Twilio tells of the step that is over."""
    if end := query.get("end"):
        return Dialled(_as_end(end))
    match journey.stop:
        case Stop.MENU:
            return Chose(fields.get("Digits", ""), fields.get("SpeechResult", ""))
        case Stop.VOICEMAIL:
            return Recorded(_seconds(fields.get("RecordingDuration", "")))
        case Stop.REFER:
            return Referred(_accepted(fields))
        case _:
            return Dialled(_dial_end(fields))


def choice_of(fields: Mapping[str, str]) -> Literal["accept", "decline", ""]:
    """What the person chose; "": nothing that is understood. Who speaks at length has not been
    listening: it is a machine, or they talk to somebody else."""
    key, words = fields.get("Digits", ""), fields.get("SpeechResult", "")
    if key:
        return "accept" if key == "1" else "decline"
    if len(words.split()) > MOST_CHOICE_WORDS:
        return ""
    if _DECLINES.search(words):
        return "decline"
    return "accept" if _ACCEPTS.search(words) else ""


def person_end(fields: Mapping[str, str]) -> Outcome | None:
    """Why the person did not come, from the end of their call; None: it is not over."""
    status = fields.get("CallStatus", "")
    if status == "completed":
        return "declined"
    ends: dict[str, Outcome] = {
        "busy": "busy",
        "no-answer": "no_answer",
        "failed": "failed",
        "canceled": "no_answer",
    }
    return ends.get(status)


def _dial_end(fields: Mapping[str, str]) -> DialEnd:
    if result := fields.get("QueueResult"):
        return _QUEUE_ENDS.get(result, "failed")
    end = _DIAL_ENDS.get(fields.get("DialCallStatus", ""), "failed")
    return "no_answer" if end == "talked" and fields.get("DialBridged") == "false" else end


def _as_end(text: str) -> DialEnd:
    ends: tuple[DialEnd, ...] = ("talked", "busy", "no_answer", "declined", "failed")
    return next((end for end in ends if end == text), "failed")


def _accepted(fields: Mapping[str, str]) -> bool:
    """The far end took the REFER and, where it says so, reached whom it was sent to."""
    if fields.get("ReferCallStatus") in ("busy", "failed", "canceled"):
        return False
    notified = fields.get("NotifySipResponseCode", "")
    if notified:
        return notified.startswith(("1", "2"))
    return fields.get("ReferSipResponseCode", "").startswith("2")


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
