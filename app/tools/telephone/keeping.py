"""Tools that keep what a caller leaves for the operator."""

from typing import Annotated

from pydantic import Field

from app.tools.functions import tool as as_tool
from app.tools.idempotency import IdempotencyKey
from app.tools.telephone.crew import Crew, Function
from app.tools.telephone.the_line import require, the_line

_DAY = (
    r"^(today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    r"|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$"
)
_TIME = r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$"


def make_take_message(crew: Crew) -> Function:
    @as_tool(
        idempotent=True,
        description=(
            "Take a message from the caller for the people you work for. Read it back first."
        ),
    )
    async def take_message(
        message: Annotated[str, Field(min_length=1, max_length=2_000)],
        key: IdempotencyKey,
        name: Annotated[str, Field(description="who it is from", max_length=200)] = "",
        number: Annotated[
            str,
            Field(description="if not where they call from", max_length=40),
        ] = "",
    ) -> dict[str, bool]:
        _, line = the_line()
        fields = {"kind": "message", "message": message, "name": name, "number": number}
        require(await line.keep_message(fields, str(key)))
        return {"ok": True}

    return take_message


def make_request_callback(crew: Crew) -> Function:
    @as_tool(
        idempotent=True,
        description="Note that the caller wants to be called back, and when. Read it back first.",
    )
    async def request_callback(
        when: Annotated[str, Field(description="as the caller said it", max_length=200)],
        key: IdempotencyKey,
        in_minutes: Annotated[
            int, Field(description='for "in half an hour" and the like', ge=0, le=527_040)
        ] = 0,
        day: Annotated[
            str,
            Field(
                description="today, tomorrow, a weekday in English, or a date such as 2026-11-24",
                pattern=_DAY,
            ),
        ] = "",
        time: Annotated[str, Field(description="by their clock, as 15:30", pattern=_TIME)] = "",
        about: Annotated[str, Field(max_length=1_000)] = "",
        number: Annotated[str, Field(description="if not where they are now", max_length=40)] = "",
    ) -> dict[str, bool]:
        _, line = the_line()
        fields = {
            "kind": "callback",
            "when": when,
            "about": about,
            "number": number,
            "in_minutes": str(in_minutes),
            "day": day,
            "time": time,
        }
        require(await line.keep_message(fields, str(key)))
        return {"ok": True}

    return request_callback
