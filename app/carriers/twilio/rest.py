"""Twilio's REST API, as far as calls need it: place one, end one, look at one.

The `twilio` package does the talking. What it leaves open is closed here: its async client waits
for ever (version 9.13 ignores the timeout that it is given), and nothing is retried, because
creating a call is not idempotent: a second try may ring the same person twice.
"""

import base64
import json
import re
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from app.call.events import OnAnswer
from app.carriers.twilio.caller import (
    ON_ANSWER_QUERY,
    VARIABLES_QUERY,
    FactSeals,
    MessageTooLongError,
    TooManyVariablesError,
)
from app.carriers.twilio.errors import CallInputError, VendorError, from_transport, from_twilio
from app.carriers.twilio.outgoing import PLAIN, Outgoing
from app.carriers.twilio.public_url import AMD_PATH, STATUS_PATH, VOICE_PATH, PublicUrl
from app.carriers.twilio.sip_reference import MOST_HEADER_CHARS

STATUS_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_SIP: Final = re.compile(r"sips?:[^\s@<>\"]+@[^\s@<>\"]+\Z", re.IGNORECASE)
_SIP_CALLER: Final = re.compile(r"[A-Za-z0-9+._-]{1,64}\Z")
_CALL_SID: Final = re.compile(r"CA[0-9a-fA-F]{32}\Z")
_MOST_SIP_CHARACTERS: Final = 254
_MOST_RING_S: Final = 600
_CALL_ENDED: Final = 21220
_MOST_RETRY_S: Final = 3_600
_retry_after_s: ContextVar[float | None] = ContextVar("retry_after_s", default=None)
"""What the answer to the request under way says; the `twilio` package's errors leave it out."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CallInfo:
    """A call as Twilio sees it now."""

    call_sid: str
    status: str
    direction: str = ""
    duration_s: int | None = None
    answered_by: str = ""


class TwilioRest:
    """A client for one account; use it as `async with TwilioRest(...) as rest`.

    `public_url`: where Twilio finds our webhooks. `api_url`: another API address, for the lab.
    `timeout_s`: for a whole request, connecting included. `outgoing`: of calls that are placed.
    All methods raise `errors.TwilioError`; see its subclasses for who can mend what.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        public_url: str,
        api_url: str = "",
        timeout_s: float = 10.0,
        outgoing: Outgoing = PLAIN,
    ) -> None:
        self.outgoing = outgoing
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._public_url = PublicUrl.parse(public_url)
        self._api_url = api_url
        self._timeout_s = timeout_s
        self._http: _BoundedHttp | None = None
        self._client: Any = None

    async def __aenter__(self) -> "TwilioRest":
        self._http = _BoundedHttp(self._timeout_s)
        self._client = Client(
            self._account_sid,
            self._auth_token,
            http_client=self._http,
            # TWILIO_EDGE and TWILIO_REGION rewrite host names; a given address stays as it is.
            environment={"TWILIO_ACCOUNT_SID": self._account_sid} if self._api_url else None,
        )
        if self._api_url:
            self._client.api.base_url = self._api_url
        if self._api_url and not is_twilios(self._api_url):
            self._client.voice.base_url = self._client.trunking.base_url = self._api_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()
        self._http = self._client = None

    async def place_call(
        self,
        to: str,
        from_: str,
        agent: str,
        *,
        ring_s: int = 60,
        most_s: int | None = None,
        variables: Mapping[str, str] | None = None,
        on_answer: OnAnswer | None = None,
    ) -> CallInfo:
        """Call `to` (E.164 or sip:) and connect whoever answers to `agent`.

        `ring_s`: how long it may ring, 1 to 600. `most_s`: length after which Twilio ends the call.
        `variables`: what the agent's file may name in `{{...}}`; only our webhook can read them.
        `on_answer`: have Twilio find out who answers, beside the call, and do this about a machine.
        Sent once: when the error says `outcome_unknown`, wait for the status callback.
        """
        check_numbers(to, from_)
        if not 1 <= ring_s <= _MOST_RING_S:
            raise CallInputError(f"expected 1 to {_MOST_RING_S} s of ringing, got {ring_s}")
        limit = {} if most_s is None else {"time_limit": most_s}
        creating = self._calls().create_async(
            to=to,
            from_=from_,
            url=self._public_url.webhook(VOICE_PATH, self.voice_query(agent, variables, on_answer)),
            method="POST",
            status_callback=self._public_url.webhook(STATUS_PATH),
            status_callback_method="POST",
            status_callback_event=list(STATUS_EVENTS),
            timeout=ring_s,
            **self.outgoing.parameters(to),
            **limit,
            **(self._detection() if on_answer is not None else {}),
        )
        return _info(await answered(creating, creating=True), creating=True)

    def voice_query(
        self,
        agent: str,
        variables: Mapping[str, str] | None,
        on_answer: OnAnswer | None = None,
    ) -> dict[str, str]:
        """Of the voice URL of a call that we place. Raises `CallInputError`."""
        seals, query = FactSeals([self._auth_token]), {"agent": agent}
        try:
            if variables:
                query[VARIABLES_QUERY] = seals.seal_variables(variables)
            if on_answer is not None:
                query[ON_ANSWER_QUERY] = seals.seal_on_answer(on_answer)
        except (TooManyVariablesError, MessageTooLongError) as error:
            raise CallInputError(str(error)) from error
        return query

    def _detection(self) -> dict[str, str]:
        """Asynchronous: whoever answers is talked with meanwhile."""
        return {
            "machine_detection": "DetectMessageEnd",
            "async_amd": "true",
            "async_amd_status_callback": self._public_url.webhook(AMD_PATH),
            "async_amd_status_callback_method": "POST",
        }

    async def end_call(self, call_sid: str) -> None:
        """Hang up a call that was answered. One that has ended already is no error."""
        calls = self._calls(checked_sid(call_sid))
        try:
            await answered(calls.update_async(status="completed"))
        except CallInputError as error:
            if error.code != _CALL_ENDED:
                raise

    async def fetch_call(self, call_sid: str) -> CallInfo:
        """The call's present state."""
        return _info(await answered(self._calls(checked_sid(call_sid)).fetch_async()))

    @property
    def client(self) -> Any:
        """The `twilio` package's own, for what is not of calls: its requests are bounded as well.
        What it raises is told apart by `answered`."""
        if self._client is None:
            raise RuntimeError("TwilioRest is closed; use it inside `async with`")
        return self._client

    @property
    def account_sid(self) -> str:
        return self._account_sid

    @property
    def public_url(self) -> PublicUrl:
        return self._public_url

    def _calls(self, call_sid: str = "") -> Any:
        return self.client.calls(call_sid) if call_sid else self.client.calls


class _BoundedHttp:
    """The HTTP client that the `twilio` package is given: its own, with every request bounded."""

    is_async: Final = True

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._inner = AsyncTwilioHttpClient()

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the package's own signature
        allow_redirects: bool = False,
    ) -> Response:
        sent = dict(headers or {})
        if auth is not None:
            # The package would use aiohttp's BasicAuth, which aiohttp is about to remove.
            pair = base64.b64encode(":".join(auth).encode()).decode("ascii")
            sent["Authorization"] = f"Basic {pair}"
        timeout_s = self._timeout_s if timeout is None else timeout
        answer = await self._inner.request(
            method, url, params, data, sent, None, timeout_s, allow_redirects
        )
        _retry_after_s.set(_seconds((answer.headers or {}).get("Retry-After", "")))
        return answer

    async def close(self) -> None:
        await self._inner.close()


async def answered(request: Awaitable[_T], *, creating: bool = False) -> _T:
    """The answer to a request of the `twilio` package. `creating`: sent twice it would take effect
    twice. Raises `errors.TwilioError`."""
    _retry_after_s.set(None)
    try:
        return await request
    except TwilioException as error:
        after_s = _retry_after_s.get()
        raise from_twilio(error, creating=creating, retry_after_s=after_s) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise from_transport(error, creating=creating) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        text = "expected JSON from Twilio; is the API address right?"
        raise VendorError(text, outcome_unknown=creating) from error


def is_twilios(url: str) -> bool:
    """Twilio has a host for each of its APIs; the lab has one for all."""
    return (urlsplit(url).hostname or "").endswith(".twilio.com")


def _seconds(text: str) -> float | None:
    """Of a Retry-After; the date that it may be instead is not looked at."""
    return min(float(text), _MOST_RETRY_S) if text.isascii() and text.isdigit() else None


def _info(call: Any, *, creating: bool = False) -> CallInfo:
    if not call.sid or not call.status:
        text = "expected a call with sid and status from Twilio"
        raise VendorError(text, outcome_unknown=creating)
    duration = str(call.duration or "")
    return CallInfo(
        str(call.sid),
        str(call.status),
        str(call.direction or ""),
        int(duration) if duration.isdigit() else None,
        str(call.answered_by or ""),
    )


def check_numbers(to: str, from_: str) -> None:
    """Raises `CallInputError` for parties that no call can connect. Its words do not repeat the
    numbers: they end up in logs."""
    if _E164.match(to):
        if not _E164.match(from_):
            raise CallInputError("expected the calling number as E.164, like +14155550100")
        return
    address, _, headers = to.partition("?")
    if not _SIP.match(to) or len(address) > _MOST_SIP_CHARACTERS:
        raise CallInputError(
            "expected the number to call as E.164, like +14155550100, or as sip:user@host"
        )
    if len(headers) > MOST_HEADER_CHARS:
        raise CallInputError(
            f"expected at most {MOST_HEADER_CHARS} characters of SIP headers, got {len(headers)}"
        )
    if not _SIP_CALLER.match(from_):
        raise CallInputError("expected a number or a name of letters, digits and +-_. as caller")


def checked_sid(call_sid: str) -> str:
    """Raises `CallInputError` for what is no CallSid."""
    if not _CALL_SID.match(call_sid):
        raise CallInputError("expected a CallSid: CA and 32 hexadecimal digits")
    return call_sid
