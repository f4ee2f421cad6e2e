"""What is written down about a call when it is over, and who is told: `[after_call]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, with_config

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
_Url: TypeAlias = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https://[!-~]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[!-~]*)?)$"
    ),
]

EventName: TypeAlias = Literal[
    "call.started",
    "call.ended",
    "call.summarised",
    "call.transferred",
    "message.taken",
    "callback.requested",
    "sms.received",
    "voicemail.left",
]
FieldType: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "date", "time", "datetime", "phone", "email"
]
Included: TypeAlias = Literal["transcript", "timeline", "numbers"]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AfterField:
    """One fact that is looked for in what was said."""

    type: FieldType = "string"
    """What it must be; a value that is something else is not kept."""
    description: _Words
    """What it is, for the model."""
    enum: tuple[_Words, ...] = ()
    """The only values that it may have; for type "string". Default: any."""
    required: bool = False
    """The record says so when it was not found."""

    def __post_init__(self) -> None:
        if self.enum and self.type != "string":
            raise ValueError('enum beside type = "string" only')


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCall:
    """What a text model writes about each call, and who is told."""

    summary: bool = True
    """A summary in a few sentences."""
    dispositions: Mapping[_Name, _Words] = field(default_factory=dict)
    """How a call can have gone: name -> when. One of them is chosen. Default: none is."""
    fields: Mapping[_Name, AfterField] = field(default_factory=dict)
    """Facts by name."""
    model: str = ""
    """The text model that writes it. Default: EARSHOT_AFTER_CALL_MODEL."""
    webhook: tuple[_Url, ...] = ()
    """Addresses that are told of this agent's calls."""
    secret_env: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    """The environment variable that holds their secret, which signs; needed with `webhook`."""
    events: tuple[EventName, ...] = ()
    """What they are told. Default: everything."""
    include: tuple[Included, ...] = ()
    """What else webhooks hold: "transcript" and "timeline" of the call when it is summarised, the
    "numbers" of caller and called."""

    def __post_init__(self) -> None:
        if self.webhook and not self.secret_env:
            raise ValueError("secret_env beside webhook: the variable that holds its secret")

    @property
    def writes(self) -> bool:
        """A text model has something to do."""
        return self.summary or bool(self.dispositions) or bool(self.fields)
