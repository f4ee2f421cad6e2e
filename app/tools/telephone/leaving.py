"""Tools by which a caller leaves the model: for a person, for a voicemail, for a menu of keys."""

from secrets import token_hex
from typing import Annotated, Final

from pydantic import Field

from app.call.events import Effect
from app.onward.plan import MOST_BRIEF_CHARS, Plan
from app.tools.current_call import Place, current_call
from app.tools.doing import Doing
from app.tools.errors import ToolLoadError
from app.tools.functions import tool as as_tool
from app.tools.telephone.crew import Crew, Function, choice, listed
from app.tools.telephone.the_line import require, the_line

CONNECTING: Final = (
    "Tell the caller in one short sentence that you are putting them through. Call no tool."
)
TO_VOICEMAIL: Final = (
    "Tell the caller in one short sentence that they can leave a message now. Call no tool."
)
TO_MENU: Final = (
    "Tell the caller in one short sentence that they can choose by the keys now. Call no tool."
)


def make_transfer_call(crew: Crew) -> Function:
    if not crew.transfers:
        raise ToolLoadError("transfer_call: expected a table [transfers.NAME], there is none.")
    when = {key: way.when for key, way in crew.transfers.items()}

    async def transfer_call(to: str, brief: str = "") -> Doing:
        call, line = the_line()
        require(await line.may_transfer(to))
        plan = Plan("transfer", to, call.agent, brief.strip()[:MOST_BRIEF_CHARS], token_hex(4))
        result = {"ok": True, "status": "connecting", "to": crew.transfers[to].name}
        return Doing(result, Effect("leave", plan.packed(), CONNECTING))

    transfer_call.__annotations__ = {
        "to": Annotated[choice(tuple(when)), Field(description=listed(when))],
        "brief": Annotated[
            str,
            Field(description="Who calls and what they want, for the person, in one sentence"),
        ],
        "return": Doing,
    }
    return as_tool(
        description=(
            "Put the caller through to a person. Say in the same answer that you do. If it does "
            "not work, the caller comes back to you and you are told why."
        )
    )(transfer_call)


def make_leave_voicemail(crew: Crew) -> Function:
    if not crew.voicemail:
        raise ToolLoadError("leave_voicemail: expected a table [voicemail], there is none.")

    @as_tool(
        description=(
            "Let the caller leave a spoken message after a tone; the call ends with it. Say in the "
            "same answer that they can."
        )
    )
    async def leave_voicemail() -> Doing:
        return await _leaving("voicemail", TO_VOICEMAIL)

    return leave_voicemail


def make_offer_menu(crew: Crew) -> Function:
    if not crew.menu:
        raise ToolLoadError(
            "offer_menu: expected something to choose from: a table [menu], ladder.person, "
            "[voicemail] or [sms]; there is none."
        )

    @as_tool(
        description=(
            "Let the caller go on by keys instead of speaking, from a short menu. For callers who "
            "would rather type, or whom you cannot understand."
        )
    )
    async def offer_menu() -> Doing:
        return await _leaving("menu", TO_MENU)

    return offer_menu


async def _leaving(place: Place, say: str) -> Doing:
    call = current_call()
    if call.line is not None:
        require(await call.line.may_leave_for(place))
    plan = Plan(place, agent=call.agent, run=token_hex(4))
    return Doing({"ok": True}, Effect("leave", plan.packed(), say))
