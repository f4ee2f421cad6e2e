"""The table `[sms]` of an agent: how it goes on by text message."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, with_config

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """How it goes on by text message. The texts are sent word for word."""

    from_number: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{7,14})?$")] = ""
    """The number that its messages come from. Default: the one that was called or written to."""
    messaging_service: Annotated[str, Field(pattern=r"^(MG[0-9a-fA-F]{32})?$")] = ""
    """A Twilio messaging service that sends them instead."""
    text_model: str = ""
    """A text model of its own. Default: EARSHOT_TEXT_MODEL."""
    offer: _Words = "Would you like to go on by text message? I can send you one now."
    """What callers are told when going on by text would serve them better."""
    first_message: _Words = (
        "You can go on here by text message. Reply STOP to end, HELP for help. {link}"
    )
    """What the caller is sent when the call goes on by text. {link} becomes `link`."""
    link: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """An address that the first message may show."""
    help: _Words = (
        "You are writing with our automated assistant. To talk to us, call this number. "
        "Reply STOP to get no more messages."
    )
    """The answer to HELP: say who you are, and how to stop."""
    sorry: _Words = (
        "Sorry, we cannot answer by text message at the moment. Please call us, or write again "
        "later. Reply STOP to get no more messages."
    )
    """Sent once when no answer can be written."""
    messages_per_day: Annotated[int, Field(ge=0, le=1_000)] = 60
    """The most that one person is sent in 24 hours. 0: none, messages stay unanswered."""
    usd_per_day: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    """The most that one person's answers may cost in 24 hours, in US dollars. 0: no limit."""
