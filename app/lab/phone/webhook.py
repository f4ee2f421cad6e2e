"""Requests to the bot's web server as Twilio makes them: signed forms, 15 s, no retry."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from app.lab.phone.signing import signature, without_fragment

TOTAL_LIMIT_S = 15.0
CONNECT_LIMIT_S = 10.0

HTTP_RETRIEVAL_FAILURE = 11200
CONNECTION_FAILURE = 11205

Method: TypeAlias = Literal["POST", "GET"]


class WebhookFailed(Exception):
    """The bot's web server did not answer as it must; `code` is the error that Twilio reports."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    status: int
    content_type: str
    body: bytes


def read_method(text: str | None) -> Method:
    """TwiML's and REST's `method`: POST unless it says GET."""
    return "GET" if (text or "").upper() == "GET" else "POST"


class Webhooks:
    """Sends the requests of one call. Raises WebhookFailed; never follows a redirect."""

    def __init__(self, session: aiohttp.ClientSession, auth_token: str) -> None:
        self._session = session
        self._auth_token = auth_token

    async def request(
        self, url: str, parameters: Mapping[str, str], *, method: Method = "POST", token: str = ""
    ) -> WebhookAnswer:
        """`token`: of a copy of an earlier request, which Twilio marks with the same one."""
        url = without_fragment(url)
        fields: Mapping[str, str] | None = parameters
        if method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(parameters)
            fields = None
        headers = {
            "X-Twilio-Signature": signature(self._auth_token, url, fields),
            "I-Twilio-Idempotency-Token": token or str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        body = None if fields is None else urlencode(fields).encode()
        return await self._exchange(method, url, headers, body)

    async def _exchange(
        self, method: Method, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> WebhookAnswer:
        try:
            # encoded=True: the signature covers the URL as it stands, so nothing may requote it.
            target = URL(url, encoded=True)
            async with self._session.request(
                method,
                target,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TOTAL_LIMIT_S, connect=CONNECT_LIMIT_S),
            ) as response:
                answer = WebhookAnswer(
                    response.status, response.content_type, await response.read()
                )
        except (aiohttp.InvalidURL, ValueError) as error:
            raise WebhookFailed(HTTP_RETRIEVAL_FAILURE, f"not an http(s) URL: {url!r}") from error
        except TimeoutError as error:
            raise WebhookFailed(CONNECTION_FAILURE, "no answer within 15 s") from error
        except aiohttp.ClientError as error:
            raise WebhookFailed(CONNECTION_FAILURE, f"no answer: {error}") from error
        if not 200 <= answer.status < 300:
            raise WebhookFailed(
                HTTP_RETRIEVAL_FAILURE, f"expected HTTP 200 from {method}, got {answer.status}"
            )
        return answer
