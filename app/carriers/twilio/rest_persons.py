"""The other leg of a warm transfer over Twilio's REST API: ring a person, stop ringing, bring the
caller back."""

from typing import Final

from app.carriers.twilio.errors import CallInputError
from app.carriers.twilio.rest import CallInfo, TwilioRest, answered, checked_sid
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
) -> CallInfo:
    """Call somebody whom a caller waits for. Raises `errors.TwilioError`; sent once."""
    if not isinstance(destination, Cleared) or destination.purpose is not Purpose.TRANSFER:
        raise CallInputError("expected a destination that the policy cleared for a transfer")
    if destination.kind is Kind.QUEUE:
        raise CallInputError("a queue cannot be rung: expected a number, SIP address or client")
    to = destination.address if destination.kind is Kind.NUMBER else destination.uri
    creating = rest.client.calls.create_async(
        to=to,
        from_=from_number,
        url=whisper_url,
        method="POST",
        status_callback=status_url,
        status_callback_method="POST",
        status_callback_event=["completed"],
        timeout=ring_s,
    )
    call = await answered(creating, creating=True)
    return CallInfo(str(call.sid), str(call.status))


async def stop_ringing(rest: TwilioRest, call_sid: str) -> None:
    """End a call whatever it is doing; one that has ended already is no error."""
    for status in ("completed", "canceled"):
        try:
            call = rest.client.calls(checked_sid(call_sid))
            await answered(call.update_async(status=status))
            return
        except CallInputError as error:
            if error.code != _NOT_IN_PROGRESS:
                raise


async def bring_back(rest: TwilioRest, call_sid: str, url: str) -> bool:
    """Take a caller out of the music, on to the TwiML at `url`. False: the caller has gone."""
    call = rest.client.calls(checked_sid(call_sid))
    try:
        await answered(call.update_async(url=url, method="POST"))
    except CallInputError as error:
        if error.code != _NOT_IN_PROGRESS:
            raise
        return False
    return True
