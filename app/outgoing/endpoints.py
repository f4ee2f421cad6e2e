"""Where an agent's events go, and with which secrets they are signed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.outgoing.events import CATALOGUE
from app.outgoing.signing import SecretError, read_secrets

OPERATORS_SECRET: Final = "EARSHOT_WEBHOOK_SECRET"


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    secret_name: str
    """The environment variable that holds its secrets, which themselves are stored nowhere."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Who is told of an agent's calls."""

    endpoints: tuple[Endpoint, ...] = ()
    events: frozenset[str] = frozenset()
    """What the agent's own endpoints are told."""
    everywhere: tuple[Endpoint, ...] = ()
    """Those that are told everything of every agent."""
    numbers: bool = False

    def of(self, event_type: str) -> tuple[Endpoint, ...]:
        own = self.endpoints if event_type in self.events else ()
        both = {endpoint.url: endpoint for endpoint in (*self.everywhere, *own)}
        return tuple(both.values())


NOBODY: Final = Targets()
ALL_EVENTS: Final = frozenset(kind.type for kind in CATALOGUE)

TargetsOf: TypeAlias = Callable[[str], Targets]
"""By an agent's name. Never raises: an agent that is not known has none."""
SecretsOf: TypeAlias = Callable[[str], tuple[str, ...]]
"""By the name of a variable. Raises `SecretError`."""


def secrets_from(environment: Mapping[str, str], operators: str = "") -> SecretsOf:
    """`operators`: the value of the settings' own variable, which may stand in `.env` only."""

    def secrets_of(name: str) -> tuple[str, ...]:
        text = environment.get(name, "") or (operators if name == OPERATORS_SECRET else "")
        if not text.strip():
            raise SecretError("it is not set")
        return read_secrets(text)

    return secrets_of
