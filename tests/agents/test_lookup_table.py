"""A `[lookup]` asks one place only, whatever the caller's data holds; mistakes are told."""

from pathlib import Path

import pytest

from app.agents import AgentError, load_agent
from app.agents.lookup_table import Lookup

FINE = """\
instructions = "Plan {{plan}}, {{caller_name}}, {{note}}."
[variables]
note = "none"
[lookup]
url = "https://crm.example.com/find?number={{caller_number}}&order={{sip_x_order}}"
fields = { plan = "/plan", caller_name = "/customer/name" }
secret_env = "CRM_SECRET"
sign = "webhook"
timeout_ms = 500
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "desk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_lookup_is_read(tmp_path: Path) -> None:
    assert load_agent(write(tmp_path, FINE)).lookup == Lookup(
        url="https://crm.example.com/find?number={{caller_number}}&order={{sip_x_order}}",
        fields={"plan": "/plan", "caller_name": "/customer/name"},
        secret_env="CRM_SECRET",
        sign="webhook",
        timeout_ms=500,
    )


LINE = FINE.splitlines()[4]
URL = 'an http:// or https:// address, with {{...}} only behind its "?"'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        *(
            (LINE, f'url = "{url}"', f'5: lookup.url: expected {URL}, got "{url}".')
            for url in (
                "https://{{sip_x_host}}/find?x=1",
                "https://crm.example.com/{{caller_number}}?x=1",
                "https://crm.example.com/?x=1#{{caller_number}}",
                "ftp://crm.example.com/?x",
                "https://user:key@crm.example.com/?x",
                "crm.example.com/?x",
            )
        ),
        ("{{sip_x_order}}", "{{ordr}}", "5: lookup.url: there is no variable {{ordr}}; give it a "
         "default in [variables]."),
        ("plan =", "date =", '6: lookup.fields: expected names of variables of your own, or '
         'caller_name, got {"date": "/plan", "caller_name": "/customer/name"}.'),
        ('"/plan"', '"plan"', '6: lookup.fields: expected JSON pointers such as "/customer/name", '
         'got {"plan": "plan", "caller_name": "/customer/name"}.'),
        ("500", "3001", "9: lookup.timeout_ms: expected a number less than or equal to 3000, got "
         "3001."),
        ("{{plan}}", "{{plam}}", "1: instructions: there is no variable {{plam}}; did you mean "
         "{{plan}}?"),
        ("CRM_SECRET", "sk-123", "7: lookup.secret_env: expected the name of an environment "
         "variable, got other characters."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = write(tmp_path, FINE.replace(old, new))
    with pytest.raises(AgentError) as caught:
        load_agent(path)
    assert f"{path}:{problem}" in str(caught.value).splitlines()


def test_what_a_lookup_brings_needs_a_default_where_it_is_spoken(tmp_path: Path) -> None:
    path = write(tmp_path, 'greeting = "Hello, {{plan}} caller."\n' + FINE)
    with pytest.raises(AgentError, match=r"greeting: expected a default for plan"):
        load_agent(path)
