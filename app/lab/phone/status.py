"""Status callbacks: the life of a call, told to the bot's web server in order."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal, TypeAlias

from app.lab.phone.call import LiveCall
from app.lab.phone.identity import ENDED, CallIdentity, CallStatus
from app.lab.phone.report import RequestPurpose, RequestRecord
from app.lab.phone.webhook import Method, WebhookFailed, Webhooks

StatusEvent: TypeAlias = Literal["initiated", "ringing", "answered", "completed"]
EVENTS: tuple[StatusEvent, ...] = ("initiated", "ringing", "answered", "completed")

SIP_CODES: Mapping[CallStatus, str] = {
    "completed": "200",
    "busy": "486",
    "no-answer": "480",
    "failed": "503",
    "canceled": "487",
}


@dataclass(frozen=True, slots=True)
class StatusCallback:
    url: str
    method: Method = "POST"
    events: tuple[StatusEvent, ...] = ("completed",)
    """Terminal states of every kind come under `completed`."""


def event_of(status: CallStatus) -> StatusEvent | None:
    """What a subscriber must have asked for to be told of this status; None: it is never told."""
    if status in ("initiated", "ringing"):
        return status
    if status == "in-progress":
        return "answered"
    return "completed" if status in ENDED else None


def progress(
    identity: CallIdentity, status: CallStatus, sequence: int, seconds: int, sip_code: str = ""
) -> dict[str, str]:
    """The fields of a status callback. `seconds`: how long the call has lasted since its answer;
    `sip_code`: the called party's own, where it is not what the status says."""
    parameters = identity.standard(status) | {
        "Timestamp": format_datetime(datetime.now(UTC)),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(sequence),
    }
    if status in ENDED:
        parameters["SipResponseCode"] = sip_code or SIP_CODES[status]
        parameters["CallDuration"] = str(seconds)
        parameters["Duration"] = str(-(-seconds // 60))
    return parameters


class Callbacks:
    """Sends a call's callbacks one after another, beside the call itself.

    An answer other than 2xx is an error in the report; Twilio does not retry either.
    """

    def __init__(self, call: LiveCall, webhooks: Webhooks, status: StatusCallback | None) -> None:
        self._call = call
        self._webhooks = webhooks
        self._status = status
        self.sip_code = ""
        """The called party's own final response, where it is not what its status says."""
        self._sequence = 0
        self._waiting: asyncio.Queue[_Callback | None] = asyncio.Queue()
        self._worker = asyncio.ensure_future(self._work())

    def set_status(self, status: CallStatus) -> None:
        """The call enters a state; tell whoever subscribed to it."""
        self._call.status = status
        self._call.tell("status", status)
        if self._status is not None and event_of(status) in self._status.events:
            parameters = self._describe(status)
            self.send("status", self._status.url, self._status.method, parameters)

    def send(
        self,
        purpose: RequestPurpose,
        url: str,
        method: Method,
        parameters: Mapping[str, str],
    ) -> None:
        self._waiting.put_nowait(_Callback(purpose, url, method, parameters))

    async def drain(self) -> None:
        """Wait until everything was sent; then no more can be."""
        self._waiting.put_nowait(None)
        await self._worker

    def _describe(self, status: CallStatus) -> dict[str, str]:
        seconds = round(self._call.now_ms / 1000)
        parameters = progress(self._call.identity, status, self._sequence, seconds, self.sip_code)
        self._sequence += 1
        return parameters

    async def _work(self) -> None:
        while (callback := await self._waiting.get()) is not None:
            status: int | None = None
            try:
                answer = await self._webhooks.request(
                    callback.url, callback.parameters, method=callback.method
                )
                status = answer.status
            except WebhookFailed as error:
                self._call.error(error.code, f"{callback.purpose} callback: {error.detail}")
            self._call.report.requests.append(
                RequestRecord(callback.purpose, callback.url, callback.parameters, status)
            )


@dataclass(frozen=True, slots=True)
class _Callback:
    purpose: RequestPurpose
    url: str
    method: Method
    parameters: Mapping[str, str]
