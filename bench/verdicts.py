"""`python -m bench.verdicts`: how many verdicts before a dial one core gives, by CPU time.

Persons of all American area codes and mobile numbers of Germany, France, Russia (26 time zones)
and Australia, half and half; with and without dials behind them, in and outside the hours; the
shipped rules of law, real holidays. Also what it costs to learn where the person of a number may
be. Exit 1: fewer than 20,000 verdicts a second.
"""

import random
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Final

import phonenumbers
from rich.console import Console
from rich.table import Table

from app.campaigns.jurisdictions import load_law
from app.campaigns.places import PublicHolidays, places
from app.campaigns.plan import CallerIds, Plan
from app.campaigns.rules_of_plan import rules_of
from app.policy.dialing.deciding import Law, may_dial
from app.policy.dialing.people import person_of
from app.policy.dialing.words import Allowed, Consent, History, Person

SEED: Final = 6
TARGET: Final = 20_000
VERDICTS: Final = 200_000
NUMBERS: Final = 2_000
MONDAY_MS: Final = 1_795_446_000_000
"""2026-11-23 15:00 UTC: ten in the morning in New York."""
HOUR_MS: Final = 3_600_000


def main() -> int:
    chosen = random.Random(SEED)
    numbers = _numbers(chosen)
    consent = Consent(date(2026, 1, 2), "web form")
    known = places()
    of_numbers = _rate(
        lambda: [person_of(number, known, consent=consent) for number in numbers], NUMBERS
    )
    people = [person_of(number, known, consent=consent) for number in numbers]
    rates = {
        "in the hours, never dialled": _verdicts(people, (), MONDAY_MS),
        "in the hours, dialled thrice": _verdicts(people, (24, 60, 100), MONDAY_MS),
        "at night, never dialled": _verdicts(people, (), MONDAY_MS + 15 * HOUR_MS),
        "at night, dialled thrice": _verdicts(people, (24, 60, 100), MONDAY_MS + 15 * HOUR_MS),
    }
    table = Table("case", "allowed", "a second of one core", "target")
    for case, (allowed, rate) in rates.items():
        table.add_row(case, f"{allowed:.0%}", f"{rate:,.0f}", f">= {TARGET:,}")
    table.add_row("learning of a number where it may be", "", f"{of_numbers:,.0f}", "")
    Console().print(table)
    return 0 if all(rate >= TARGET for _, rate in rates.values()) else 1


def _verdicts(people: list[Person], hours_ago: tuple[int, ...], now_ms: int) -> tuple[float, float]:
    law = Law(load_law(), PublicHolidays())
    rules = rules_of(Plan(agent="bench", caller_ids=CallerIds(numbers=("+14155550100",))))
    dials = tuple(now_ms - ago * HOUR_MS for ago in hours_ago)
    history = History(here_ms=dials, all_ms=dials)
    allowed = sum(
        isinstance(may_dial(person, history, rules, law, now_ms), Allowed) for person in people
    )

    def run() -> None:
        for round_ in range(VERDICTS // len(people)):
            for person in people:
                may_dial(person, history, rules, law, now_ms + round_)

    return allowed / len(people), _rate(run, VERDICTS // len(people) * len(people))


def _rate(run: Callable[[], object], count: int) -> float:
    began = time.process_time()
    run()
    return count / (time.process_time() - began)


def _numbers(chosen: random.Random) -> list[str]:
    found: list[str] = []
    while len(found) < NUMBERS:
        text = chosen.choice(
            [f"+1{chosen.randrange(200, 999)}{chosen.randrange(200, 999)}"] * 4
            + ["+49151123", "+3361234", "+791612", "+614123"]
        ) + str(chosen.randrange(1000, 10_000))
        number = phonenumbers.parse(text.ljust(12, "5"))
        if phonenumbers.is_valid_number(number):
            found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return found


if __name__ == "__main__":
    sys.exit(main())
