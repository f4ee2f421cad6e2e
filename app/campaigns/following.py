"""What comes after a dial: the plan's steps, as pure logic.

Everything follows from the dials of a contact so far: nothing about steps is stored. Each dial in
turn takes the first step that fits it and was not used up, so the newest dial's step is what comes
next. A message does not end the sequence: the search goes on behind it. If no step is left, the
contact is done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.campaigns.outcomes import Outcome
from app.campaigns.plan import Step
from app.campaigns.times import length_ms

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MOVED_FROM_MS: Final = 6 * HOUR_MS
"""A wait of so long or longer moves to another hour of the day; a shorter one is meant as it is."""
APART_MS: Final = 150 * 60_000
"""So far from the hours that failed counts as another one."""
_STEP_MS: Final = 3 * HOUR_MS
_WRONG: Final = frozenset({Outcome.INVALID_NUMBER, Outcome.FAX})
"""The number, and not the hour, is what was wrong."""


class StepError(ValueError):
    """The operator's fault: the message names what was expected and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """A dial that ended. `disposition`: what the agent's after-call work found, "" if nothing.
    `callback_at_ms`: the time that the person asked for, Unix ms."""

    number: str
    outcome: Outcome
    ended_at_ms: int
    disposition: str = ""
    callback_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """To be dialled at that time or later, when the policy allows it. `step`: its place in the
    plan."""

    at_ms: int
    number: str
    why: Literal["retry", "other_number", "callback"]
    step: int


@dataclass(frozen=True, slots=True)
class Done:
    """`why`: reached, asked (a step said so), or exhausted (no step was left)."""

    why: Literal["reached", "asked", "exhausted"]


@dataclass(frozen=True, slots=True)
class NeverAgain:
    """No campaign calls them any more: the number belongs on the do-not-call list."""

    step: int


@dataclass(frozen=True, slots=True)
class Message:
    """A text message to be sent at that time to the number that was dialled."""

    text: str
    at_ms: int
    number: str
    step: int


Then: TypeAlias = Again | Done | NeverAgain


@dataclass(frozen=True, slots=True)
class Next:
    messages: tuple[Message, ...]
    then: Then


def wait_ms(text: str) -> int:
    """Of "30m", "4h" or "2d": whatever a plan takes. Raises `StepError`."""
    try:
        return length_ms(text)
    except ValueError as error:
        text = f'after: expected a wait such as "30m", "4h" or "2d", got "{text}"'
        raise StepError(text) from error


def what_next(
    steps: Sequence[Step],
    dials: Sequence[Dialled],
    numbers: Sequence[str],
    opens: Callable[[int], int | None] = lambda at_ms: at_ms,
) -> Next:
    """`dials`: all of the contact's, the oldest first, at least one. `numbers`: all of the
    person's, the preferred first. `opens`: the first instant from then on at which the policy would
    allow a dial, None if never; it helps to find another hour of the day.

    Raises `StepError` for a wait that cannot be read, `ValueError` without a dial.
    """
    if not dials:
        raise ValueError("expected at least one dial that ended, got none")
    used = [0] * len(steps)
    found = Next((), Done("exhausted"))
    for index in range(len(dials)):
        found = _after(steps, used, dials[: index + 1], numbers, opens)
    return found


def _after(
    steps: Sequence[Step],
    used: list[int],
    dials: Sequence[Dialled],
    numbers: Sequence[str],
    opens: Callable[[int], int | None],
) -> Next:
    """What follows the newest of `dials`; `used` is counted up."""
    newest = dials[-1]
    messages: list[Message] = []
    for index, step in enumerate(steps):
        if used[index] >= step.times or not _fits(step, newest):
            continue
        if step.then == "sms":
            used[index] += 1
            at_ms = newest.ended_at_ms + wait_ms(step.after)
            messages.append(Message(step.text, at_ms, newest.number, index))
            continue
        then = _then(step, index, dials, numbers, opens)
        if then is not None:
            used[index] += 1
            return Next(tuple(messages), then)
    reached = newest.outcome is Outcome.ANSWERED
    return Next(tuple(messages), Done("reached" if reached else "exhausted"))


def _fits(step: Step, dial: Dialled) -> bool:
    """Both conditions where both are given; a step without any fits nothing."""
    if not step.on and not step.dispositions:
        return False
    return (not step.on or dial.outcome.value in step.on) and (
        not step.dispositions or dial.disposition in step.dispositions
    )


def _then(
    step: Step,
    index: int,
    dials: Sequence[Dialled],
    numbers: Sequence[str],
    opens: Callable[[int], int | None],
) -> Then | None:
    """None: this step cannot be taken, the next one is asked."""
    newest = dials[-1]
    if step.then == "done":
        return Done("asked")
    if step.then == "never":
        return NeverAgain(index)
    earliest_ms = newest.ended_at_ms + wait_ms(step.after)
    if step.then == "callback":
        asked_ms = newest.callback_at_ms
        if asked_ms is None or asked_ms <= newest.ended_at_ms:
            asked_ms = earliest_ms
        return Again(asked_ms, newest.number, "callback", index)
    if step.then == "other_number":
        other = _other(dials, numbers)
        return None if other is None else Again(earliest_ms, other, "other_number", index)
    if wait_ms(step.after) >= MOVED_FROM_MS:
        earliest_ms = _other_hour(earliest_ms, dials, opens)
    return Again(earliest_ms, newest.number, "retry", index)


def _other(dials: Sequence[Dialled], numbers: Sequence[str]) -> str | None:
    """The next of the person's numbers that was not found wrong; those never dialled come first."""
    wrong = {dial.number for dial in dials if dial.outcome in _WRONG}
    current = dials[-1].number
    place = numbers.index(current) + 1 if current in numbers else 0
    turned = [*numbers[place:], *numbers[:place]]
    left = [number for number in turned if number != current and number not in wrong]
    dialled = {dial.number for dial in dials}
    return next((number for number in left if number not in dialled), next(iter(left), None))


def _other_hour(
    earliest_ms: int, dials: Sequence[Dialled], opens: Callable[[int], int | None]
) -> int:
    """Within the day that follows, the first time that is away from every hour at which this number
    did not answer; else the one that is furthest away."""
    failed = [
        dial.ended_at_ms
        for dial in dials
        if dial.number == dials[-1].number and dial.outcome is not Outcome.ANSWERED
    ]
    best_ms, best_apart_ms = earliest_ms, -1
    for shift_ms in range(0, DAY_MS, _STEP_MS):
        at_ms = opens(earliest_ms + shift_ms)
        if at_ms is None:
            continue
        apart_ms = min((_apart(at_ms, other) for other in failed), default=DAY_MS)
        if apart_ms >= APART_MS:
            return at_ms
        if apart_ms > best_apart_ms:
            best_ms, best_apart_ms = at_ms, apart_ms
    return best_ms


def _apart(one_ms: int, other_ms: int) -> int:
    """On the dial of a clock with 24 hours."""
    apart = abs(one_ms - other_ms) % DAY_MS
    return min(apart, DAY_MS - apart)
