"""What is asked of OpenAI about a call: take it, do not, send it elsewhere, end it
(openai-python, `resources/realtime/calls.py`).

Every request is bounded in time and is made once, but for a hang-up, which may be made again
without harm, and must be: a call that nobody ends goes on for an hour. What comes back is one of
three words: done, gone (the caller has given up or the call is over), failed.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from openai import APIConnectionError, APIStatusError, AsyncOpenAI, OpenAIError

from app.carriers.openai_sip.answers import SIP_CODES, Why
from app.policy.destinations import Cleared, Kind

_log = logging.getLogger(__name__)

TIMEOUT_S: Final = 8.0
"""The caller hears it ring meanwhile."""
WAITS_S: Final = (0.5, 2.0, 5.0)
"""Before each further attempt to hang up."""
GONE: Final = frozenset({404, 409, 410})
"""Statuses that say that there is no such call to act on. Which one OpenAI sends is not documented;
none of them is cured by asking again. 400 says that what was asked is wrong."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,63}")

Done: TypeAlias = Literal["done", "gone", "failed"]


@dataclass(frozen=True, slots=True)
class Calls:
    """One for a worker. `client` retries nothing by itself."""

    client: AsyncOpenAI
    timeout_s: float = TIMEOUT_S
    waits_s: tuple[float, ...] = WAITS_S

    async def accept(self, call_id: str, session: Mapping[str, object]) -> Done:
        """`session`: a whole session's configuration, with its `type`."""
        calls, whole = self.client.realtime.calls, cast("dict[str, Any]", dict(session))
        return await self._ask("accept", call_id, lambda: calls.accept(call_id, **whole))

    async def reject(self, call_id: str, why: Why) -> Done:
        calls, code = self.client.realtime.calls, SIP_CODES[why]
        return await self._ask(
            "reject",
            call_id,
            lambda: calls.reject(call_id, status_code=code),
        )

    async def refer(self, call_id: str, target: Cleared) -> Done:
        """ "done": the caller's side was asked to call there; whether it does is not told. "gone":
        the caller may be there all the same, if it is the REFER that was refused so."""
        uri = refer_uri(target)
        if not uri:
            return "failed"
        calls = self.client.realtime.calls
        return await self._ask(
            "refer",
            call_id,
            lambda: calls.refer(call_id, target_uri=uri),
        )

    async def hang_up(self, call_id: str) -> Done:
        calls = self.client.realtime.calls

        async def ask() -> Done:
            return await self._ask("hangup", call_id, lambda: calls.hangup(call_id))

        done = await ask()
        for wait_s in self.waits_s:
            if done != "failed":
                break
            await asyncio.sleep(wait_s)
            done = await ask()
        return done

    async def _ask(self, what: str, call_id: str, ask: Callable[[], Awaitable[None]]) -> Done:
        try:
            # The SDK's own limit holds for each step of a request, and not for all of it.
            async with asyncio.timeout(self.timeout_s):
                await ask()
        except TimeoutError:
            self._failed(what, call_id, "no answer in time")
        except APIStatusError as error:
            if error.status_code in GONE:
                fields = {"what": what, "call": call_id, "status": error.status_code}
                _log.info("OpenAI knows no such call any more", extra={"fields": fields})
                return "gone"
            self._failed(what, call_id, _named(error))
        except APIConnectionError as error:
            self._failed(what, call_id, type(error.__cause__ or error).__name__)
        except OpenAIError as error:
            self._failed(what, call_id, type(error).__name__)
        else:
            return "done"
        return "failed"

    def _failed(self, what: str, call_id: str, why: str) -> None:
        fields = {"what": what, "call": call_id, "error": why}
        _log.error("OpenAI did not do what was asked of a call", extra={"fields": fields})


def _named(error: APIStatusError) -> str:
    """Its status and, where they look like names, its code and the field that it is about."""
    code, param = (str(text or "") for text in (error.code, error.param))
    found = f"HTTP {error.status_code}"
    if _NAME.fullmatch(code):
        found += f", {code}"
    return f"{found} at {param}" if _NAME.fullmatch(param) else found


def refer_uri(target: Cleared) -> str:
    """As REFER takes it; "" for what has no address outside the carrier that knows it."""
    if target.kind is Kind.NUMBER:
        return f"tel:{target.address}"
    return target.uri if target.kind is Kind.SIP else ""
