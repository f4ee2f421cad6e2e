"""What an agent's file opens is opened, and nothing beside it; what contradicts itself is told."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.agents import Agent, AgentError, Hours, Policy, PolicyLimits, PolicySpend, Week
from app.policy.destinations import By, Cleared, Purpose, judge
from app.policy.limits import LimitRules
from app.policy.spend import SpendAction, SpendRules
from app.policy.trust import Doors, Trust
from app.rules import (
    destination_rules,
    doors,
    limit_rules,
    opening_hours,
    required_trust,
    spend_rules,
)

AGENT = Agent(name="host", source=Path("host.toml"), instructions="Be kind.")
BERLIN = ZoneInfo("Europe/Berlin")
OWN = ("+12015550100",)
HOURS = Hours(
    timezone="Europe/Berlin",
    week=Week(monday=("09:00-12:00", "14:00-24:00"), sunday=("22:00-02:00",)),
    holidays={"2026-11-30": (), "12-24": ("09:00-10:00",)},
)


def test_the_defaults_of_the_file_are_those_of_the_rules() -> None:
    assert limit_rules(AGENT) == LimitRules()
    assert spend_rules(AGENT) == SpendRules()
    assert doors(AGENT) == Doors()
    rules = destination_rules(AGENT, OWN, {"desk": "+12015550123"})
    assert isinstance(judge(rules, "desk", purpose=Purpose.DIAL, by=By.MODEL), Cleared)
    assert rules.targets == {"desk": "+12015550123"}
    for free in ("+12015550123", "sip:a@pbx.example.com"):
        assert not isinstance(judge(rules, free, purpose=Purpose.DIAL, by=By.MODEL), Cleared)


def test_every_key_of_the_table_reaches_its_rule() -> None:
    policy = Policy(
        countries=("DE",), allow_prefixes=("+1",), deny_prefixes=("+1415",), free_numbers=True,
        national_numbers=True, toll_free=True, sip_hosts=("pbx.example.com",), sip_ports=(5070,),
        sip_headers=("X-A",), clients=("anna",), queues=("sales",), sip_domains=("a.example",),
        sip_networks=("203.0.113.0/24",), limits=PolicyLimits(sms_per_day=7),
        spend=PolicySpend(cap_usd=2.0, warn_share=0.5, at_cap="downgrade"),
    )  # fmt: skip
    agent = replace(AGENT, policy=policy)
    rules = destination_rules(agent, OWN, {})
    for key in (
        *("countries", "allow_prefixes", "deny_prefixes", "free_numbers", "national_numbers"),
        *("toll_free", "sip_hosts", "sip_ports", "sip_headers", "clients", "queues"),
    ):
        assert getattr(rules, key) == getattr(policy, key), key
    assert limit_rules(agent) == LimitRules(sms_per_day=7)
    assert spend_rules(agent) == SpendRules(cap_usd=2.0, warn_share=0.5, then=SpendAction.DOWNGRADE)
    assert doors(agent) == Doors(sip_domains=("a.example",), networks=("203.0.113.0/24",))


def test_a_line_whose_number_cannot_be_is_told() -> None:
    with pytest.raises(AgentError, match=r"host.toml: policy: own_numbers: expected"):
        destination_rules(AGENT, ("+1",), {})


def test_each_tool_has_its_level() -> None:
    agent = replace(AGENT, policy=Policy(trust={"book": "verified"}, default_trust="asserted"))
    assert required_trust(agent, ["book", "hang_up"]) == {
        "book": Trust.VERIFIED,
        "hang_up": Trust.ASSERTED,
    }
    with pytest.raises(AgentError) as caught:
        required_trust(agent, ["bok"])
    assert str(caught.value) == (
        "host.toml: policy.trust.book: there is no such tool; there are: bok."
    )


def test_hours_are_read_as_they_are_written() -> None:
    place = opening_hours(replace(AGENT, hours=HOURS))
    assert place is not None
    for text, is_open in (
        ("2026-11-23T09:00", True), ("2026-11-23T12:00", False), ("2026-11-23T23:59", True),
        ("2026-11-24T00:00", False), ("2026-11-22T23:00", True), ("2026-11-23T01:59", True),
        ("2026-11-23T02:00", False), ("2026-11-30T10:00", False), ("2026-12-24T09:30", True),
    ):  # fmt: skip
        assert place.is_open(datetime.fromisoformat(text).replace(tzinfo=BERLIN)) == is_open, text
    assert opening_hours(AGENT) is None


def test_a_closed_door_needs_its_words_or_its_person() -> None:
    silent = replace(AGENT, hours=replace(HOURS, when_closed="message"))
    with pytest.raises(AgentError, match=r"hours.message: expected the words"):
        opening_hours(silent)
    alone = replace(AGENT, hours=replace(HOURS, when_closed="person", person="desk"))
    with pytest.raises(AgentError, match=r"hours.person: .* there are: none"):
        opening_hours(alone)
    assert opening_hours(alone, {"desk"}) is not None
