"""What types cannot tell of a plan: one part of it against another, and against the agents."""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from app.agents.files import is_path
from app.agents.placeholders import NAME, names_in
from app.agents.toml_file import Key, Wrong
from app.campaigns.plan import Plan, Schedule, Step, Windows
from app.campaigns.times import instant_ms
from app.campaigns.week import overlapping

_CALLED: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)


def mistakes(plan: Plan, agents: Collection[str]) -> Iterator[Wrong]:
    """`agents`: the names of those that there are."""
    if not _CALLED.fullmatch(plan.name):
        text = f'expected a file called in small letters, digits, "-" and "_", got "{plan.name}".'
        yield Wrong(("name",), text)
    yield from _agent(plan.agent, agents)
    yield from _each_once(plan.caller_ids.numbers, ("caller_ids", "numbers"))
    yield from _each_once(plan.law.number_types, ("law", "number_types"))
    yield from _windows(plan.windows)
    yield from _schedule(plan.schedule)
    for name in names_in(plan.machines.message):
        if not NAME.match(name):
            text = f"expected {{{{name}}}} of small letters, digits and _, got {{{{{name}}}}}."
            yield Wrong(("machines", "message"), text, name)
    for at, step in enumerate(plan.steps):
        yield from _step(step, ("steps", at))


def _agent(name: str, agents: Collection[str]) -> Iterator[Wrong]:
    if name in agents or (is_path(name) and Path(name).is_file()):
        return
    near = get_close_matches(name, agents, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(agents) or 'none'}."
    yield Wrong(("agent",), f'there is no agent "{name}"; {hint}')


def _each_once(values: Sequence[str], key: Key) -> Iterator[Wrong]:
    if not values:
        yield Wrong(key, "expected at least one, got none.")
    for at, value in enumerate(values):
        if value in values[:at]:
            yield Wrong((*key, at), f'expected each one once, got "{value}" again.')


def _windows(windows: Windows) -> Iterator[Wrong]:
    yield from _each_once(windows.days, ("windows", "days"))
    if not windows.hours:
        yield Wrong(("windows", "hours"), "expected at least one, got none.")
    for at in overlapping(windows):
        text = f'expected spans that do not overlap, got "{windows.hours[at]}" as well.'
        yield Wrong(("windows", "hours", at), text)


def _schedule(schedule: Schedule) -> Iterator[Wrong]:
    starts, ends = schedule.starts, schedule.ends
    if starts and ends and instant_ms(ends) <= instant_ms(starts):
        yield Wrong(("schedule", "ends"), f'expected a time after starts, got "{ends}".')


def _step(step: Step, key: Key) -> Iterator[Wrong]:
    if not step.on and not step.dispositions:
        yield Wrong(key, "expected on or dispositions: what came of a dial. It is never taken.")
    if step.then == "sms" and not step.text.strip():
        yield Wrong((*key, "text"), 'expected the words of the message for then = "sms", got none.')
    elif step.then != "sms" and step.text:
        yield Wrong((*key, "text"), f'expected it beside then = "sms" only, not "{step.then}".')
