"""Telnyx' REST API, as far as calls need it: hang one up.

Source: Telnyx docs, "Call commands: hangup"; a call that is over already is answered with 422 and
the code 90018.
"""

import asyncio
import logging
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

_log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
WAITS_S: Final = (0.5, 2.0)
"""Before each further attempt."""
TOO_MANY: Final = 429
_ENDED: Final = "90018"


class _Error(Struct):
    code: str = ""


class _Errors(Struct):
    errors: list[_Error]


class TelnyxRest:
    """A client for one account. Calls end now and then, so no connection is kept."""

    def __init__(self, api_key: str, api_url: str, *, waits_s: tuple[float, ...] = WAITS_S) -> None:
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._api_url = api_url.rstrip("/")
        self._waits_s = waits_s

    async def hang_up(self, call_control_id: str, call_id: str) -> bool:
        """False: it may go on, and the log says so. Asked again it does nothing twice."""
        path = f"/v2/calls/{quote(call_control_id, safe='')}/actions/hangup"
        why = ""
        for wait_s in (0.0, *self._waits_s):
            await asyncio.sleep(wait_s)
            try:
                status, body = await self._post(path)
            except (aiohttp.ClientError, TimeoutError) as error:
                why = type(error).__name__
                continue
            if status < 300 or (status == 422 and _ended(body)):
                return True
            why = str(status)
            if status < 500 and status != TOO_MANY:
                break
        fields = {"call": call_id, "why": why}
        _log.error("a call could not be hung up", extra={"fields": fields})
        return False

    async def _post(self, path: str) -> tuple[int, bytes]:
        url, limit = URL(self._api_url + path, encoded=True), aiohttp.ClientTimeout(TIMEOUT_S)
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=limit) as session,
            session.post(url, json={}) as answer,
        ):
            return answer.status, await answer.read()


def _ended(body: bytes) -> bool:
    try:
        errors = msgspec.json.decode(body, type=_Errors, strict=False).errors
    except msgspec.DecodeError:
        return False
    return any(error.code == _ENDED for error in errors)
