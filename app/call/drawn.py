"""`python -m app.call.drawn > docs/state-machines.md`: a call's machines, from their tables."""

from collections.abc import Mapping
from enum import StrEnum
from types import ModuleType
from typing import TypeVar

from app.call import (
    answer_machine,
    attempts,
    floor,
    generation,
    notices,
    opening,
    phases,
    relay,
    responses,
    served_playout,
    turn_end,
    waiting_sound,
)

State = TypeVar("State", bound=StrEnum)

_HEAD = """\
# State machines of a call

Drawn from the tables in `app/call` by `python -m app.call.drawn`; a test keeps this page fresh.
What is not in a table does not happen.
"""

_MACHINES: tuple[tuple[str, str, ModuleType], ...] = (
    ("The call", "One call from the open stream to its end.", phases),
    ("The first words", "Who greets.", opening),
    ("Notices", "What must be heard before all else.", notices),
    ("Who answered", "On calls that we place.", answer_machine),
    ("The floor", "The caller's claim on it while the agent speaks.", floor),
    ("The end of the caller's turn", "Where we decide it, and not the model.", turn_end),
    (
        "The model's response",
        "One answer at a time; only this machine asks for one.",
        responses,
    ),
    ("The sound of a slow tool", "While nobody is heard and a tool runs.", waiting_sound),
    ("The relay", "The call's model sessions, one after the other.", relay),
    ("Attempts at a session", "While the relay wants one, on one model after the other.", attempts),
    (
        "A generation of bot audio",
        "From its first byte to the verdict on what was heard.",
        generation,
    ),
    ("An answer that the model's side plays", "Where that holds the telephone.", served_playout),
)
"""Title, what it is about, and the module whose `TRANSITIONS` are drawn."""


def page() -> str:
    """The whole page as Markdown with Mermaid diagrams."""
    machines = (
        _machine(title, f"{about} `{_path(module)}`", module.TRANSITIONS)
        for title, about, module in _MACHINES
    )
    return "\n".join([_HEAD, *machines])


def _path(module: ModuleType) -> str:
    return f"{module.__name__.replace('.', '/')}.py"


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
