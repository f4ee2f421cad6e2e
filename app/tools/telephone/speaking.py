"""Tools that change who speaks, or in which language."""

from typing import Annotated

from pydantic import Field

from app.call.events import Effect
from app.tools.doing import Doing
from app.tools.errors import ToolLoadError
from app.tools.functions import tool as as_tool
from app.tools.telephone.crew import Crew, Function, choice, listed


def make_hand_over(crew: Crew) -> Function:
    if not crew.colleagues:
        raise ToolLoadError("hand_over: expected names of agents in colleagues, there are none.")

    async def hand_over(to: str) -> Doing:
        return Doing({"ok": True, "to": to}, Effect("agent", to))

    hand_over.__annotations__ = {
        "to": Annotated[choice(tuple(crew.colleagues)), Field(description=listed(crew.colleagues))],
        "return": Doing,
    }
    return as_tool(
        description=(
            "Hand the call to a colleague, who knows everything that was said. Tell the caller so "
            "in the same answer, and say nothing more after it."
        )
    )(hand_over)


def make_switch_language(crew: Crew) -> Function:
    if not crew.languages:
        raise ToolLoadError("switch_language: expected a table [languages.CODE], there is none.")

    async def switch_language(language: str) -> Doing:
        return Doing({"ok": True, "language": language}, Effect("language", language))

    switch_language.__annotations__ = {
        "language": Annotated[choice(crew.languages), Field(description="two letters, ISO 639-1")],
        "return": Doing,
    }
    return as_tool(
        description="Go on in another language, when the caller asks for it or speaks it."
    )(switch_language)
