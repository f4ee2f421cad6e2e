"""Whether a plan makes sense: its agent, its numbers, its message, its hours, its pace.

What is wrong in itself never gets here (app/campaigns/checks.py); this is about the world around
it, which changes without the plan: agents, numbers, the date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal, TypeAlias

import phonenumbers

from app.agents import Agent, AgentError, load_agent
from app.agents.placeholders import names_in
from app.agents.variables import ALWAYS, BUILT_IN
from app.campaigns.dry_run import DryRun
from app.campaigns.plan import Plan
from app.campaigns.times import instant_ms, length_told
from app.campaigns.week import open_minutes

Status: TypeAlias = Literal["ok", "warn", "fail"]

LONG_MESSAGE_S: Final = 40
"""Many voicemails are cut after a minute, some sooner."""
LETTERS_PER_S: Final = 15
"""Of unhurried speech."""
US_ABANDONMENT: Final = 0.03
"""Share of live answers, 47 CFR 64.1200(a)(7)."""
MOST_COST_TYPES: Final = (
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
)
_WEEK_MS: Final = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Finding:
    """`about`: the part of the plan, in a word or two."""

    status: Status
    about: str
    text: str


def findings(plan: Plan, now_ms: int, run: DryRun | None = None) -> list[Finding]:
    """What stands for the campaign and against it, in the order of the plan. `run`: what came of
    the list, for what depends on it."""
    found: list[Finding] = []
    try:
        agent = load_agent(plan.agent)
    except AgentError as error:
        found += [Finding("fail", "agent", line) for line in str(error).splitlines()]
    else:
        found += [*_agent(agent), *_message(plan, agent), *_steps(plan, agent)]
        found += _variables(agent, run)
    found += [*_caller_ids(plan), *_windows(plan), *_schedule(plan, now_ms), *_limits(plan)]
    found += _pace(plan, run)
    return found


def _agent(agent: Agent) -> Iterator[Finding]:
    if agent.disclosure:
        yield Finding("ok", "agent", f"{agent.name}; it says first that a machine speaks")
    else:
        text = (
            f"{agent.name} does not say that a machine speaks; set its disclosure (the EU AI Act "
            "wants it, Article 50)"
        )
        yield Finding("warn", "agent", text)


def _message(plan: Plan, agent: Agent) -> Iterator[Finding]:
    machines = plan.machines
    if machines.on_machine != "message":
        return
    if not machines.message.strip():
        yield Finding("warn", "message", "machines.message is empty: machines are hung up on")
        return
    if not machines.detect:
        text = "machines.detect is off: nobody knows a machine, and the message is never left"
        yield Finding("warn", "message", text)
    for name in names_in(machines.message):
        if name not in {*BUILT_IN, *ALWAYS, *agent.variables}:
            near = get_close_matches(name, agent.variables, n=1)
            hint = f"did you mean {{{{{near[0]}}}}}?" if near else "give it a default there"
            text = f"{{{{{name}}}}} is not in [variables] of the agent {agent.name}; {hint}"
            yield Finding("fail", "message", text)
    length_s = len(machines.message) / LETTERS_PER_S
    if length_s > LONG_MESSAGE_S:
        text = f"takes about {length_s:.0f} s to say; above {LONG_MESSAGE_S} s it may be cut off"
        yield Finding("warn", "message", text)
    else:
        yield Finding("ok", "message", f"takes about {max(1, round(length_s))} s to say")


def _steps(plan: Plan, agent: Agent) -> Iterator[Finding]:
    sends = agent.sms.from_number or agent.sms.messaging_service
    if any(step.then == "sms" for step in plan.steps) and not sends:
        text = f"a step sends a text message, and [sms] of the agent {agent.name} has no sender"
        yield Finding("fail", "steps", text)
    known = agent.after_call.dispositions if agent.after_call else {}
    asked = {name for step in plan.steps for name in step.dispositions}
    for name in sorted(asked - set(known)):
        if name != "callback":
            text = f'the agent {agent.name} never finds "{name}": it is not in its dispositions'
            yield Finding("warn", "steps", text)


def _variables(agent: Agent, run: DryRun | None) -> Iterator[Finding]:
    if run is None or not run.contacts:
        return
    unknown = sorted(run.variables - set(agent.variables))
    if unknown:
        names = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if unknown[5:] else "")
        text = f"the agent {agent.name} has no [variables] for the list's columns {names}"
        yield Finding("warn", "variables", text)


def _caller_ids(plan: Plan) -> Iterator[Finding]:
    numbers = plan.caller_ids.numbers
    wrong = False
    for number in numbers:
        parsed = phonenumbers.parse(number, None)
        if not phonenumbers.is_valid_number(parsed):
            wrong = True
            yield Finding("fail", "caller IDs", f"{number} is no number that there can be")
        elif phonenumbers.number_type(parsed) in MOST_COST_TYPES:
            wrong = True
            yield Finding("fail", "caller IDs", f"{number} costs more to call back")
    if not wrong:
        several = "number" if len(numbers) == 1 else "numbers"
        yield Finding("ok", "caller IDs", f"{len(numbers)} {several}")


def _windows(plan: Plan) -> Iterator[Finding]:
    windows = plan.windows
    hours = f"{', '.join(windows.hours)} on {', '.join(windows.days)}, where people are"
    early = any(span < "08:00" for span in windows.hours)
    late = any(span.partition("-")[2] > "21:00" for span in windows.hours)
    if early or late:
        text = f"{hours}; before 08:00 and after 21:00 the law forbids it in many places"
        yield Finding("warn", "hours", text)
    else:
        yield Finding("ok", "hours", hours)


def _schedule(plan: Plan, now_ms: int) -> Iterator[Finding]:
    starts, ends = plan.schedule.starts, plan.schedule.ends
    if ends and instant_ms(ends) <= now_ms:
        yield Finding("fail", "schedule", f"it ended at {ends}: nothing is dialled")
    elif starts and instant_ms(starts) > now_ms:
        wait = length_told(instant_ms(starts) - now_ms)
        yield Finding("ok", "schedule", f"it begins at {starts}, {wait} after the time asked about")


def _limits(plan: Plan) -> Iterator[Finding]:
    if plan.limits.abandonment > US_ABANDONMENT:
        text = (
            f"limits.abandonment is {plan.limits.abandonment:.1%}; in the US the limit is 3 % of "
            "live answers"
        )
        yield Finding("warn", "limits", text)
    if not plan.limits.spend_usd:
        yield Finding("ok", "limits", "no limit of spend (limits.spend_usd)")


def _pace(plan: Plan, run: DryRun | None) -> Iterator[Finding]:
    """At most so quick: how long calls take is not known."""
    people = run.now + run.later if run else 0
    if not people:
        return
    per_week = plan.pacing.calls_per_second * open_minutes(plan.windows) * 60
    if plan.caller_ids.per_day:
        a_day = plan.caller_ids.per_day * len(plan.caller_ids.numbers)
        per_week = min(per_week, a_day * len(plan.windows.days))
    takes_ms = people / per_week * _WEEK_MS
    text = (
        f"at most {per_week:,.0f} dials a week: one dial for each of {people:,} takes "
        f"{length_told(round(takes_ms))} or longer"
    )
    yield Finding("ok" if takes_ms < 4 * _WEEK_MS else "warn", "pace", text)
