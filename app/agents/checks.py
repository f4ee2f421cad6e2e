"""What pydantic cannot see of an agent: one part of its file against another."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.agents.agent import Agent
from app.agents.placeholders import NAME, names_in
from app.agents.toml_file import Key, Wrong
from app.agents.variables import ALWAYS, BUILT_IN, SIP, variables_in


def mistakes(agent: Agent, file: Mapping[str, Any]) -> Iterator[Wrong]:
    """`file`: the tables that the agent was made of, without defaults."""
    yield from _timezone(agent)
    yield from _variables(agent)
    yield from _placeholders(agent)
    yield from _text_messages(agent, file)


def _timezone(agent: Agent) -> Iterator[Wrong]:
    try:
        ZoneInfo(agent.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f'expected a time zone such as "Europe/Berlin", got "{agent.timezone}".'
        yield Wrong(("timezone",), text)


def _variables(agent: Agent) -> Iterator[Wrong]:
    for name in agent.variables:
        key: Key = ("variables", name)
        if not NAME.match(name):
            yield Wrong(key, "expected a name of small letters, digits and _.")
        elif name in ALWAYS:
            yield Wrong(key, "expected another name: this one is known in every call.")


def _placeholders(agent: Agent) -> Iterator[Wrong]:
    asked = agent.lookup
    known = {*BUILT_IN, *agent.variables}
    for name in names_in(asked.url) if asked else ():
        if name not in known and not _is_sip(name):
            yield Wrong(("lookup", "url"), _unknown(name, known), name)
    known |= set(asked.fields) if asked else set()
    for key, text, spoken in variables_in(agent):
        for name in names_in(text):
            if name not in known and not _is_sip(name):
                yield Wrong(key, _unknown(name, known), name)
            elif spoken and name not in agent.variables and name not in ALWAYS:
                yield Wrong(
                    key,
                    f"expected a default for {name} in [variables]: what is spoken must also be "
                    f"right when it is not known.",
                    name,
                )
    for name in names_in(agent.filler):
        text = "expected no {{...}}: it is spoken from a recording."
        yield Wrong(("filler",), text, name)


def _text_messages(agent: Agent, file: Mapping[str, Any]) -> Iterator[Wrong]:
    """Callers are sent one only where the file says what it is sent from, and something is in it.
    The ladder's default holds "sms" for those who have that; who writes it down wants it."""
    sms = agent.sms
    wanted: list[Key] = [
        ("menu", "options", at, "go")
        for at, option in enumerate(agent.menu.options)
        if option.go == "sms"
    ]
    if "sms" in file.get("ladder", {}).get("rungs", ()):
        wanted.insert(0, ("ladder", "rungs"))
    for key in wanted if not (sms.from_number or sms.messaging_service) else ():
        yield Wrong(
            key,
            'expected from_number or messaging_service in [sms] for "sms", got neither. Say there '
            'what text messages are sent from, or leave "sms" out.',
        )
    if wanted and not sms.first_message.replace("{link}", sms.link).strip():
        text = "expected words or a link in the text message, got neither. Write some, or set link."
        yield Wrong(("sms", "first_message"), text)


def _is_sip(name: str) -> bool:
    return name.startswith(SIP) and NAME.match(name) is not None


def _unknown(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {{{{{near[0]}}}}}?" if near else "give it a default in [variables]."
    return f"there is no variable {{{{{name}}}}}; {hint}"
