"""What the operator's systems are told: a small catalogue, one type for each kind of event.

`emit` takes any of them. `caller` and `called` are sent only to agents' webhooks that include the
numbers. Field names are the keys of the webhook's `data`, but for those in `_OURS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar, Final, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfCall:
    type: ClassVar[str]
    call_id: str
    """The carrier's id of the call; "" where there is no call."""
    agent: str
    """Whose webhooks are told."""
    direction: str = ""
    caller: str = field(default="", repr=False)
    called: str = field(default="", repr=False)
    occurrence: str = ""
    """Tells events of one kind in one call apart, such as the id of the tool's run. An event that
    is emitted again under the same one is the same message: it is delivered once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(_OfCall):
    type: ClassVar[str] = "call.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(_OfCall):
    type: ClassVar[str] = "call.ended"
    reason: str
    """docs/how-a-call-ends.md, or the carrier's state where no stream ended the call."""
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummarised(_OfCall):
    """What a text model wrote about the call. Absent keys were not asked for."""

    type: ClassVar[str] = "call.summarised"
    result: Mapping[str, object] = field(repr=False)
    """Its keys stand in `data` itself, see `app.after.extraction.Extracted.as_json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTransferred(_OfCall):
    type: ClassVar[str] = "call.transferred"
    target: str
    """The name under which the agent's file has it."""
    kind: str = ""
    """cold, warm, refer, queue, ..."""
    outcome: str = ""
    """accepted, declined, no_answer, ...; "": not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTaken(_OfCall):
    type: ClassVar[str] = "message.taken"
    text: str = field(repr=False)
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    urgent: bool = False
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRequested(_OfCall):
    type: ClassVar[str] = "callback.requested"
    number: str = field(repr=False)
    at: str = ""
    """When, ISO 8601 or as the caller said it; "": any time."""
    name: str = field(default="", repr=False)
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsReceived(_OfCall):
    type: ClassVar[str] = "sms.received"
    message_id: str
    sender: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailLeft(_OfCall):
    type: ClassVar[str] = "voicemail.left"
    recording_url: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestEvent(_OfCall):
    """Sent by `earshot webhooks test` only."""

    __test__: ClassVar[bool] = False
    type: ClassVar[str] = "webhook.test"


OutgoingEvent: TypeAlias = (
    CallStarted
    | CallEnded
    | CallSummarised
    | CallTransferred
    | MessageTaken
    | CallbackRequested
    | SmsReceived
    | VoicemailLeft
    | TestEvent
)
CATALOGUE: Final = (
    CallStarted,
    CallEnded,
    CallSummarised,
    CallTransferred,
    MessageTaken,
    CallbackRequested,
    SmsReceived,
    VoicemailLeft,
)
"""Everything that an agent's `events` can name, by `type`."""

_OURS: Final = ("occurrence", "result", "caller", "called")


def data_of(event: OutgoingEvent, *, numbers: bool) -> dict[str, object]:
    """The webhook's `data`. `numbers`: with those of caller and called, as `from` and `to`."""
    data = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in _OURS}
    if numbers:
        data |= {"from": event.caller, "to": event.called}
    if isinstance(event, CallSummarised):
        data |= event.result
    return data
