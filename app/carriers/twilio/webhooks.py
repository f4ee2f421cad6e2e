"""What Twilio asks of us over HTTP: a call is there, its state changed, its stream has ended.

    /twilio/voice         POST (or GET): a call came in, or one that we placed was answered.
                          ?agent=NAME in the URL chooses the agent; Twilio signs it with the rest.
                          ?waited=S: the call has waited for a place that long already.
    /twilio/status        POST: the life of a call, and of its media stream.
    /twilio/recording     POST: the life of a recording that Twilio makes.
    /twilio/stream-ended  POST: the `<Connect action>`. What we answer decides how the call goes on.

The routes know the world through the few callables of `TwilioDoor`. Answers are TwiML with 200;
when something of ours breaks, the caller hears an apology, not Twilio's error message.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.call.endings import EndReason
from app.call.events import Direction
from app.call.facts import CallFacts
from app.carriers.twilio import onward_routes, twiml
from app.carriers.twilio.caller import (
    FACTS_QUERY,
    VARIABLES_QUERY,
    FactSeals,
    as_parameters,
    read_facts,
)
from app.carriers.twilio.idempotency import Answer, Answers, AnswersHere
from app.carriers.twilio.intake import RefusedError, Webhook, receive
from app.carriers.twilio.onward import Caller, OnwardDesk, Pages, Ready, begun, carried_out
from app.carriers.twilio.progress import (
    CallProgress,
    CallState,
    ProgressLog,
    StatusError,
    StreamStatus,
    read_progress,
)
from app.carriers.twilio.public_url import (
    HELD_PATH,
    MESSAGE_PATH,
    ONWARD_PATH,
    PERSON_PATH,
    RECORDING_PATH,
    STATUS_PATH,
    STREAM_ENDED_PATH,
    VOICE_PATH,
    WHISPER_PATH,
)
from app.carriers.twilio.recording_status import RecordingStatus, read_recording_status
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import TOKEN_PARAMETER, Grant, StreamTokens
from app.onward.happenings import BackToAgent, Happening
from app.onward.journey import Journey
from app.onward.news import News

_log = logging.getLogger(__name__)

AGAIN: Final = "again"
"""The `<Parameter>` of a stream that is not the first one of its call."""
MOST_RESUMES: Final = 3
"""Streams opened again for one call before it gets the apology: a stream that never comes up must
not go round for ever."""

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ENDED_STATES: Final = frozenset(state.value for state in CallState if state.ended)

FULL_QUEUE_S: Final = 120
"""Longest wait for a place, in seconds of pauses; then the caller gets the apology."""
DONE_QUERY: Final = "done"
"""The plan of an agent that was carried out before this stream."""
QUEUE_STEP_S: Final = 5
"""Pause between two looks for a place, in seconds."""
RESTART_S: Final = 5
"""How long a call waits in silence for the server to be back, in seconds."""

Admission: TypeAlias = Literal["open", "busy", "full", "queue", "redirect"]
"""open: take the call. busy: let it ring busy, unanswered. full: answer, apologise, hang up.
queue: answer and let it wait for a place. redirect: send it to `full_redirect_url`. Somebody whom
we called is neither kept waiting nor given a busy tone: both are "full" for outbound calls."""
AfterStream: TypeAlias = Literal["hang_up", "apologise", "resume", "onward"]


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """A call that Twilio offers us; the numbers and fields are personal data."""

    call_sid: str
    agent: str
    direction: Direction
    from_number: str = field(default="", repr=False)
    to_number: str = field(default="", repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything that Twilio sent about the call."""
    facts: CallFacts = field(default_factory=CallFacts)
    """What is kept of it, also where a later request brings less."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream ended."""

    reason: EndReason
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether a caller is let in at all, before a place is looked for."""

    answer: Literal["in", "busy", "message"] = "in"
    rule: str = ""
    """Why not."""


IN: Final = Screening()


async def screen_nobody(call: OfferedCall) -> Screening:
    """Everybody is let in."""
    return IN


async def admit_all(call: OfferedCall) -> Admission:
    """The answer of a worker without a limit."""
    return "open"


async def never_closed(call: OfferedCall) -> Happening | None:
    """The answer of a worker whose agents are always open."""
    return None


async def _ignore(_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioDoor:
    """All that the webhooks need."""

    checker: SignatureChecker
    tokens: StreamTokens
    seals: FactSeals
    default_agent: str
    knows_agent: Callable[[str], bool]
    route: Callable[[CallFacts], str] = lambda facts: ""
    """The agent for a call that comes in; "": the one that the voice URL or the settings name."""
    ending_of: Callable[[str], Awaitable[Ending | None]]
    """How the conversation of this CallSid ended; None when nobody knows (its worker died)."""
    onward: OnwardDesk
    """Who knows where calls go that no model carries."""
    screen: Callable[[OfferedCall], Awaitable[Screening]] = screen_nobody
    """Asked once for each call that comes in."""
    admit: Callable[[OfferedCall], Awaitable[Admission]] = admit_all
    closed: Callable[[OfferedCall], Awaitable[Happening | None]] = never_closed
    """What becomes of a call outside its agent's hours; None: the agent answers."""
    alone_and_leaving: Callable[[], bool] = lambda: False
    """This server is being stopped and no other worker answers at its address: calls that should
    go on wait until it is back."""
    full_redirect_url: str = ""
    """Where calls go whose admission is "redirect"."""
    expect: Callable[[OfferedCall], None] = lambda call: None
    """Told of each call that gets a stream, before it gets it. Must not wait."""
    on_progress: Callable[[CallProgress], Awaitable[None]] = _ignore
    """Told each step of a call's life once."""
    on_stream: Callable[[StreamStatus], Awaitable[None]] = _ignore
    on_recording: Callable[[RecordingStatus], Awaitable[None]] = _ignore
    """Told what Twilio says of its recordings of calls."""
    answers: Answers = field(default_factory=AnswersHere)
    speech: twiml.Speech = field(default_factory=twiml.Speech)
    """Voice and language of what Twilio itself says."""
    now_s: Callable[[], float] = time.time
    """Unix time in seconds."""


def routes(door: TwilioDoor) -> list[Route]:
    """The webhooks, for a Starlette app."""
    log = ProgressLog()

    async def status(webhook: Webhook) -> Answer:
        return await _status(door, log, webhook)

    async def voice(webhook: Webhook) -> Answer:
        return await _voice(door, webhook)

    async def stream_ended(webhook: Webhook) -> Answer:
        return await _stream_ended(door, webhook)

    async def recording(webhook: Webhook) -> Answer:
        told = read_recording_status(webhook.call_sid, webhook.fields)
        if told is None:
            raise RefusedError(400, "bad_recording")
        await door.on_recording(told)
        return Answer(204)

    apology = _twiml(twiml.apology(door.speech))
    return [
        _route(door, VOICE_PATH, ("POST", "GET"), voice, apology),
        _route(door, STREAM_ENDED_PATH, ("POST",), stream_ended, apology),
        _route(door, STATUS_PATH, ("POST",), status, Answer(500)),
        _route(door, RECORDING_PATH, ("POST",), recording, Answer(500)),
        *_onward_routes(door, apology),
    ]


def _onward_routes(door: TwilioDoor, apology: Answer) -> list[Route]:
    desk, pages = door.onward, _pages(door)

    async def back_to(caller: Caller, step: BackToAgent) -> str:
        return twiml.resume(_plan_back(door, caller, step))

    async def onward(webhook: Webhook) -> Answer:
        return await onward_routes.onward(desk, pages, webhook, back_to)

    async def whisper(webhook: Webhook) -> Answer:
        return await onward_routes.whisper(desk, pages, webhook)

    async def person(webhook: Webhook) -> Answer:
        return await onward_routes.person(desk, webhook)

    async def held(webhook: Webhook) -> Answer:
        return await onward_routes.held(desk, webhook)

    async def message(webhook: Webhook) -> Answer:
        return await onward_routes.message(desk, webhook)

    return [
        _route(door, ONWARD_PATH, ("POST",), onward, apology),
        _route(door, WHISPER_PATH, ("POST",), whisper, apology),
        _route(door, PERSON_PATH, ("POST",), person, Answer(500)),
        _route(door, HELD_PATH, ("POST",), held, Answer(500)),
        _route(door, MESSAGE_PATH, ("POST",), message, Answer(500)),
    ]


def _pages(door: TwilioDoor) -> Pages:
    return Pages(door.checker.public_url, door.speech)


def after_stream(reason: EndReason | None) -> AfterStream:
    """How a call goes on when its stream has ended for `reason`.

    None means that its worker died without a word: any worker may take the call again. A carrier
    that lost the socket or stalled gets a new one too; if the caller is gone, Twilio never asks.
    """
    if reason is EndReason.HANDED_ON:
        return "onward"
    if reason is not None and reason.deliberate:
        return "hang_up"
    lost = (None, EndReason.DRAINED, EndReason.CARRIER_LOST, EndReason.CARRIER_STALLED)
    return "resume" if reason in lost else "apologise"


def _route(
    door: TwilioDoor,
    path: str,
    methods: tuple[str, ...],
    handle: Callable[[Webhook], Awaitable[Answer]],
    broken: Answer,
) -> Route:
    """`broken`: the answer when `handle` fails."""

    async def endpoint(request: Request) -> Response:
        try:
            webhook = await receive(request, door.checker, methods)
            answer = await _answer(door, webhook, handle)
        except RefusedError as refused:
            _log.warning(
                "webhook refused", extra={"fields": {"path": path, "reason": refused.reason}}
            )
            return PlainTextResponse("refused\n", refused.status, refused.headers)
        except Exception:
            _log.exception("webhook failed", extra={"fields": {"path": path}})
            answer = broken
        return Response(answer.body, answer.status, media_type=answer.media_type)

    # The endpoint refuses wrong methods itself, so that HEAD cannot pass for GET.
    return Route(path, endpoint, methods=list(_METHODS))


async def _answer(
    door: TwilioDoor, webhook: Webhook, handle: Callable[[Webhook], Awaitable[Answer]]
) -> Answer:
    if webhook.key is None:
        return await handle(webhook)
    return await door.answers.once(webhook.key, lambda: handle(webhook), door.now_s())


async def _voice(door: TwilioDoor, webhook: Webhook) -> Answer:
    call = _routed(door, _offered(door, webhook), webhook)
    if not door.knows_agent(call.agent):
        _log.error("unknown agent in the voice URL", extra={"fields": {"call": call.call_sid}})
        return _twiml(twiml.apology(door.speech))
    waited_s = _whole(webhook.query.get("waited"), 0)
    screening = IN if waited_s else await door.screen(call)
    if screening.answer != "in":
        return _twiml(twiml.busy() if screening.answer == "busy" else twiml.blocked(door.speech))
    admission = await door.admit(call)
    if admission != "open":
        return _twiml(_no_place(door, call, admission, waited_s))
    elsewhere = await door.closed(call)
    if elsewhere is not None:
        return await _elsewhere(door, call, elsewhere)
    render = twiml.inbound if call.direction == "inbound" else twiml.outbound
    return _twiml(render(_plan(door, call, resumed=0)))


def _no_place(door: TwilioDoor, call: OfferedCall, admission: Admission, waited_s: int) -> str:
    """What a call is told for which there is no room."""
    if admission == "redirect" and door.full_redirect_url:
        return twiml.redirect(door.full_redirect_url)
    # A call that was answered already cannot be rejected any more: Twilio would ignore it.
    if admission == "busy" and call.direction == "inbound" and not waited_s:
        return twiml.busy()
    if admission != "queue" or call.direction != "inbound" or waited_s >= FULL_QUEUE_S:
        return twiml.full(door.speech)
    memory = _memory(door, call)
    memory["waited"] = str(waited_s + QUEUE_STEP_S)
    url = door.checker.public_url.webhook(VOICE_PATH, memory)
    return twiml.queue(door.speech, url, QUEUE_STEP_S, announce=not waited_s)


async def _stream_ended(door: TwilioDoor, webhook: Webhook) -> Answer:
    call = _offered(door, webhook)
    if webhook.fields.get("CallStatus") in _ENDED_STATES:
        return _twiml(twiml.hangup())
    ending = await door.ending_of(call.call_sid)
    reason = None if ending is None else ending.reason
    done = webhook.query.get(DONE_QUERY, "")
    if ending is not None and carried_out(reason, ending.detail, done):
        reason = None
    step = after_stream(reason)
    resumed = _resumed(webhook) + (reason is not EndReason.DRAINED)
    if step == "hang_up":
        return _twiml(twiml.hangup())
    if not door.knows_agent(call.agent):
        return _twiml(twiml.apology(door.speech))
    if step in ("onward", "apologise") or resumed > MOST_RESUMES:
        return await _go_on(door, call, ending if step == "onward" else None)
    if door.alone_and_leaving():
        memory = _memory(door, call) | {"resumed": str(resumed)}
        again_url = door.checker.public_url.webhook(STREAM_ENDED_PATH, memory)
        return _twiml(twiml.wait(again_url, RESTART_S))
    return _twiml(twiml.resume(_again(_plan(door, call, resumed, done))))


async def _elsewhere(door: TwilioDoor, call: OfferedCall, happening: Happening) -> Answer:
    """A call that no agent answers."""
    facts = door.seals.seal(call.facts, call.call_sid)
    journey = Journey(call.agent, call.direction, facts=facts)
    caller = Caller(call.call_sid, call.from_number, call.to_number, call.fields)
    return await _taken(door, caller, await door.onward.after(caller, journey, happening))


async def _go_on(door: TwilioDoor, call: OfferedCall, ending: Ending | None) -> Answer:
    """Where the agent has sent the call; `ending` None: down the ladder."""
    reason, detail = (None, "") if ending is None else (ending.reason, ending.detail)
    facts = door.seals.seal(call.facts, call.call_sid)
    journey, happening = begun(call.agent, call.direction, reason, detail)
    journey = replace(journey, facts=facts)
    caller = Caller(call.call_sid, call.from_number, call.to_number, call.fields)
    return await _taken(door, caller, await door.onward.after(caller, journey, happening))


async def _taken(door: TwilioDoor, caller: Caller, ready: Ready) -> Answer:
    async def back_to(caller: Caller, step: BackToAgent) -> str:
        return twiml.resume(_plan_back(door, caller, step))

    return await onward_routes.document(_pages(door), caller, ready, back_to)


async def _status(door: TwilioDoor, log: ProgressLog, webhook: Webhook) -> Answer:
    fields = webhook.fields
    if event := fields.get("StreamEvent"):
        stream_sid, error = fields.get("StreamSid", ""), fields.get("StreamError", "")
        await door.on_stream(StreamStatus(webhook.call_sid, stream_sid, event, error))
        return Answer(204)
    try:
        progress = log.note(read_progress(webhook.call_sid, fields))
    except StatusError as error:
        raise RefusedError(400, str(error)) from error
    if progress is not None:
        await door.on_progress(progress)
    return Answer(204)


def _offered(door: TwilioDoor, webhook: Webhook) -> OfferedCall:
    fields, query = webhook.fields, webhook.query
    said = query.get("direction") or fields.get("Direction", "")
    direction: Direction = "outbound" if said.startswith("outbound") else "inbound"
    variables = door.seals.open_variables(query.get(VARIABLES_QUERY, ""))
    known = door.seals.open(query.get(FACTS_QUERY, ""), webhook.call_sid)
    return OfferedCall(
        webhook.call_sid,
        query.get("agent") or door.default_agent,
        direction,
        fields.get("From", ""),
        fields.get("To", ""),
        fields,
        known or read_facts(fields, direction, variables),
    )


def _routed(door: TwilioDoor, call: OfferedCall, webhook: Webhook) -> OfferedCall:
    """With the agent that the routes choose, for a call that has just come in."""
    if call.direction == "outbound" or FACTS_QUERY in webhook.query:
        return call
    agent = door.route(call.facts)
    return replace(call, agent=agent) if agent else call


def _plan(door: TwilioDoor, call: OfferedCall, resumed: int, done: str = "") -> twiml.StreamPlan:
    door.expect(call)
    grant = Grant(call.call_sid, call.agent, call.direction)
    return _stream_plan(door, grant, door.seals.seal(call.facts, call.call_sid), resumed, done)


def _plan_back(door: TwilioDoor, caller: Caller, step: BackToAgent) -> twiml.StreamPlan:
    journey = step.journey
    news = News(step.status, journey.to).packed()
    grant = Grant(caller.call_sid, journey.agent, journey.direction, news)
    return _stream_plan(door, grant, journey.facts, resumed=0, done=journey.plan)


def _stream_plan(
    door: TwilioDoor, grant: Grant, facts: str, resumed: int, done: str = ""
) -> twiml.StreamPlan:
    """The action URL carries what the next worker must know; Twilio signs it when it asks.
    `facts`: sealed."""
    url = door.checker.public_url
    memory = {"agent": grant.agent, "direction": grant.direction, FACTS_QUERY: facts}
    if done:
        memory[DONE_QUERY] = done
    return twiml.StreamPlan(
        door.checker.media_url(),
        url.webhook(STREAM_ENDED_PATH, memory | {"resumed": str(resumed)}),
        url.webhook(STATUS_PATH),
        {TOKEN_PARAMETER: door.tokens.issue(grant, door.now_s()), **as_parameters(facts)},
    )


def _again(plan: twiml.StreamPlan) -> twiml.StreamPlan:
    """... of a call whose stream has ended, and whose caller may be in the middle of something."""
    return replace(plan, parameters={**plan.parameters, AGAIN: "1"})


def _memory(door: TwilioDoor, call: OfferedCall) -> dict[str, str]:
    """What Twilio is to bring back with the next request about this call."""
    facts = door.seals.seal(call.facts, call.call_sid)
    return {"agent": call.agent, "direction": call.direction, FACTS_QUERY: facts}


def _resumed(webhook: Webhook) -> int:
    return _whole(webhook.query.get("resumed", "0"), MOST_RESUMES)


def _whole(text: str | None, otherwise: int) -> int:
    """A small whole number, or `otherwise` for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else otherwise


def _twiml(document: str) -> Answer:
    return Answer(200, document, twiml.TWIML_TYPE)
