"""The tool by which a person is never called again."""

from app.tools.functions import tool as as_tool
from app.tools.idempotency import IdempotencyKey
from app.tools.telephone.crew import Crew, Function
from app.tools.telephone.the_line import require, the_line


def make_do_not_call(crew: Crew) -> Function:
    @as_tool(
        idempotent=True,
        description=(
            "Put the person on the list of those who are never called again. Call it at once when "
            "they ask for that in any words; do not ask why or try to change their mind. Then tell "
            "them that they will not be called again."
        ),
    )
    async def do_not_call(key: IdempotencyKey) -> dict[str, bool]:
        _, line = the_line()
        require(await line.never_call(str(key)))
        return {"ok": True}

    return do_not_call
