"""Whether anything that must not be dialled can be: `python -m bench.policy [SEEDS]`.

Fuzzed targets against several policies; whatever is cleared is judged once more by an oracle of its
own. Exits with 1 when something forbidden was cleared, a refusal has no rule, what was cleared is
not cleared again, or something on the golden list was refused.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from app.policy.destination_rules import DestinationRules
from app.policy.destinations import By, Cleared, Purpose, judge
from app.policy.verdicts import Refused, Rule
from bench.policy_fuzz import Fuzz
from bench.policy_golden import ADDRESSES, CLIENTS, NUMBERS, QUEUES, SIP_HEADERS, SIP_HOSTS
from bench.policy_oracle import CANADA, ISLANDS, OUTLYING, Oracle

SEED: Final = 20_261_121
TARGETS: Final = 12_000
"""For each seed."""
SEEDS: Final = 3
CALLER: Final = "+12015550177"
HOSTS: Final = ("pbx.example.com", "10.20.30.40")
CONFIGURED: Final = {
    "sales": "+12015550123",
    "desk": "sip:+12015550144@pbx.example.com",
    "anna": "client:anna",
    "waiting": "queue:sales",
}
NOT_US: Final = tuple(f"+1{area}" for area in (*CANADA, *ISLANDS, *OUTLYING))
KNOWN: Final = (
    CALLER,
    "+12015550123",
    "+442071838750",
    "+4930123456",
    "+12025550143",
    "+14155550123",
)


@dataclass(frozen=True)
class Case:
    name: str
    rules: DestinationRules
    oracle: Oracle


CASES: Final = (
    Case(
        "as delivered",
        DestinationRules(own_numbers=("+12015550100",), targets=CONFIGURED, sip_hosts=HOSTS),
        Oracle(("+1",), NOT_US, own="+12015550100", hosts=HOSTS, configured=CONFIGURED),
    ),
    Case(
        "the caller only",
        DestinationRules(
            own_numbers=("+12015550100",), targets=CONFIGURED, sip_hosts=HOSTS, free_numbers=True
        ),
        Oracle(
            ("+1",), NOT_US, own="+12015550100", free=True, hosts=HOSTS, clients=("anna",),
            queues=("sales",), configured=CONFIGURED,
        ),
    ),
    Case(
        "open to prefixes",
        DestinationRules(
            own_numbers=("+442071838700",),
            countries=("GB", "US", "DE"),
            allow_prefixes=("+1", "+4930", "+442071838750", "+37"),
            deny_prefixes=("+1415", "+4930", "+49301"),
            free_numbers=True,
            national_numbers=True,
            sip_hosts=HOSTS,
            sip_headers=("X-Ref",),
            clients=("anna",),
            targets=CONFIGURED,
        ),
        Oracle(
            ("+44", "+1", "+49"), NOT_US, own="+442071838700",
            allow=("+1", "+4930", "+442071838750", "+37"), deny=("+1415", "+4930", "+49301"),
            free=True, hosts=HOSTS, headers=("X-Ref",), clients=("anna",), queues=("sales",),
            configured=CONFIGURED,
        ),
    ),
    Case(
        "toll-free too",
        DestinationRules(
            own_numbers=("+12015550100",), countries=("US",), allow_prefixes=("+1201", "+1800"),
            toll_free=True, free_numbers=True, targets=CONFIGURED, sip_hosts=HOSTS,
        ),
        Oracle(
            ("+1",), NOT_US, own="+12015550100", allow=("+1201", "+1800"), free=True,
            toll_free=True, hosts=HOSTS, clients=("anna",), queues=("sales",),
            configured=CONFIGURED,
        ),
    ),
)  # fmt: skip


@dataclass
class Found:
    """What came of it."""

    judged: Counter[str] = field(default_factory=Counter)
    cleared: Counter[str] = field(default_factory=Counter)
    rules: Counter[Rule] = field(default_factory=Counter)
    forbidden: list[str] = field(default_factory=list)
    without_rule: list[str] = field(default_factory=list)
    not_again: list[str] = field(default_factory=list)
    golden: int = 0
    refused_golden: list[str] = field(default_factory=list)

    @property
    def missed(self) -> bool:
        faults = (self.forbidden, self.without_rule, self.not_again, self.refused_golden)
        return any(faults)


def fuzzed(found: Found, targets: int = TARGETS, seed: int = SEED) -> None:
    """The same targets under every policy, asked for by whom nothing is believed."""
    for kind, target in Fuzz(seed, KNOWN, tuple(CONFIGURED), HOSTS).targets(targets):
        for case in CASES:
            for purpose in (Purpose.TRANSFER, Purpose.SMS):
                _judged(found, case, kind, target, purpose)


def _judged(found: Found, case: Case, kind: str, target: object, purpose: Purpose) -> None:
    verdict = judge(case.rules, target, purpose=purpose, by=By.MODEL, caller=CALLER)
    found.judged[kind] += 1
    shown = f"{case.name}: {kind}: {target!a:.120}"
    if isinstance(verdict, Refused):
        found.rules[verdict.rule] += 1
        if not isinstance(verdict.rule, Rule) or not verdict.reason:
            found.without_rule.append(shown)
        return
    found.cleared[kind] += 1
    if why := case.oracle.forbidden(target, verdict.uri, CALLER):
        found.forbidden.append(f"{shown}: {verdict.uri}: {why}")
    text = verdict.key or verdict.uri
    if judge(case.rules, text, purpose=purpose, by=By.MODEL, caller=CALLER) != verdict:
        found.not_again.append(shown)


def golden(found: Found) -> None:
    for country, (own, numbers) in NUMBERS.items():
        rules = DestinationRules(own_numbers=(own,))
        free = DestinationRules(countries=(country,), free_numbers=True)
        for text in numbers:
            verdicts = [judge(rules, text, purpose=Purpose.TRANSFER, by=By.OPERATOR)]
            if text.startswith("+"):
                verdicts.append(
                    judge(free, text, purpose=Purpose.DIAL, by=By.MODEL, caller=numbers[0])
                    if text in numbers[:2]
                    else judge(free, text, purpose=Purpose.SMS, by=By.CARRIER)
                )
            _expected(found, country, text, *verdicts)
    rules = DestinationRules(
        own_numbers=("+12015550100",), sip_hosts=SIP_HOSTS, sip_headers=SIP_HEADERS,
        clients=CLIENTS, queues=QUEUES,
    )  # fmt: skip
    for text in ADDRESSES:
        verdict = judge(rules, text, purpose=Purpose.TRANSFER, by=By.OPERATOR)
        _expected(found, "address", text, verdict)


def _expected(found: Found, what: str, text: str, *verdicts: Cleared | Refused) -> None:
    found.golden += 1
    rules = [verdict.rule for verdict in verdicts if isinstance(verdict, Refused)]
    if rules:
        found.refused_golden.append(f"{what}: {text}: {rules[0]}")


def report(found: Found) -> str:
    lines = [f"{'class':24}{'judged':>9}{'cleared':>9}"]
    lines += [f"{name:24}{n:9}{found.cleared[name]:9}" for name, n in found.judged.items()]
    lines += ["", f"{'refused by rule':24}{'times':>9}"]
    lines += [f"{rule:24}{n:9}" for rule, n in found.rules.most_common()]
    total, cleared = found.judged.total(), found.cleared.total()
    lines += ["", f"{total} judged, {cleared} cleared, {found.rules.total()} refused"]
    for what, faults in (
        ("forbidden dials (0)", found.forbidden),
        ("refusals without rule (0)", found.without_rule),
        ("cleared once, not twice (0)", found.not_again),
        (f"false refusals of {found.golden} golden (0)", found.refused_golden),
    ):
        lines.append(f"{what}: {len(faults)}")
        lines += [f"    {fault}" for fault in faults[:10]]
    return "\n".join(lines)


def main() -> int:
    found = Found()
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS):
        fuzzed(found, seed=SEED + number)
    golden(found)
    print(report(found))
    return 1 if found.missed else 0


if __name__ == "__main__":
    sys.exit(main())
