"""What Twilio asks of us over HTTP: a call is there, its state changed, its stream has ended.

    /twilio/voice         POST (or GET): a call came in, or one that we placed was answered.
                          ?agent=NAME in the URL chooses the agent; Twilio signs it with the rest.
                          ?waited=S: the call has waited for a place that long already.
    /twilio/status        POST: the life of a call, and of its media stream.
    /twilio/amd           POST: who answered a call that we placed, a person or a machine.
    /twilio/recording     POST: the life of a recording that Twilio makes.
    /twilio/stream-ended  POST: the `<Connect action>`. What we answer decides how the call goes on.
    /twilio/onward ...    POST: calls that no model carries (see onward.py).

`?attempt=ID` in the first three names the attempt of a campaign that the call is. What comes with
it to status and amd is answered only once the campaign has kept it, and with 500 when it could not:
then Twilio comes again.

Answers are TwiML with 200; when something of ours breaks, the caller hears an apology, not Twilio's
error message.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from starlette.requests import Request
from starlette.routing import Route

from app.carriers.twilio import onward_routes, twiml
from app.carriers.twilio.attempts import AttemptProgress, read_detection, who_answered
from app.carriers.twilio.campaign_calls import read_attempt
from app.carriers.twilio.door import TwilioDoor
from app.carriers.twilio.endpoint import endpoint
from app.carriers.twilio.idempotency import Answer
from app.carriers.twilio.intake import RefusedError, Webhook, receive
from app.carriers.twilio.progress import ProgressLog, StatusError, StreamStatus, read_progress
from app.carriers.twilio.public_url import (
    AMD_PATH,
    HELD_PATH,
    MESSAGE_PATH,
    ONWARD_PATH,
    PERSON_PATH,
    RECORDING_PATH,
    REFER_PATH,
    STATUS_PATH,
    STREAM_ENDED_PATH,
    VOICE_PATH,
    WHISPER_PATH,
)
from app.carriers.twilio.recording_status import read_recording_status
from app.carriers.twilio.stream_ended import stream_ended
from app.carriers.twilio.voice import voice

_At: TypeAlias = Callable[[TwilioDoor, Webhook], Awaitable[Answer]]


def routes(door: TwilioDoor) -> list[Route]:
    """The webhooks, for a Starlette app."""
    apology, nothing = twiml.answer(twiml.apology(door.speech)), Answer(500)
    return [
        _route(door, VOICE_PATH, voice, apology, "POST", "GET"),
        _route(door, STREAM_ENDED_PATH, stream_ended, apology),
        _route(door, STATUS_PATH, partial(_status, ProgressLog()), nothing),
        _route(door, AMD_PATH, _detected, nothing),
        _route(door, RECORDING_PATH, _recording, nothing),
        _route(door, ONWARD_PATH, onward_routes.onward, apology),
        _route(door, REFER_PATH, onward_routes.refer, apology),
        _route(door, WHISPER_PATH, onward_routes.whisper, apology),
        _route(door, PERSON_PATH, onward_routes.person, nothing),
        _route(door, HELD_PATH, onward_routes.held, nothing),
        _route(door, MESSAGE_PATH, onward_routes.message, nothing),
    ]


def _route(door: TwilioDoor, path: str, at: _At, broken: Answer, *methods: str) -> Route:
    """`methods`: POST alone where none is named."""

    async def verify(request: Request) -> Webhook:
        return await receive(request, door.checker, methods or ("POST",))

    return endpoint(door, path, verify, partial(at, door), broken)


async def _status(log: ProgressLog, door: TwilioDoor, webhook: Webhook) -> Answer:
    fields = webhook.fields
    if event := fields.get("StreamEvent"):
        stream_sid, error = fields.get("StreamSid", ""), fields.get("StreamError", "")
        await door.on_stream(StreamStatus(webhook.call_sid, stream_sid, event, error))
        return Answer(204)
    try:
        told = read_progress(webhook.call_sid, fields)
    except StatusError as error:
        raise RefusedError(400, str(error)) from error
    progress = log.note(told)
    try:
        if progress is not None:
            await door.on_progress(progress)
    finally:
        attempt = read_attempt(webhook.query)
        if attempt and door.attempts is not None:
            at_ms = told.at_ms or int(door.now_s() * 1000)
            news = AttemptProgress(attempt, told, at_ms, who_answered(fields))
            await door.attempts.progressed(news)
    return Answer(204)


async def _detected(door: TwilioDoor, webhook: Webhook) -> Answer:
    attempt, at_ms = read_attempt(webhook.query), int(door.now_s() * 1000)
    found = read_detection(webhook.call_sid, webhook.fields, attempt, at_ms)
    if found is None:
        raise RefusedError(400, "bad_detection")
    try:
        await door.on_detected(found)
    finally:
        if attempt and door.attempts is not None:
            await door.attempts.detected(found)
    return Answer(204)


async def _recording(door: TwilioDoor, webhook: Webhook) -> Answer:
    told = read_recording_status(webhook.call_sid, webhook.fields)
    if told is None:
        raise RefusedError(400, "bad_recording")
    await door.on_recording(told)
    return Answer(204)
