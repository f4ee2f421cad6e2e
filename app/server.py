"""The composition root: one worker process from its settings."""

import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import open_journal
from app.bridge.journal import Journal
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.bridge.switchboard import Switchboard
from app.bridge.twilio_socket import MakeWriter, MediaSocket, TwilioDialect
from app.call.endings import EndReason
from app.call.phases import CallSettings
from app.carriers.twilio.clock import CarrierClock
from app.carriers.twilio.media import Start
from app.carriers.twilio.progress import CallProgress, StreamStatus
from app.carriers.twilio.public_url import MEDIA_PATH
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import Grant, StreamTokens, UsedTokensHere
from app.carriers.twilio.webhooks import Admission, OfferedCall, TwilioDoor, routes
from app.models.openai_connect import Credentials, Limits, prepare
from app.models.openai_realtime import open_session
from app.models.ports import ModelSession
from app.observe.log import event
from app.persona import Adjust, Personas, as_it_is
from app.settings import Settings

logger = logging.getLogger(__name__)

GC_THRESHOLDS = (10_000, 20, 50)
"""Rarer collections than Python's own: media makes many short-lived objects and no cycles."""
MAX_FRAME_BYTES = 128 * 1024
"""A media message is a few hundred bytes; a longer one closes its socket."""
BACKLOG = 2048
SHUTDOWN_S = 10
"""Longest wait for calls to end and records to be written when the process is told to stop."""
LATE_IMPORTS = ("openai.resources.realtime.realtime", "websockets.sync.client")
"""What the SDK would import when the first session is opened: 0.3 s in the middle of a call."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What one process runs."""

    settings: Settings
    app: Starlette
    switchboard: Switchboard
    pacer: Pacer


class Calls:
    """Makes a `CallBridge` for each stream that was admitted."""

    def __init__(
        self, settings: Settings, personas: Personas, pacer: Pacer, observers: Sequence[Observer]
    ) -> None:
        self._settings = settings
        self._personas = personas
        self._pacer = pacer
        self._observers = observers
        self._credentials = Credentials(
            api_key=settings.openai_api_key.get_secret_value(),
            base_url=settings.openai_base_url,
            project=settings.openai_project or None,
        )
        self._limits = Limits(
            connect_s=settings.model_connect_timeout_s, configure_s=settings.model_connect_timeout_s
        )

    def prepare(self) -> None:
        """Do once, before the first call, what would hold up the event loop in it."""
        prepare(self._credentials)
        for module in LATE_IMPORTS:
            import_module(module)

    def make(
        self, grant: Grant, start: Start, dialect: TwilioDialect, writer: MakeWriter
    ) -> CallBridge:
        persona = self._personas.get(grant.agent)

        async def open_model() -> ModelSession:
            return await open_session(persona.session, self._credentials, limits=self._limits)

        return CallBridge(
            call_id=start.call_sid,
            stream_id=start.stream_sid,
            direction=grant.direction,
            settings=persona.call,
            open_model=open_model,
            tools=persona.tools,
            dialect=dialect,
            writer=writer,
            clock=CarrierClock(0),
            pacer=self._pacer,
            journal=self._journal(start, persona.call),
            observers=self._observers,
        )

    def _journal(self, start: Start, call_settings: CallSettings) -> Journal | None:
        if not self._settings.record_events:
            return None
        try:
            return open_journal(
                self._settings.data_dir, start.call_sid, start.stream_sid, call_settings
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "no event log for this call", error=why)
            return None


def make_worker(
    settings: Settings, *, observers: Sequence[Observer] = (), adjust: Adjust = as_it_is
) -> Worker:
    """Everything that answers calls in one process.

    `adjust` changes every call's settings beyond what the operator can set, such as how long a
    silent model is waited for.
    Raises `AgentError` or `ToolLoadError` when the default agent cannot take calls.
    """
    personas = Personas(settings, adjust)
    personas.get(settings.agent)
    pacer, switchboard = Pacer(), Switchboard(settings.max_calls)
    calls = Calls(settings, personas, pacer, observers)
    calls.prepare()
    tokens = settings.twilio_auth_tokens
    checker, stream_tokens = SignatureChecker(tokens, settings.public_url), StreamTokens(tokens)
    door = _door(settings, personas, switchboard, checker, stream_tokens)
    socket = MediaSocket(checker, stream_tokens, UsedTokensHere(), switchboard, calls.make)
    ours = [*routes(door), WebSocketRoute(MEDIA_PATH, socket)]
    # A proxy may leave the prefix of PUBLIC_URL on the path or strip it.
    prefix = checker.public_url.prefix
    prefixed = [Mount(prefix, routes=ours)] if prefix else []
    app = Starlette(routes=[*ours, *prefixed, *_health(switchboard)])
    return Worker(settings, app, switchboard, pacer)


def _door(
    settings: Settings,
    personas: Personas,
    switchboard: Switchboard,
    checker: SignatureChecker,
    tokens: StreamTokens,
) -> TwilioDoor:
    """What the webhooks may ask of the worker."""

    async def admit(call: OfferedCall) -> Admission:
        return "open" if switchboard.offer(call.call_sid) else "full"

    async def note_progress(progress: CallProgress) -> None:
        _log_progress(progress)
        if progress.state.ended:
            switchboard.withdraw(progress.call_sid)

    async def ending_of(call_id: str) -> EndReason | None:
        end = switchboard.ending_of(call_id)
        return None if end is None else end.reason

    return TwilioDoor(
        checker=checker,
        tokens=tokens,
        default_agent=settings.agent,
        knows_agent=personas.knows,
        ending_of=ending_of,
        admit=admit,
        on_progress=note_progress,
        on_stream=_log_stream,
    )


def make_server(worker: Worker, host: str, port: int) -> uvicorn.Server:
    """uvicorn, set for media sockets: the quickest WebSocket layer it has, no compression."""
    return uvicorn.Server(
        uvicorn.Config(
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
    )


def settle() -> None:
    """Take all that was loaded so far out of the garbage collector's sight, for good.

    A full collection of it would hold up every call of the process for 100 to 300 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def serve(worker: Worker, host: str, port: int) -> None:
    """Answer calls until the process is told to stop."""
    settle()
    await make_server(worker, host, port).serve()


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


def _health(switchboard: Switchboard) -> list[BaseRoute]:
    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if switchboard.has_room:
            return PlainTextResponse("ready\n")
        return PlainTextResponse("no room for another call\n", 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
