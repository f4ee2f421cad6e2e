"""`[policy]` and `[hours]` of an agent's file are taken as they stand, or refused with the place
and what was expected."""

from pathlib import Path

import pytest

from app.agents import Agent, AgentError, Hours, Policy, PolicyLimits, PolicySpend, Week, load_agent

FULL = """
instructions = "Be kind."

[policy]
countries = ["US", "DE"]
allow_prefixes = ["+4930"]
deny_prefixes = ["+49301"]
free_numbers = true
national_numbers = true
toll_free = true
sip_hosts = ["pbx.example.com", "10.0.0.1", "[::1]"]
sip_ports = [5061]
sip_headers = ["X-Ref", "User-to-User"]
clients = ["anna"]
queues = ["sales"]
default_trust = "asserted"
sip_domains = ["you.sip.twilio.com"]
sip_networks = ["203.0.113.0/24"]
trust = { book = "verified" }

[policy.limits]
dials_per_call = 1

[policy.spend]
cap_usd = 1.5
at_cap = "end"

[hours]
timezone = "Europe/Berlin"
when_closed = "message"
message = "We are closed."

[hours.week]
monday = ["09:00-12:00", "14:00-24:00"]
sunday = ["22:00-02:00"]

[hours.holidays]
"2026-12-25" = []
"12-24" = ["09:00-12:00"]
"02-29" = []
"""


def loaded(folder: Path, text: str) -> Agent:
    path = folder / "host.toml"
    path.write_text(text, encoding="utf-8")
    return load_agent(path)


def test_every_key_reaches_the_agent(tmp_path: Path) -> None:
    agent = loaded(tmp_path, FULL)
    assert agent.policy == Policy(
        countries=("US", "DE"),
        allow_prefixes=("+4930",),
        deny_prefixes=("+49301",),
        free_numbers=True,
        national_numbers=True,
        toll_free=True,
        sip_hosts=("pbx.example.com", "10.0.0.1", "[::1]"),
        sip_ports=(5061,),
        sip_headers=("X-Ref", "User-to-User"),
        clients=("anna",),
        queues=("sales",),
        trust={"book": "verified"},
        default_trust="asserted",
        sip_domains=("you.sip.twilio.com",),
        sip_networks=("203.0.113.0/24",),
        limits=PolicyLimits(dials_per_call=1),
        spend=PolicySpend(cap_usd=1.5, at_cap="end"),
    )
    assert agent.hours == Hours(
        timezone="Europe/Berlin",
        week=Week(monday=("09:00-12:00", "14:00-24:00"), sunday=("22:00-02:00",)),
        holidays={"2026-12-25": (), "12-24": ("09:00-12:00",), "02-29": ()},
        when_closed="message",
        message="We are closed.",
    )


def test_without_the_tables_all_is_closed_but_the_door(tmp_path: Path) -> None:
    agent = loaded(tmp_path, 'instructions = "Be kind."')
    assert agent.policy == Policy()
    assert not (agent.policy.free_numbers or agent.policy.toll_free or agent.policy.sip_hosts)
    assert agent.hours is None


@pytest.mark.parametrize(
    ("table", "line", "told"),
    [
        ("policy", 'countries = ["de"]',
         'policy.countries[1]: expected two capital letters such as "DE", got "de".'),
        ("policy", 'deny_prefixes = ["+49", "0049"]',
         'policy.deny_prefixes[2]: expected plus and digits such as "+4930", got "0049".'),
        ("policy", 'allow_prefixes = ["+٤٩"]',
         'policy.allow_prefixes[1]: expected plus and digits such as "+4930", got "+٤٩".'),
        ("policy", 'sip_hosts = ["10.0.1"]',
         'policy.sip_hosts[1]: expected a host in small letters such as "pbx.example.com", or its '
         'address, got "10.0.1".'),
        ("policy", 'sip_headers = ["Via"]',
         'policy.sip_headers[1]: expected "X-..." or "User-to-User", got "Via".'),
        ("policy", 'sip_networks = ["203.0.113.5/24"]',
         'policy.sip_networks[1]: expected an address or a network such as "203.0.113.0/24", got '
         '"203.0.113.5/24".'),
        ("policy", 'queues = ["a b"]',
         'policy.queues[1]: expected a name of letters and digits, got "a b".'),
        ("policy", 'free_number = true',
         "policy.free_number: there is no such key; did you mean free_numbers?"),
        ("policy.trust", 'book = "sure"',
         'policy.trust.book: expected "unknown", "asserted", "attested" or "verified", got '
         '"sure".'),
        ("policy.limits", "dials_per_call = -1",
         "policy.limits.dials_per_call: expected a number greater than or equal to 0, got -1."),
        ("policy.spend", 'at_cap = "stop"',
         'policy.spend.at_cap: expected "warn", "downgrade" or "end", got "stop".'),
        ("hours.week", 'montag = []',
         "hours.week.montag: there is no such key; did you mean monday?"),
        ("hours.week", 'monday = ["9-17"]',
         'hours.week.monday[1]: expected a span of two times such as "09:00-17:30", got "9-17".'),
        ("hours.week", 'monday = ["09:00-09:00"]',
         'hours.week.monday[1]: expected a span of two times such as "09:00-17:30", got '
         '"09:00-09:00".'),
        ("hours.week", 'monday = ["24:00-25:00"]',
         'hours.week.monday[1]: expected a span of two times such as "09:00-17:30", got '
         '"24:00-25:00".'),
    ],
)  # fmt: skip
def test_a_wrong_key_is_told_with_its_line(
    tmp_path: Path, table: str, line: str, told: str
) -> None:
    with pytest.raises(AgentError) as caught:
        loaded(tmp_path, f'instructions = "x"\n[{table}]\n{line}\n')
    path = tmp_path / "host.toml"
    assert f"{path}:3: {told}" in str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('timezone = "Europe/Atlantis"', "hours.timezone: expected a time zone that this machine "
         'knows, such as "Europe/Berlin", got "Europe/Atlantis".'),
        ('timezone = "UTC"\nholidays = {"2026-02-29" = []}', 'hours.holidays: expected dates such '
         'as "2026-12-25", or "12-25" for every year, got {"2026-02-29": []}.'),
        ('timezone = "UTC"\nholidays = {"20261225" = []}', 'hours.holidays: expected dates such as '
         '"2026-12-25", or "12-25" for every year, got {"20261225": []}.'),
        ('timezone = "UTC"\nwhen_closed = "sing"', 'hours.when_closed: expected "talk", '
         '"voicemail", "message", "person" or "hang_up", got "sing".'),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_meant_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(AgentError) as caught:
        loaded(tmp_path, f'instructions = "x"\n[hours]\nweek = {{}}\n{text}\n')
    assert str(caught.value).partition("toml:")[2].partition(": ")[2] == told
