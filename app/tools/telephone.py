"""The telephone's own tools: put through, hand over, other language, keys, texts, messages.

They are functions like any other tool; what they may do is decided by the call's line, outside the
model. Which ones there are, and whom they may name, is in the agent's file.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from app.call.events import Effect
from app.onward.plan import MOST_BRIEF_CHARS, Plan
from app.onward.ways import Way
from app.tools.current_call import CurrentCall, Line, current_call
from app.tools.doing import Doing
from app.tools.errors import ToolError, ToolLoadError
from app.tools.functions import FunctionTool
from app.tools.functions import tool as as_tool
from app.tools.idempotency import IdempotencyKey

TELEPHONE_TOOLS: Final = (
    "transfer_call",
    "hand_over",
    "switch_language",
    "send_keys",
    "leave_voicemail",
    "offer_menu",
    "send_sms",
    "continue_by_text",
    "take_message",
    "request_callback",
)
CONNECTING: Final = (
    "Tell the caller in one short sentence that you are putting them through. Call no tool."
)
TO_VOICEMAIL: Final = (
    "Tell the caller in one short sentence that they can leave a message now. Call no tool."
)
TO_MENU: Final = (
    "Tell the caller in one short sentence that they can choose by the keys now. Call no tool."
)
MOST_KEYS: Final = 40
_KEYS: Final = re.compile(r"[0-9A-D*#w]+")


@dataclass(frozen=True, slots=True)
class Crew:
    """Whom and what an agent's telephone tools may name."""

    transfers: Mapping[str, Way] = field(default_factory=dict)
    colleagues: Mapping[str, str] = field(default_factory=dict)
    """Other agents: name -> what they are for."""
    languages: tuple[str, ...] = ()
    voicemail: bool = False
    menu: bool = False


def telephone_tool(name: str, crew: Crew) -> FunctionTool:
    """One of TELEPHONE_TOOLS. Raises ToolLoadError where the agent's file lacks what it needs."""
    return FunctionTool.of(_MAKERS[name](crew))


def _line() -> tuple[CurrentCall, Line]:
    call = current_call()
    if call.line is None:
        raise ToolError("The telephone cannot do that on this call.")
    return call, call.line


def _require(refusal: str) -> None:
    if refusal:
        raise ToolError(refusal)


def _choice(names: Mapping[str, str] | tuple[str, ...]) -> Any:
    return Literal[tuple(names)]


def _listed(lines: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {when}" if when else name for name, when in lines.items())


# Leaving the model


def _transfer_call(crew: Crew) -> Callable[..., Any]:
    if not crew.transfers:
        raise ToolLoadError("transfer_call: expected a table [transfers.NAME], there is none.")
    when = {key: way.when for key, way in crew.transfers.items()}

    async def transfer_call(to: str, brief: str = "") -> Doing:
        call, line = _line()
        _require(await line.may_transfer(to))
        plan = Plan("transfer", to, call.agent, brief.strip()[:MOST_BRIEF_CHARS], token_hex(4))
        result = {"ok": True, "status": "connecting", "to": crew.transfers[to].name}
        return Doing(result, Effect("leave", plan.packed(), CONNECTING))

    transfer_call.__annotations__ = {
        "to": Annotated[_choice(tuple(when)), Field(description=_listed(when))],
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


def _leave_voicemail(crew: Crew) -> Callable[..., Any]:
    if not crew.voicemail:
        raise ToolLoadError("leave_voicemail: expected a table [voicemail], there is none.")

    @as_tool(
        description=(
            "Let the caller leave a spoken message after a tone; the call ends with it. Say in the "
            "same answer that they can."
        )
    )
    async def leave_voicemail() -> Doing:
        plan = Plan("voicemail", agent=current_call().agent, run=token_hex(4))
        return Doing({"ok": True}, Effect("leave", plan.packed(), TO_VOICEMAIL))

    return leave_voicemail


def _offer_menu(crew: Crew) -> Callable[..., Any]:
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
        plan = Plan("menu", agent=current_call().agent, run=token_hex(4))
        return Doing({"ok": True}, Effect("leave", plan.packed(), TO_MENU))

    return offer_menu


# Who speaks


def _hand_over(crew: Crew) -> Callable[..., Any]:
    if not crew.colleagues:
        raise ToolLoadError("hand_over: expected names of agents in colleagues, there are none.")

    async def hand_over(to: str) -> Doing:
        return Doing({"ok": True, "to": to}, Effect("agent", to))

    hand_over.__annotations__ = {
        "to": Annotated[
            _choice(tuple(crew.colleagues)), Field(description=_listed(crew.colleagues))
        ],
        "return": Doing,
    }
    return as_tool(
        description=(
            "Hand the call to a colleague, who knows everything that was said. Tell the caller so "
            "in the same answer, and say nothing more after it."
        )
    )(hand_over)


def _switch_language(crew: Crew) -> Callable[..., Any]:
    if not crew.languages:
        raise ToolLoadError("switch_language: expected a table [languages.CODE], there is none.")

    async def switch_language(language: str) -> Doing:
        return Doing({"ok": True, "language": language}, Effect("language", language))

    switch_language.__annotations__ = {
        "language": Annotated[_choice(crew.languages), Field(description="two letters, ISO 639-1")],
        "return": Doing,
    }
    return as_tool(
        description="Go on in another language, when the caller asks for it or speaks it."
    )(switch_language)


# What is sent


def _send_keys(crew: Crew) -> Callable[..., Any]:
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


def _send_sms(crew: Crew) -> Callable[..., Any]:
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
        _, line = _line()
        _require(await line.send_text(text, str(key)))
        return {"ok": True}

    return send_sms


def _continue_by_text(crew: Crew) -> Callable[..., Any]:
    @as_tool(
        idempotent=True,
        description=(
            "Go on by text messages with the caller, who would rather type. They get a first "
            "message now and can answer it; say goodbye and hang up then."
        ),
    )
    async def continue_by_text(key: IdempotencyKey) -> dict[str, bool]:
        _, line = _line()
        _require(await line.go_on_by_text(str(key)))
        return {"ok": True}

    return continue_by_text


# What is kept


def _take_message(crew: Crew) -> Callable[..., Any]:
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
        _, line = _line()
        fields = {"kind": "message", "message": message, "name": name, "number": number}
        _require(await line.keep_message(fields, str(key)))
        return {"ok": True}

    return take_message


def _request_callback(crew: Crew) -> Callable[..., Any]:
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
        _, line = _line()
        fields = {"kind": "callback", "when": when, "about": about, "number": number}
        _require(await line.keep_message(fields, str(key)))
        return {"ok": True}

    return request_callback


_MAKERS: Final[Mapping[str, Callable[[Crew], Callable[..., Any]]]] = {
    "transfer_call": _transfer_call,
    "hand_over": _hand_over,
    "switch_language": _switch_language,
    "send_keys": _send_keys,
    "leave_voicemail": _leave_voicemail,
    "offer_menu": _offer_menu,
    "send_sms": _send_sms,
    "continue_by_text": _continue_by_text,
    "take_message": _take_message,
    "request_callback": _request_callback,
}
