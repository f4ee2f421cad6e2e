"""What would be dialled now, later and never: the policy over a whole list, a page at a time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from app.campaigns.judging import Judging
from app.campaigns.people import PAGE, Contact, pages
from app.policy.dialing.words import Allowed, Answer, Never, NotNow
from app.records.database import Database

When: TypeAlias = Literal["now", "later", "never"]
MOST_EXAMPLES: Final = 3
RETRY: Final = "retry"
"""Whom a step of the sequence has put off; no rule of the policy."""


@dataclass(frozen=True, slots=True, repr=False)
class Example:
    """Personal data, for the operator's eyes. `again_ms`: 0 for never."""

    number: str
    reason: str
    again_ms: int = 0


@dataclass(slots=True)
class RuleTally:
    """Those whom one rule keeps from being dialled."""

    when: When
    count: int = 0
    first_again_ms: int = 0
    """The earliest; 0: never."""
    examples: list[Example] = field(default_factory=list)

    def add(self, example: Example) -> None:
        self.count += 1
        if example.again_ms and (not self.first_again_ms or example.again_ms < self.first_again_ms):
            self.first_again_ms = example.again_ms
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(example)


@dataclass(slots=True)
class DryRun:
    """What a whole list came to. `at_ms`: the instant that was asked about."""

    at_ms: int
    contacts: int = 0
    now: int = 0
    later: int = 0
    never: int = 0
    done: int = 0
    """Over, as the sequence wants it."""
    must: dict[str, int] = field(default_factory=dict)
    """What the law wants of calls -> for how many of those that may be dialled now."""
    rules: dict[str, RuleTally] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    """Names of columns that contacts bring along."""

    def add(self, contact: Contact, answer: Answer) -> None:
        match answer:
            case Allowed(must=must):
                self.now += 1
                for name in must:
                    self.must[name] = self.must.get(name, 0) + 1
            case NotNow(rule=rule, reason=reason, again_ms=again_ms):
                self.later += 1
                self._keep(str(rule), "later", Example(contact.number, reason, again_ms))
            case Never(rule=rule, reason=reason):
                self.never += 1
                self._keep(str(rule), "never", Example(contact.number, reason))

    def settle(self, contact: Contact) -> None:
        """Somebody who is not judged any more."""
        if contact.state == "done":
            self.done += 1
            return
        self.never += 1
        rule = contact.why_rule or contact.outcome or "never"
        self._keep(rule, "never", Example(contact.number, contact.why or "as a dial before ended"))

    def put_off(self, contact: Contact) -> None:
        self.later += 1
        self._keep(RETRY, "later", Example(contact.number, "dialled before", contact.due_at_ms))

    def _keep(self, rule: str, when: When, example: Example) -> None:
        self.rules.setdefault(f"{when} {rule}", RuleTally(when)).add(example)


async def dry_run(
    database: Database,
    judging: Judging,
    at_ms: int,
    progress: Callable[[int], None] = lambda count: None,
    states: Collection[str] = (),
) -> DryRun:
    """The whole list of the plan's campaign at an instant; nothing is written. `progress`: is told
    how many were judged since it was told last."""
    run = DryRun(at_ms)
    async for contacts in pages(database, judging.plan.name, states, PAGE):
        open_ones = [contact for contact in contacts if contact.state in ("waiting", "held")]
        async with database.reading() as connection:
            answers = await judging.many(connection, open_ones, at_ms)
        _tally(run, contacts, dict(zip((c.contact_id for c in open_ones), answers, strict=True)))
        progress(len(contacts))
    return run


def _tally(run: DryRun, contacts: Sequence[Contact], answers: dict[int, Answer]) -> None:
    run.contacts += len(contacts)
    for contact in contacts:
        run.variables.update(contact.variables)
        answer = answers.get(contact.contact_id)
        if answer is None:
            run.settle(contact)
        elif isinstance(answer, Allowed) and _is_put_off(contact, run.at_ms):
            run.put_off(contact)
        else:
            run.add(contact, answer)


def _is_put_off(contact: Contact, at_ms: int) -> bool:
    return contact.state == "waiting" and contact.attempts > 0 and contact.due_at_ms > at_ms
