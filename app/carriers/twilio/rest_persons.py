"""The other leg of a warm transfer over Twilio's REST API: ring a person, stop ringing, bring the
caller back."""

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any, Final

from app.carriers.twilio.errors import CallInputError
from app.carriers.twilio.onward_twiml import NO_HEADERS
from app.carriers.twilio.rest import CallInfo, TwilioRest, answered, checked_sid
from app.carriers.twilio.sip_reference import referenced
from app.policy.destinations import Cleared, Kind, Purpose

_NOT_IN_PROGRESS: Final = 21220


async def ring_person(
    rest: TwilioRest,
    destination: Cleared,
    *,
    from_number: str,
    whisper_url: str,
    status_url: str,
    ring_s: int,
    call_sid: str,
    headers: Mapping[str, str] = NO_HEADERS,
) -> CallInfo:
    """Call somebody whom the caller of `call_sid` waits for; sent once. `headers`: what a SIP
    system is told besides.

    Raises `errors.TwilioError`.
    """
    if not isinstance(destination, Cleared) or destination.purpose is not Purpose.TRANSFER:
        raise CallInputError("expected a destination that the policy cleared for a transfer")
    if destination.kind is Kind.QUEUE:
        raise CallInputError("a queue cannot be rung: expected a number, SIP address or client")
    to = destination.address if destination.kind is Kind.NUMBER else destination.uri
    if destination.kind is Kind.SIP:
        to = referenced(to, call_sid, headers)
    creating = rest.client.calls.create_async(
        to=to,
        from_=from_number,
        url=whisper_url,
        method="POST",
        status_callback=status_url,
        status_callback_method="POST",
        status_callback_event=["completed"],
        timeout=ring_s,
        **rest.outgoing.parameters(to),
    )
    call = await answered(creating, creating=True)
    return CallInfo(str(call.sid), str(call.status))


async def stop_ringing(rest: TwilioRest, call_sid: str, told_url: str) -> None:
    """End a call that is not answered yet; who has answered goes on to the TwiML at `told_url`. A
    call that is over is no error. Raises `errors.TwilioError`."""
    call = rest.client.calls(checked_sid(call_sid))
    with suppress(_OverError):
        info = await _updated(call.update_async(status="canceled"))
        if info.status != "in-progress":
            return
    with suppress(_OverError):
        await _updated(call.update_async(url=told_url, method="POST"))


async def bring_back(rest: TwilioRest, call_sid: str, url: str) -> bool:
    """Take a caller out of the music, on to the TwiML at `url`. False: the caller has gone."""
    call = rest.client.calls(checked_sid(call_sid))
    try:
        await _updated(call.update_async(url=url, method="POST"))
    except _OverError:
        return False
    return True


class _OverError(Exception):
    """The call is not in a state in which it could be changed so."""


async def _updated(update: Awaitable[Any]) -> CallInfo:
    try:
        call = await answered(update)
    except CallInputError as error:
        if error.code != _NOT_IN_PROGRESS:
            raise
        raise _OverError from error
    return CallInfo(str(call.sid), str(call.status))
