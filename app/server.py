"""The composition root: one worker process from its settings."""

import asyncio
import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp

from app.after.intake import AfterCalls
from app.aftermath import make_after_calls
from app.answering import ALONE, Answering, Beyond
from app.bridge.call_bridge import CallBridge
from app.bridge.lag import LagGauge
from app.bridge.last_orders import LastOrders
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.switchboard import Fleet, NoRoom, Switchboard
from app.bridge.twilio_socket import MediaSocket, OnEnded
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.care.desk import CareDesk
from app.carriers.twilio.caller import FactSeals
from app.carriers.twilio.door import Admission, Ending, OfferedCall, TwilioDoor
from app.carriers.twilio.idempotency import Answer, Answers, AnswersHere
from app.carriers.twilio.progress import CallProgress, StreamStatus
from app.carriers.twilio.public_url import MEDIA_PATH
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.sms import sms_routes
from app.carriers.twilio.stream_ended import after_stream
from app.carriers.twilio.tokens import StreamTokens, UsedTokens, UsedTokensHere
from app.carriers.twilio.webhooks import routes
from app.closed import is_open, now, when_closed
from app.departments import Departments, make_care, make_desk, make_gate, make_texting
from app.desk import Desk
from app.files import Files
from app.live import Live
from app.live.answers import Code
from app.models.openai_errors import FAULT_KINDS
from app.observe.faults import Faults
from app.observe.log import event
from app.observe.metrics import Metrics
from app.observe.metrics_families import Refusal
from app.onward.happenings import Happening
from app.persona import Adjust, Revise, as_it_is, as_written
from app.reloading import Reloader
from app.rest_line import RestLine
from app.settings import Settings
from app.texting import Texting

logger = logging.getLogger(__name__)

GC_THRESHOLDS = (10_000, 20, 50)
"""Rarer collections than Python's own: media makes many short-lived objects and no cycles."""
MAX_FRAME_BYTES = 128 * 1024
"""A media message is a few hundred bytes; a longer one closes its socket."""
BACKLOG = 2048
WHEN_FULL: dict[str, Admission] = {
    "apologise": "full",
    "busy": "busy",
    "queue": "queue",
    "redirect": "redirect",
}
"""Settings.when_full -> how a call is answered for which there is no room."""
SHUTDOWN_S = 2
"""Longest wait for answers to be sent and records to be written once the calls have gone."""
REFUSALS: dict[NoRoom, Refusal] = {
    "": "full",  # the other workers' seats are taken
    "draining": "draining",
    "calls": "full",
    "lag": "lagging",
}
"""Why a call has no place -> how the metrics count it."""
WHY_NOT_READY: dict[NoRoom, str] = {
    "draining": "draining",
    "calls": "as many calls as it may carry",
    "lag": "it cannot keep up with those it has",
}


@dataclass(frozen=True, slots=True)
class Worker:
    """What one process runs."""

    settings: Settings
    app: ASGIApp
    switchboard: Switchboard
    pacer: Pacer
    lag: LagGauge
    """Measures nothing until it is started."""
    answering: Answering
    metrics: Metrics
    rest: RestLine
    desk: Desk
    reloader: Reloader
    """Looks at no file until it is run."""
    after: AfterCalls
    """Looks for calls that nobody carries any more only while its `run` runs."""
    texting: Texting
    care: CareDesk


def check(settings: Settings, adjust: Adjust = as_it_is, revise: Revise = as_written) -> Files:
    """What keeps a worker from being made, found out before one is.

    Raises `SettingsError`, and what making `Files` raises.
    """
    if settings.when_full == "redirect":
        settings.require("EARSHOT_FULL_REDIRECT_URL")
    if settings.webhook_url:
        settings.require("EARSHOT_WEBHOOK_SECRET")
    return Files(settings, adjust, revise)


def make_worker(
    settings: Settings,
    *,
    observers: Sequence[Observer] = (),
    adjust: Adjust = as_it_is,
    revise: Revise = as_written,
    fleet: Fleet | None = None,
    beyond: Beyond = ALONE,
) -> Worker:
    """Everything that answers calls in one process.

    `adjust` changes every call's settings beyond what the operator can set, such as how long a
    silent model is waited for; `revise` changes the agents. `fleet`: the other workers at the same
    address. `beyond`: what all workers share.
    Raises what `check` raises.
    """
    files = check(settings, adjust, revise)
    pacer, lag = Pacer(), LagGauge()
    metrics = Metrics(
        prices=files.prices, error_codes=FAULT_KINDS, summary_model=settings.summary_model
    )
    metrics.watch_loop(lambda: pacer.lag_ms, lambda: pacer.worst_lag_ms)
    switchboard = Switchboard(
        settings.max_calls, lag_ms=lag, max_lag_ms=settings.max_lag_ms, fleet=fleet
    )
    tokens = settings.twilio_auth_tokens
    checker, stream_tokens = SignatureChecker(tokens, settings.public_url), StreamTokens(tokens)
    seals = FactSeals(tokens)
    live = beyond.live
    rest = RestLine(settings)
    care = make_care(settings, live, rest)
    gate = make_gate(settings, files, live, care)
    texting = make_texting(settings, files, metrics, gate, rest, live)
    departments = Departments(gate, care, texting, beyond.outgoing)
    calls = Answering(
        settings, files.personas, pacer, (*observers, metrics, Faults()), departments, beyond
    )
    after = calls.after = make_after_calls(settings, files, beyond, rest)
    calls.prepare()
    ending_of = partial(_ending_of, switchboard, live)
    desk = make_desk(files, departments, rest, live, ending_of, settings.from_number)
    door = replace(
        _door(
            settings, files, switchboard, checker, stream_tokens, seals, live, metrics, desk, after
        ),
        expect=lambda call: calls.expect(call.call_sid, call.agent, call.facts),
        screen=care.screen,
        closed=partial(_closed, files),
        on_recording=care.recording_told,
    )
    used: UsedTokens = UsedTokensHere() if live is None else live.tokens
    socket = MediaSocket(
        checker, stream_tokens, seals, used, switchboard, calls.make, _counted(metrics)
    )
    texts = sms_routes(texting.door(checker, _answers(live)))
    ours = [*routes(door), *texts, WebSocketRoute(MEDIA_PATH, socket)]
    # A proxy may leave the prefix of PUBLIC_URL on the path or strip it.
    prefix = checker.public_url.prefix
    prefixed = [Mount(prefix, routes=ours)] if prefix else []
    inner = Starlette(routes=[*ours, *prefixed, *_health(switchboard), _metrics(metrics)])
    app = LastOrders(inner, switchboard, MEDIA_PATH)

    def swapped() -> None:
        metrics.new_prices(files.prices)
        calls.prepare()
        calls.want_phrases()

    reloader = Reloader(lambda: files.watched, swapped)
    return Worker(
        settings=settings,
        app=app,
        switchboard=switchboard,
        pacer=pacer,
        lag=lag,
        answering=calls,
        metrics=metrics,
        rest=rest,
        desk=desk,
        reloader=reloader,
        after=after,
        texting=texting,
        care=care,
    )


async def _closed(files: Files, call: OfferedCall) -> Happening | None:
    """What becomes of a call outside its agent's hours; whom we call is not told so."""
    agent = files.personas.get(call.agent).agent
    if call.direction == "outbound" or is_open(agent, now()):
        return None
    return when_closed(agent)


def _counted(metrics: Metrics) -> OnEnded:
    """What the media socket knows of a call that is over."""

    def ended(call: CallBridge, end: EndCall, malformed_frames: int) -> None:
        metrics.stream_ended(
            call.call,
            end,
            malformed_frames=malformed_frames,
            padded_ms=call.caller.padded_bytes // 8,
            dropped_ms=call.caller.dropped_bytes // 8,
        )

    return ended


def _door(
    settings: Settings,
    files: Files,
    switchboard: Switchboard,
    checker: SignatureChecker,
    tokens: StreamTokens,
    seals: FactSeals,
    live: Live | None,
    metrics: Metrics,
    desk: Desk,
    after: AfterCalls,
) -> TwilioDoor:
    """What the webhooks may ask of the worker."""

    async def admit(call: OfferedCall) -> Admission:
        if switchboard.offer(call.call_sid):
            after.offered(
                call.call_sid,
                agent=call.agent,
                direction=call.direction,
                caller=call.from_number,
                called=call.to_number,
            )
            return "open"
        metrics.refused(REFUSALS[switchboard.no_room])
        return WHEN_FULL[settings.when_full]

    async def note_progress(progress: CallProgress) -> None:
        _log_progress(progress)
        if progress.state.ended:
            switchboard.withdraw(progress.call_sid)
            state, length_s = progress.state.value, progress.duration_s
            after.call_over(progress.call_sid, state=state, duration_s=length_s)

    async def ending_of(call_id: str) -> Ending | None:
        ending = await _ending_of(switchboard, live, call_id)
        reason = None if ending is None else ending.reason
        if after_stream(reason) == "resume" and not switchboard.alone_and_leaving:
            switchboard.keep_seat(call_id)
        return ending

    return TwilioDoor(
        checker=checker,
        tokens=tokens,
        seals=seals,
        default_agent=settings.agent,
        route=files.route,
        knows_agent=files.personas.knows,
        ending_of=ending_of,
        onward=desk,
        admit=admit,
        alone_and_leaving=lambda: switchboard.alone_and_leaving,
        full_redirect_url=settings.full_redirect_url,
        on_progress=note_progress,
        on_stream=_log_stream,
        answers=_answers(live),
    )


async def _ending_of(switchboard: Switchboard, live: Live | None, call_id: str) -> Ending | None:
    """How a call's stream ended: here, or where another worker carried it."""
    end = switchboard.ending_of(call_id)
    if end is not None:
        return Ending(end.reason, end.detail)
    known = None if live is None else await live.calls.ending_of(call_id)
    if known is None or known[0] not in set(EndReason):
        return None
    return Ending(EndReason(known[0]), known[1])


def _answers(live: Live | None) -> Answers:
    here = AnswersHere()
    if live is None:
        return here
    code = Code(msgspec.json.encode, msgspec.json.Decoder(Answer).decode)
    return live.answers(here, code)


def server_config(worker: Worker, host: str = "", port: int = 0) -> uvicorn.Config:
    """uvicorn, set for media sockets: the quickest WebSocket layer it has, no compression."""
    return uvicorn.Config(
        worker.app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


def make_server(worker: Worker, host: str, port: int) -> uvicorn.Server:
    """A server of its own socket that cuts calls off when it ends, for the demo and tests."""
    return uvicorn.Server(server_config(worker, host, port))


def settle() -> None:
    """Take all that was loaded so far out of the garbage collector's sight, for good.

    A full collection of it would hold up every call of the process for 100 to 300 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _log_progress(progress: CallProgress) -> None:
    event(
        logger,
        logging.INFO,
        "call progress",
        call=progress.call_sid,
        state=progress.state.value,
        duration_s=progress.duration_s,
        sip_code=progress.sip_code,
    )


async def _log_stream(status: StreamStatus) -> None:
    """The only place where a handshake that Twilio could not finish shows on our side."""
    failed = status.event == "stream-error"
    event(
        logger,
        logging.WARNING if failed else logging.DEBUG,
        "media stream failed at the carrier" if failed else "media stream",
        call=status.call_sid,
        stream=status.stream_sid,
        event=status.event,
        error=status.error,
    )


def _metrics(metrics: Metrics) -> BaseRoute:
    async def show(_request: Request) -> Response:
        body, content_type = await asyncio.to_thread(metrics.render)
        return Response(body, media_type=content_type)

    return Route("/metrics", show)


def _health(switchboard: Switchboard) -> list[BaseRoute]:
    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if switchboard.takes_calls:
            return PlainTextResponse("ready\n")
        why = WHY_NOT_READY[switchboard.no_room or "calls"]
        return PlainTextResponse(f"no room for another call: {why}\n", 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
