"""The one way in which a message leaves: to a cleared destination, never to who has opted out.

Whether somebody has opted out is asked last, right before the request: a STOP that came while the
answer was being written still counts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from app.carriers.twilio.errors import OptedOutError, RateError, TwilioError
from app.carriers.twilio.rest_messages import ClearedLike, Sender, SentMessage
from app.observe.log import event
from app.text.opt_outs import OptOuts

logger = logging.getLogger(__name__)

Sent: TypeAlias = Literal["sent", "opted_out", "refused", "failed", "unknown"]
"""sent: Twilio took it. opted_out: they want none. refused: policy does not allow it. failed: it
was not sent. unknown: it may have been; nobody sends it again."""

TRIES = 2
"""Of a message that Twilio refused because there were too many; others are sent once."""
RATE_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to get a message, and for whom it is sent. The numbers are personal data."""

    subject: str
    """The conversation or the call that it belongs to."""
    agent: str
    theirs: str = field(repr=False)
    own: str = field(repr=False)
    """Our number."""


class Clear(Protocol):
    async def __call__(self, to: Recipient, *, counts: bool) -> ClearedLike | None:
        """The destination, cleared by policy; None: it is refused, and the decision told.

        `counts`: it is a message of ours to count against the limits, and not an answer.
        """
        ...


Send: TypeAlias = Callable[[ClearedLike, Sender, str], Awaitable[SentMessage]]
"""Raises `TwilioError`."""


@dataclass(frozen=True, slots=True)
class Messenger:
    clear: Clear
    send: Send
    opt_outs: OptOuts
    told: Callable[[Sent], None] = lambda sent: None

    async def deliver(self, to: Recipient, sender: Sender, body: str) -> Sent:
        """Clear and send one message. Raises nothing but cancellation for what others did wrong."""
        cleared = await self.clear(to, counts=False)
        if cleared is None:
            self.told("refused")
            return "refused"
        return await self.deliver_cleared(cleared, to.subject, sender, body)

    async def deliver_cleared(
        self, to: ClearedLike, subject: str, sender: Sender, body: str
    ) -> Sent:
        """Send one message to who was cleared for it, unless they have opted out. `subject`: the
        call or conversation that it belongs to. Raises nothing, as `deliver`."""
        sent = await self._tried(to, subject, sender, body)
        self.told(sent)
        return sent

    async def _tried(self, to: ClearedLike, subject: str, sender: Sender, body: str) -> Sent:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(to, sender, body)
            except OptedOutError:
                await self.opt_outs.out(to.address, "carrier")
                return "opted_out"
            except TwilioError as error:
                if tries == TRIES or not isinstance(error, RateError):
                    return _not_sent(subject, error)
            await asyncio.sleep(RATE_PAUSE_S)

    async def _once(self, cleared: ClearedLike, sender: Sender, body: str) -> Sent:
        if await self.opt_outs.is_out(cleared.address):
            return "opted_out"
        await self.send(cleared, sender, body)
        return "sent"


def _not_sent(conversation: str, error: TwilioError) -> Sent:
    event(
        logger,
        logging.WARNING,
        "a text message was not sent",
        conversation=conversation,
        kind=type(error).__name__,
        code=error.code,
        unknown=error.outcome_unknown,
    )
    return "unknown" if error.outcome_unknown else "failed"
