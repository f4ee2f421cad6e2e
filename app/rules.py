"""What an agent's file says of its policy and its hours, as the rules that decide."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date

from app.agents import Agent, AgentError, Hours
from app.agents.routes import Routes
from app.call.facts import CallFacts
from app.policy.destination_rules import DestinationRules, RulesError
from app.policy.hours import DAY_MINUTES, HoursRules, OpeningHours, Span
from app.policy.limits import LimitRules
from app.policy.spend import SpendAction, SpendRules
from app.policy.trust import Doors, Trust, by_sip_origin


def destination_rules(
    agent: Agent, own_numbers: tuple[str, ...], targets: Mapping[str, str]
) -> DestinationRules:
    """`own_numbers`: the line's, E.164. `targets`: key -> address, of the agent's transfers.

    Raises `AgentError`.
    """
    policy = agent.policy
    try:
        return DestinationRules(
            own_numbers=own_numbers,
            countries=policy.countries,
            allow_prefixes=policy.allow_prefixes,
            deny_prefixes=policy.deny_prefixes,
            free_numbers=policy.free_numbers,
            national_numbers=policy.national_numbers,
            toll_free=policy.toll_free,
            sip_hosts=policy.sip_hosts,
            sip_ports=policy.sip_ports,
            sip_headers=policy.sip_headers,
            clients=policy.clients,
            queues=policy.queues,
            targets=targets,
        )
    except RulesError as error:
        raise AgentError(f"{agent.source}: policy: {error}.") from error


def limit_rules(agent: Agent) -> LimitRules:
    return LimitRules(**asdict(agent.policy.limits))


def spend_rules(agent: Agent) -> SpendRules:
    spend = agent.policy.spend
    return SpendRules(
        cap_usd=spend.cap_usd, warn_share=spend.warn_share, then=SpendAction(spend.at_cap)
    )


def doors(agent: Agent) -> Doors:
    return Doors(sip_domains=agent.policy.sip_domains, networks=agent.policy.sip_networks)


def headers_trusted(routes: Routes, facts: CallFacts) -> bool:
    """Whether a call's SIP headers may choose its agent: where it came in decides."""
    trusted = routes.trusted
    known = Doors(sip_domains=trusted.sip_domains, networks=trusted.sip_networks)
    return by_sip_origin(known, facts.sip_domain, facts.source_ip) >= Trust.ATTESTED


def required_trust(agent: Agent, tools: Collection[str]) -> dict[str, Trust]:
    """What each of `tools`, all that the agent has, needs.

    Raises `AgentError` for a level of a tool that there is not: a slip of the pen would leave the
    tool that was meant open to everybody.
    """
    policy = agent.policy
    for name in policy.trust:
        if name not in tools:
            there = ", ".join(sorted(tools)) or "none"
            raise AgentError(
                f"{agent.source}: policy.trust.{name}: there is no such tool; there are: {there}."
            )
    levels = {name: policy.trust.get(name, policy.default_trust) for name in tools}
    return {name: Trust.named(text) for name, text in levels.items()}


def opening_hours(agent: Agent, targets: Collection[str] = ()) -> OpeningHours | None:
    """None: always open. `targets`: the keys of the agent's transfers. Raises `AgentError` for a
    closed door without its words or its person."""
    hours = agent.hours
    if hours is None:
        return None
    if hours.when_closed == "message" and not hours.message.strip():
        raise AgentError(
            f'{agent.source}: hours.message: expected the words for when_closed = "message", '
            "it is empty."
        )
    if hours.when_closed == "person" and hours.person not in targets:
        there = ", ".join(sorted(targets)) or "none"
        raise AgentError(
            f"{agent.source}: hours.person: expected the key of a transfer target for "
            f'when_closed = "person"; there are: {there}.'
        )
    return OpeningHours(_hours_rules(hours))


def _hours_rules(hours: Hours) -> HoursRules:
    return HoursRules(
        timezone=hours.timezone,
        week={
            number: _spans(spans)
            for number, spans in enumerate(asdict(hours.week).values())
            if spans
        },
        holidays={_day(key): _spans(spans) for key, spans in hours.holidays.items()},
    )


def _day(key: str) -> date | tuple[int, int]:
    if len(key) == len("2026-12-25"):
        return date.fromisoformat(key)
    month, day = key.split("-")
    return int(month), int(day)


def _spans(texts: tuple[str, ...]) -> tuple[Span, ...]:
    return tuple(_span(*(_minutes(time) for time in text.split("-"))) for text in texts)


def _span(start: int, end: int) -> Span:
    return Span(start, end if end > start else end + DAY_MINUTES)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
