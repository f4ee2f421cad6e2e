"""<Enqueue> and <Dial><Queue>: one waits with music, the other takes whoever waited longest."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from app.lab.phone.course import HungUp, Next, TwimlSource
from app.lab.phone.following import action, number, tell_of_hang_up
from app.lab.phone.leg import AGAIN_S, Leg
from app.lab.phone.queues import CallQueue, QueuedCall, Taken
from app.lab.phone.room import Bridge
from app.lab.phone.twiml import TwimlError, Verb
from app.lab.phone.webhook import read_method

INVALID_TIMEOUT = 13212
INVALID_ENQUEUE_NAME = 14203
ENQUEUE_WAIT_REFUSED = 14207
QUEUE_WAIT = frozenset({"Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Leave"})
BEFORE = frozenset({"Say", "Play", "Pause", "Redirect"})
NAME_LIMIT_CHARS = 64


async def dial_queue(leg: Leg, verb: Verb, noun: Verb, document_url: str) -> Mapping[str, str]:
    """The parameters for <Dial>'s action."""
    queue = leg.account.queues.by_name.get(noun.text)
    if queue is None:
        return {"DialCallStatus": "failed", "DialBridged": "false"}
    leg.answer()
    url = noun.get("url")
    first = (
        TwimlSource(urljoin(document_url, url), read_method(noun.get("method"))) if url else None
    )
    taken = Taken(Bridge(leg.call), leg.call.identity.call_sid, first)
    leg.call.hears("ringing")
    leg.call.ambience.loop("ringback")
    try:
        async with asyncio.timeout(number(verb, "timeout", 30, INVALID_TIMEOUT)):
            queued = await queue.take(taken)
            await taken.ready.wait()
    except TimeoutError:
        return {"DialCallStatus": "no-answer", "DialBridged": "false"}
    finally:
        leg.call.ambience.loop(None)
    told = {
        "DialCallStatus": "completed",
        "DialBridged": "true",
        "DialCallSid": queued.call.identity.call_sid,
    }
    began_ms = leg.call.now_ms
    try:
        await taken.bridge.sit(leg.call)
    except asyncio.CancelledError:
        tell_of_hang_up(leg, verb, document_url, told)
        raise
    return told | {"DialCallDuration": str(round((leg.call.now_ms - began_ms) / 1000))}


async def enqueue(leg: Leg, verb: Verb, document_url: str) -> Next:
    """<Enqueue>. Raises TwimlError for a name that cannot be."""
    if not verb.text or len(verb.text) > NAME_LIMIT_CHARS:
        raise TwimlError("<Enqueue> needs a name of 1 to 64 characters", INVALID_ENQUEUE_NAME)
    queue = leg.account.queues.named(verb.text)
    limit = number(verb, "maxQueueSize", 0)
    queue.max_size = limit or queue.max_size
    one = queue.join(leg.call)
    if one is None:
        told = {"QueueResult": "queue-full", "QueueSid": queue.sid, "QueueTime": "0"}
        return action(verb, document_url, told)
    result = "hangup"
    try:
        result = await _waited(leg, verb, document_url, queue, one)
    except asyncio.CancelledError:
        tell_of_hang_up(leg, verb, document_url, _told("hangup", queue, one))
        raise
    finally:
        queue.leave(one)
        if one.taken.done():
            one.taken.result().bridge.over.set()
    if result == "hangup":
        tell_of_hang_up(leg, verb, document_url, _told(result, queue, one))
        return HungUp("twiml")
    return action(verb, document_url, _told(result, queue, one))


def _told(result: str, queue: CallQueue, one: QueuedCall) -> dict[str, str]:
    return {"QueueResult": result, "QueueSid": queue.sid, "QueueTime": str(one.waited_s)}


async def _waited(
    leg: Leg, verb: Verb, document_url: str, queue: CallQueue, one: QueuedCall
) -> str:
    """Wait, be connected, come back: the QueueResult."""
    music = asyncio.ensure_future(_music(leg, verb, document_url, queue, one))
    either: set[asyncio.Future[Any]] = {music, one.taken}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        music.cancel()
        await asyncio.wait({music})
    if not one.taken.done():
        return music.result()
    taken = one.taken.result()
    if taken.first is not None:
        more = {"QueueSid": queue.sid, "DequeingCallSid": taken.by_call_sid}
        source = TwimlSource(
            taken.first.url,
            taken.first.method,
            parameters={**more, "QueueTime": str(one.waited_s)},
        )
        await leg.beside(source, BEFORE, ENQUEUE_WAIT_REFUSED, "whisper")
    taken.ready.set()
    await taken.bridge.sit(leg.call)
    return "bridged"


async def _music(leg: Leg, verb: Verb, document_url: str, queue: CallQueue, one: QueuedCall) -> str:
    """Until <Leave> or <Hangup> in the waiting TwiML: the QueueResult."""
    wait = verb.attributes.get("waitUrl")
    if not wait:
        if wait is None:
            leg.call.hears("music")
            leg.call.ambience.loop("music")
        try:
            await asyncio.Event().wait()
        finally:
            leg.call.ambience.loop(None)
    url, method = urljoin(document_url, wait or ""), read_method(verb.get("waitUrlMethod"))
    while True:
        source = TwimlSource(url, method, parameters=queue.describe(one))
        end = await leg.beside(source, QUEUE_WAIT, ENQUEUE_WAIT_REFUSED, "wait")
        if end is not None:
            return "leave" if end.leaves else ("error" if end.by == "error" else "hangup")
        await asyncio.sleep(AGAIN_S)
