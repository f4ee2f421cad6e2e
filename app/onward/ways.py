"""What an agent's calls may do outside the model, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

How: TypeAlias = Literal["cold", "warm", "refer"]
Rung: TypeAlias = Literal["menu", "person", "voicemail", "sms"]
Choice: TypeAlias = Literal["transfer", "say", "voicemail", "sms", "agent", "hang_up"]
BACK = "back"
VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Way:
    """A transfer. Where it leads is the policy's to know, under the same key."""

    key: str
    how: How = "cold"
    name: str = ""
    """As callers are told."""
    when: str = ""
    ring_s: int = 25
    otherwise: str = BACK
    """When nobody takes it: BACK, VOICEMAIL or another key."""
    caller_id: Literal["called", "caller"] = "called"
    music: str = ""
    answer_headers: tuple[str, ...] = ()
    """Of a SIP system's answer: told to the agent when the caller is back."""
    then: Literal["hang_up", "back"] = "hang_up"
    """When they have talked."""


@dataclass(frozen=True, slots=True)
class MenuOption:
    key: str
    label: str
    words: tuple[str, ...]
    """What may be said for it."""
    does: Choice
    value: str = ""
    """Of a transfer its key, of `say` the words."""


@dataclass(frozen=True, slots=True)
class MenuWays:
    words: str = ""
    options: tuple[MenuOption, ...] = ()
    wait_s: int = 6
    tries: int = 2


@dataclass(frozen=True, slots=True)
class VoicemailWays:
    words: str
    max_s: int
    thanks: str


@dataclass(frozen=True, slots=True)
class Ways:
    """Of one agent."""

    transfers: Mapping[str, Way] = field(default_factory=dict)
    rungs: tuple[Rung, ...] = ()
    """What the ladder has, in this order; nothing that is not configured."""
    sorry: str = "I am sorry, our assistant cannot be reached just now."
    person: str = ""
    """The transfer that is the rung "person"."""
    menu: MenuWays = field(default_factory=MenuWays)
    voicemail: VoicemailWays | None = None
    text: str = ""
    """Of the text message that is the rung "sms"; "": there is none."""
