"""Tools that send something: tones on the line, text messages beside it."""

import re
from typing import Annotated, Final

from pydantic import Field

from app.call.events import Effect
from app.tools.doing import Doing
from app.tools.errors import ToolError
from app.tools.functions import tool as as_tool
from app.tools.idempotency import IdempotencyKey
from app.tools.telephone.crew import Crew, Function
from app.tools.telephone.the_line import require, the_line

MOST_KEYS: Final = 40
_KEYS: Final = re.compile(r"[0-9A-D*#w]+")


def make_send_keys(crew: Crew) -> Function:
    @as_tool(
        description=(
            "Press keys on the telephone for the caller's line, such as in another company's menu. "
            "The tones are heard by both sides."
        )
    )
    async def send_keys(
        keys: Annotated[str, Field(description='such as "12#"; w waits half a second')],
    ) -> Doing:
        if len(keys) > MOST_KEYS or not _KEYS.fullmatch(keys):
            raise ToolError(
                f"Expected up to {MOST_KEYS} of the keys 0 to 9, A to D, * and #, and w for half a "
                "second of waiting."
            )
        return Doing({"ok": True}, Effect("keys", keys))

    return send_keys


def make_send_sms(crew: Crew) -> Function:
    @as_tool(
        idempotent=True,
        description=(
            "Send the caller a text message, to the number that they call from. For what is better "
            "read than heard: an address, a code, a link that you were given. Ask first."
        ),
    )
    async def send_sms(
        text: Annotated[str, Field(min_length=1, max_length=600)], key: IdempotencyKey
    ) -> dict[str, bool]:
        _, line = the_line()
        require(await line.send_text(text, str(key)))
        return {"ok": True}

    return send_sms


def make_continue_by_text(crew: Crew) -> Function:
    @as_tool(
        idempotent=True,
        description=(
            "Go on by text messages with the caller, who would rather type. They get a first "
            "message now and can answer it; say goodbye and hang up then."
        ),
    )
    async def continue_by_text(key: IdempotencyKey) -> dict[str, bool]:
        _, line = the_line()
        require(await line.go_on_by_text(str(key)))
        return {"ok": True}

    return continue_by_text
