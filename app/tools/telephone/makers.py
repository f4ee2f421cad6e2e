"""The telephone's tools by name."""

from collections.abc import Callable, Mapping
from typing import Final

from app.tools.functions import FunctionTool
from app.tools.telephone import keeping, leaving, refusing, sending, speaking
from app.tools.telephone.crew import Crew, Function

_MAKERS: Final[Mapping[str, Callable[[Crew], Function]]] = {
    "transfer_call": leaving.make_transfer_call,
    "hand_over": speaking.make_hand_over,
    "switch_language": speaking.make_switch_language,
    "send_keys": sending.make_send_keys,
    "leave_voicemail": leaving.make_leave_voicemail,
    "offer_menu": leaving.make_offer_menu,
    "send_sms": sending.make_send_sms,
    "continue_by_text": sending.make_continue_by_text,
    "take_message": keeping.make_take_message,
    "request_callback": keeping.make_request_callback,
    "do_not_call": refusing.make_do_not_call,
}
TELEPHONE_TOOLS: Final = tuple(_MAKERS)


def telephone_tool(name: str, crew: Crew) -> FunctionTool:
    """One of TELEPHONE_TOOLS. Raises ToolLoadError where the agent's file lacks what it needs."""
    return FunctionTool.of(_MAKERS[name](crew))
