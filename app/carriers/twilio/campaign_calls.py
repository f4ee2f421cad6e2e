"""Calls that a campaign has placed, each named by its attempt: placed once, found again, ended.

The attempt's id travels in the voice URL and in both callback URLs, so Twilio brings it back,
signed, with everything that it tells of the call. Its REST API does not: the list of calls has no
URLs. There a call can be told only by its numbers and its time.

Source of the wire facts: Twilio docs, Call resource, answering machine detection and "Connection
overrides".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.call.events import OnAnswer
from app.carriers.twilio.errors import CallInputError, VendorError
from app.carriers.twilio.public_url import AMD_PATH, STATUS_PATH, VOICE_PATH
from app.carriers.twilio.rest import STATUS_EVENTS, TwilioRest, answered, check_numbers, checked_sid

ATTEMPT_QUERY: Final = "attempt"
"""Name in the query of the URLs of a call that a campaign has placed."""
CALLBACK_AGAIN: Final = "#rc=3&rp=all"
"""Has Twilio send a callback again that was not taken; it is part neither of the request nor of
the signature."""
CLOCKS_MS: Final = 30_000
"""How far Twilio's clock and ours may be apart. Its times are whole seconds besides."""

_ATTEMPT: Final = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
_PAGE: Final = 1_000
_MOST_CALLS: Final = 10_000
_ENDED: Final = 21220
_NO_SUCH_CALL: Final = 20404
_MOST_RING_S: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCall:
    """What is to be placed. `ring_s`: 1 to 600."""

    attempt_id: str
    to: str
    from_: str
    agent: str
    ring_s: int
    detect_machine: bool
    variables: Mapping[str, str]
    byoc: str = ""
    """The BYOC trunk by which it leaves; "": that of all calls."""
    on_answer: OnAnswer | None = None
    """What is done about a machine; None: as with a person."""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call as Twilio knows it now; `created_ms` is Unix time, to the second."""

    call_sid: str
    status: str
    created_ms: int
    answered_by: str = ""
    duration_s: int | None = None


def read_attempt(query: Mapping[str, str]) -> str:
    """The attempt in a URL's query; "" where there is none."""
    attempt = query.get(ATTEMPT_QUERY, "")
    return attempt if _ATTEMPT.match(attempt) else ""


class CampaignCalls:
    """Of one account. All methods raise `errors.TwilioError`."""

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def place(self, call: AttemptCall) -> str:
        """The CallSid. One request, and never a second one: where the error says
        `outcome_unknown`, the call may be there."""
        check_numbers(call.to, call.from_)
        if not _ATTEMPT.match(call.attempt_id):
            raise CallInputError("expected an attempt id of 1 to 40 letters, digits, - and _")
        if not 1 <= call.ring_s <= _MOST_RING_S:
            raise CallInputError(f"expected 1 to {_MOST_RING_S} s of ringing, got {call.ring_s}")
        url, attempt = self._rest.public_url, {ATTEMPT_QUERY: call.attempt_id}
        query = self._rest.voice_query(call.agent, call.variables, call.on_answer)
        creating = self._rest.client.calls.create_async(
            to=call.to,
            from_=call.from_,
            url=url.webhook(VOICE_PATH, query | attempt),
            method="POST",
            status_callback=url.webhook(STATUS_PATH, attempt) + CALLBACK_AGAIN,
            status_callback_method="POST",
            status_callback_event=list(STATUS_EVENTS),
            timeout=call.ring_s,
            **self._rest.outgoing.parameters(call.to, call.byoc),
            **self._detection(call, attempt),
        )
        return _known(await answered(creating, creating=True), creating=True).call_sid

    def _detection(self, call: AttemptCall, attempt: dict[str, str]) -> dict[str, str]:
        """Beside the call, so that a person never waits for it; of a machine it tells when its
        greeting is over."""
        if not call.detect_machine:
            return {}
        return {
            "machine_detection": "DetectMessageEnd",
            "async_amd": "true",
            "async_amd_status_callback": self._rest.public_url.webhook(AMD_PATH, attempt)
            + CALLBACK_AGAIN,
            "async_amd_status_callback_method": "POST",
        }

    async def between(self, to: str, from_: str, since_ms: int) -> list[KnownCall]:
        """All calls between these numbers that were created at `since_ms` (Unix ms) or later, or
        up to `CLOCKS_MS` before it. A new one may be missing for some seconds.

        Twilio is asked for both numbers only: a filter by StartTime would leave out what was not
        dialled yet, which waits where more calls are placed than may be dialled in a second.
        """
        calls = self._rest.client.calls
        listing = calls.list_async(to=to, from_=from_, limit=_MOST_CALLS, page_size=_PAGE)
        found = [_known(call) for call in await answered(listing)]
        if len(found) == _MOST_CALLS:
            raise VendorError(f"expected fewer than {_MOST_CALLS} calls between two numbers")
        return [call for call in found if call.created_ms >= since_ms - CLOCKS_MS]

    async def fetch(self, call_sid: str) -> KnownCall | None:
        """None: there is no such call."""
        one = self._rest.client.calls(checked_sid(call_sid))
        try:
            return _known(await answered(one.fetch_async()))
        except CallInputError as error:
            if error.code != _NO_SUCH_CALL:
                raise
            return None

    async def end(self, call_sid: str) -> None:
        """Hang up, or stop its ringing. One that is over is no error."""
        one = self._rest.client.calls(checked_sid(call_sid))
        # The first ends calls that were answered, the second those that were not.
        for status in ("completed", "canceled"):
            try:
                await answered(one.update_async(status=status))
                return
            except CallInputError as error:
                if error.code != _ENDED:
                    raise


def _known(call: Any, *, creating: bool = False) -> KnownCall:
    created: datetime | None = call.date_created
    if not (call.sid and call.status and (created or creating)):
        text = "expected a call with sid, status and date_created from Twilio"
        raise VendorError(text, outcome_unknown=creating)
    duration = str(call.duration or "")
    return KnownCall(
        str(call.sid),
        str(call.status),
        int(created.timestamp() * 1000) if created else 0,
        str(call.answered_by or ""),
        int(duration) if duration.isdigit() else None,
    )
