"""From rows to a judgement: who somebody is, how often they were dialled, and what the policy says
to dialling them at an instant. For one contact or for a page of them at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.jurisdictions import load_law
from app.campaigns.outcomes import RANG
from app.campaigns.places import PublicHolidays, places
from app.campaigns.plan import Plan
from app.campaigns.rules_of_plan import rules_of
from app.policy.dialing.deciding import Law as LawAndHolidays
from app.policy.dialing.deciding import may_dial
from app.policy.dialing.people import person_of
from app.policy.dialing.words import (
    Answer,
    Consent,
    DialRule,
    DialRules,
    History,
    Never,
    Person,
)
from app.records.tables import attempts, do_not_call

MayDial: TypeAlias = Callable[[Person, History, DialRules, int], Answer]
"""The policy, with the law that it goes by. The last is the instant, Unix ms."""

_RANG: Final = tuple(outcome.value for outcome in RANG)
_MAY_HAVE_RUNG: Final = ("requested", "placed", "ended")


@dataclass(frozen=True, slots=True)
class Policy:
    """`must`: what the law may want of calls, by name, in sentences for people."""

    may_dial: MayDial
    must: Mapping[str, str] = field(default_factory=dict)


class Listed(Protocol):
    """What is asked of a contact's row."""

    @property
    def campaign_id(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def zones(self) -> tuple[str, ...]: ...
    @property
    def consent(self) -> Mapping[str, Any] | None: ...


Judge: TypeAlias = Callable[[Listed, History, int], Answer]


@dataclass(frozen=True, slots=True)
class Judging:
    """A plan and the policy. It reads what is needed and judges; it writes nothing."""

    plan: Plan
    may_dial: MayDial
    rules: DialRules = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", rules_of(self.plan))

    async def one(self, connection: AsyncConnection, contact: Listed, now_ms: int) -> Answer:
        return (await self.many(connection, [contact], now_ms))[0]

    async def many(
        self, connection: AsyncConnection, contacts: Sequence[Listed], now_ms: int
    ) -> list[Answer]:
        """In the order of `contacts`, with two queries for all of them."""
        numbers = list({contact.number for contact in contacts})
        campaign_id = contacts[0].campaign_id if contacts else ""
        histories = await histories_of(connection, campaign_id, numbers)
        return [self.judge(contact, histories[contact.number], now_ms) for contact in contacts]

    def judge(self, contact: Listed, history: History, now_ms: int) -> Answer:
        """Of rows that are there already."""
        try:
            consent = consent_of(contact.consent)
        except ValueError as error:
            if self.rules.consent_required:
                return Never(DialRule.CONSENT_UNREADABLE, str(error))
            consent = None
        person = person_of(
            contact.number, places(), zones_column=";".join(contact.zones), consent=consent
        )
        return self.may_dial(person, history, self.rules, now_ms)


def consent_of(kept: Mapping[str, Any] | None) -> Consent | None:
    """Of the column: `given`, a date, and `source`. Raises `ValueError` for anything else."""
    if kept is None:
        return None
    try:
        return Consent(date.fromisoformat(kept["given"]), str(kept["source"]))
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            "the consent has no date of the form 2026-11-20, or no source; correct it and import "
            "the contact again"
        ) from None


async def histories_of(
    connection: AsyncConnection, campaign_id: str, numbers: Sequence[str]
) -> Mapping[str, History]:
    """Of each number: when it was dialled, by whomever, and whether it may not be. A dial whose end
    is not known yet counts as one that rang."""
    at_ms = attempts.c.intended_at_ms
    dials = (
        select(attempts.c.number, attempts.c.campaign_id, at_ms)
        .where(
            attempts.c.number.in_(numbers),
            attempts.c.state.in_(_MAY_HAVE_RUNG),
            or_(attempts.c.outcome.is_(None), attempts.c.outcome.in_(_RANG)),
        )
        .order_by(at_ms.desc())
    )
    here: dict[str, list[int]] = {}
    everywhere: dict[str, list[int]] = {}
    for number, of, dialled_at_ms in await connection.execute(dials):
        everywhere.setdefault(number, []).append(dialled_at_ms)
        if of == campaign_id:
            here.setdefault(number, []).append(dialled_at_ms)
    listed = select(do_not_call.c.number, do_not_call.c.source)
    refused = await connection.execute(listed.where(do_not_call.c.number.in_(numbers)))
    source_of = {number: source for number, source in refused}
    return {
        number: History(
            here_ms=tuple(here.get(number, ())),
            all_ms=tuple(everywhere.get(number, ())),
            do_not_call=source_of.get(number, ""),
        )
        for number in numbers
    }


@cache
def policy() -> Policy:
    """The policy that ships, with its law."""
    book = load_law()
    law = LawAndHolidays(book, PublicHolidays())

    def judged(person: Person, history: History, rules: DialRules, now_ms: int) -> Answer:
        return may_dial(person, history, rules, law, now_ms)

    return Policy(judged, book.must)
