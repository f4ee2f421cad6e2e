"""All that a worker answers over HTTP and WebSocket: webhooks for calls and texts, the media
socket, and the pages for those who watch over it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.types import ASGIApp

from app.answering import Answering
from app.bridge.call_bridge import CallBridge
from app.bridge.last_orders import LastOrders
from app.bridge.media_socket import MediaSocket, OnEnded
from app.call.commands import EndCall
from app.care.desk import CareDesk
from app.carrier_log import log_detection, log_stream
from app.carriers.asterisk.door import MEDIA_PATH as PBX_MEDIA_PATH
from app.carriers.twilio.attempts import AttemptNews, Detection
from app.carriers.twilio.caller import FactSeals
from app.carriers.twilio.door import OfferedCall, TwilioDoor
from app.carriers.twilio.idempotency import Answer, Answers, AnswersHere
from app.carriers.twilio.media_door import MediaStreams
from app.carriers.twilio.public_url import MEDIA_PATH, PublicUrl
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.sms import sms_routes
from app.carriers.twilio.tokens import StreamTokens, UsedTokensHere
from app.carriers.twilio.webhooks import routes
from app.departments import Departments
from app.desk import Desk
from app.dial_book import DialBook
from app.front_door import FrontDoor
from app.health import health_pages, metrics_page
from app.live import Live
from app.live.answers import Code
from app.observe.metrics import Metrics
from app.openai_sip_door import openai_sip_routes
from app.openai_sip_orphans import Orphans
from app.pbx_room import pbx_routes
from app.reception import Reception
from app.rest_line import outgoing_of
from app.settings import Settings
from app.telnyx_room import telnyx_routes


@dataclass(frozen=True, slots=True)
class Locks:
    """What tells Twilio, and what we gave it to carry, from strangers."""

    checker: SignatureChecker
    tokens: StreamTokens
    seals: FactSeals


def make_app(
    front: FrontDoor,
    calls: Answering,
    departments: Departments,
    desk: Desk,
    live: Live | None,
    orphans: Orphans,
    dials: DialBook | None = None,
    api: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """`live`: where workers agree on who answers a webhook's copies and who takes a stream.
    `orphans`: told of calls that outlive their worker. `dials`: who is told of campaigns' calls.
    `api`: for programs of the operator's."""
    settings, told = front.settings, _told(front.metrics, calls)
    attempts = None if dials is None else dials.news
    reception = Reception(front, calls, departments.care)
    ours = [
        *pbx_routes(reception, desk, told, dials),
        *telnyx_routes(reception, told),
        *openai_sip_routes(front, calls, departments, _answers(live), told, orphans),
    ]
    if settings.twilio_auth_tokens:  # a PBX's calls need none
        locks = _locks(settings)
        door = _door(front, locks, calls, departments.care, desk, _answers(live), attempts)
        texts = departments.texting.door(locks.checker, _answers(live))
        socket = _media_socket(front, locks, calls, live, told)
        ours += [*routes(door), *sms_routes(texts), WebSocketRoute(MEDIA_PATH, socket)]
    # A proxy may leave the prefix of PUBLIC_URL on the path or strip it.
    prefix = PublicUrl.parse(settings.public_url).prefix if settings.public_url else ""
    prefixed = [Mount(prefix, routes=ours)] if prefix else []
    pages = [*health_pages(front.switchboard), metrics_page(front.metrics), *api]
    app = Starlette(routes=[*ours, *prefixed, *pages])
    return LastOrders(app, front.switchboard, (MEDIA_PATH, PBX_MEDIA_PATH))


def _locks(settings: Settings) -> Locks:
    tokens = settings.twilio_auth_tokens
    checker = SignatureChecker(tokens, settings.public_url)
    return Locks(checker, StreamTokens(tokens), FactSeals(tokens))


def _door(
    front: FrontDoor,
    locks: Locks,
    calls: Answering,
    care: CareDesk,
    desk: Desk,
    answers: Answers,
    attempts: AttemptNews | None,
) -> TwilioDoor:
    def expect(call: OfferedCall) -> None:
        calls.expect(call.call_sid, call.agent, call.facts)

    async def detected(found: Detection) -> None:
        log_detection(found)
        await calls.verdicts.answered(found.call_sid, found.answered_by)

    return TwilioDoor(
        checker=locks.checker,
        tokens=locks.tokens,
        seals=locks.seals,
        default_agent=front.settings.agent,
        knows_agent=front.files.personas.knows,
        route=front.files.route,
        screen=care.screen,
        admit=front.admit,
        closed=front.closed,
        expect=expect,
        ending_of=front.ending_of,
        onward=desk,
        alone_and_leaving=front.alone_and_leaving,
        full_redirect_url=front.settings.full_redirect_url,
        on_progress=front.progressed,
        on_stream=log_stream,
        attempts=attempts,
        on_recording=care.recording_told,
        on_detected=detected,
        outgoing=outgoing_of(front.settings),
        answers=answers,
    )


def _answers(live: Live | None) -> Answers:
    here = AnswersHere()
    if live is None:
        return here
    code = Code(msgspec.json.encode, msgspec.json.Decoder(Answer).decode)
    return live.answers(here, code)


def _media_socket(
    front: FrontDoor, locks: Locks, calls: Answering, live: Live | None, told: OnEnded
) -> MediaSocket:
    used = UsedTokensHere() if live is None else live.tokens
    return MediaSocket(
        MediaStreams(locks.checker, locks.tokens, locks.seals, used),
        front.switchboard,
        calls.make,
        told,
    )


def _told(metrics: Metrics, calls: Answering) -> OnEnded:
    """What the media socket knows of a call that is over."""

    def ended(call: CallBridge, end: EndCall, malformed_frames: int) -> None:
        calls.over(call)
        metrics.stream_ended(
            call.call,
            end,
            malformed_frames=malformed_frames,
            padded_ms=call.caller.padded_bytes // 8,
            dropped_ms=call.caller.dropped_bytes // 8,
        )

    return ended
