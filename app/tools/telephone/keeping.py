"""Tools that keep what a caller leaves for the operator."""

from typing import Annotated

from pydantic import Field

from app.tools.functions import tool as as_tool
from app.tools.idempotency import IdempotencyKey
from app.tools.telephone.crew import Crew, Function
from app.tools.telephone.the_line import require, the_line


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
        about: Annotated[str, Field(max_length=1_000)] = "",
        number: Annotated[
            str, Field(description="if not where they call from", max_length=40)
        ] = "",
    ) -> dict[str, bool]:
        _, line = the_line()
        fields = {"kind": "callback", "when": when, "about": about, "number": number}
        require(await line.keep_message(fields, str(key)))
        return {"ok": True}

    return request_callback
