"""`python -m app.call.drawn > docs/state-machines.md`: a call's machines, from their tables."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from app.call import (
    floor,
    notices,
    opening,
    phases,
    playout,
    relay,
    responses,
    turn_end,
    waiting_sound,
)

State = TypeVar("State", bound=StrEnum)

_HEAD = """\
# State machines of a call

Drawn from the tables in `app/call` by `python -m app.call.drawn`; a test keeps this page fresh.
What is not in a table does not happen.
"""


def page() -> str:
    """The whole page as Markdown with Mermaid diagrams."""
    return "\n".join(
        [
            _HEAD,
            _machine(
                "The call",
                "One call from the open stream to its end. `app/call/phases.py`",
                phases.TRANSITIONS,
            ),
            _machine(
                "The first words",
                "Who greets. `app/call/opening.py`",
                opening.TRANSITIONS,
            ),
            _machine(
                "Notices",
                "What must be heard before all else. `app/call/notices.py`",
                notices.TRANSITIONS,
            ),
            _machine(
                "The floor",
                "The caller's claim on it while the agent speaks. `app/call/floor.py`",
                floor.TRANSITIONS,
            ),
            _machine(
                "The end of the caller's turn",
                "Where we decide it, and not the model. `app/call/turn_end.py`",
                turn_end.TRANSITIONS,
            ),
            _machine(
                "The model's response",
                "One answer at a time; only this machine asks for one. `app/call/responses.py`",
                responses.TRANSITIONS,
            ),
            _machine(
                "The sound of a slow tool",
                "While nobody is heard and a tool runs. `app/call/waiting_sound.py`",
                waiting_sound.TRANSITIONS,
            ),
            _machine(
                "The relay",
                "The call's model sessions, one after the other. `app/call/relay.py`",
                relay.TRANSITIONS,
            ),
            _machine(
                "A generation of bot audio",
                "From its first byte to the verdict on what was heard. `app/call/generation.py`",
                playout.TRANSITIONS,
            ),
        ]
    )


def _machine(title: str, about: str, table: Mapping[tuple[State, str], State]) -> str:
    first = next(iter(table))[0]
    lines = [f"## {title}", "", about, "", "```mermaid", "stateDiagram-v2"]
    lines.append(f"    [*] --> {first}")
    lines += [
        f"    {_name(state)} --> {_name(then)}: {what}" for (state, what), then in table.items()
    ]
    ends = {then for then in table.values()} - {state for state, _ in table}
    lines += [f"    {_name(end)} --> [*]" for end in sorted(ends)]
    return "\n".join([*lines, "```", ""])


def _name(state: StrEnum) -> str:
    """As Mermaid takes it."""
    return state.value.replace(" ", "_")


if __name__ == "__main__":
    print(page(), end="")
