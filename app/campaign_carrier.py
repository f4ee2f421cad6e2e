"""Twilio as the carrier that campaigns know: their port, and the news of their calls."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast, get_args

from app.campaigns.ports import (
    CallFate,
    FateUnknownError,
    Heard,
    NotPlacedError,
    Order,
    Placed,
    Seen,
)
from app.carriers.twilio.attempts import AttemptProgress, Detection
from app.carriers.twilio.campaign_calls import AttemptCall, CampaignCalls, KnownCall
from app.carriers.twilio.errors import (
    AccountError,
    DestinationError,
    NumberError,
    RateError,
    TransportError,
    TwilioError,
)
from app.rest_line import RestLine

NO_ACCOUNT: Final = "no Twilio account is configured; see earshot doctor"
ACCOUNT_AGAIN_MS: Final = 60_000
"""Until it is tried again what would go wrong with any number, such as a wrong password."""
FULL_AGAIN_MS: Final = 5_000
"""... what there is no room for: too many calls at once."""
RATE_AGAIN_MS: Final = 1_000
"""... what was too quick, where Twilio does not say when."""
AWAY_AGAIN_MS: Final = 3_000
"""... where Twilio could not be reached."""
BESIDE: Final = -1
"""The sequence of what stands outside the carrier's order."""

_TOO_MANY_CALLS: Final = 10004
_WRONG_CALLER_IDS: Final = frozenset({21210, 21212, 21213})
_FATES: Final = frozenset(get_args(CallFate))


class TwilioCarrier:
    """See `app.campaigns.ports.Carrier`. `end` raises `FateUnknownError` too."""

    def __init__(self, line: RestLine) -> None:
        self._line = line

    async def place(self, order: Order) -> Placed:
        rest = await self._line()
        if rest is None:
            raise NotPlacedError(NO_ACCOUNT, again_after_ms=ACCOUNT_AGAIN_MS)
        call = AttemptCall(
            attempt_id=order.attempt_id,
            to=order.to,
            from_=order.from_,
            agent=order.agent,
            ring_s=order.ring_s,
            detect_machine=order.detect_machine,
            variables=order.variables,
            byoc=order.trunk,
            on_answer=order.on_answer,
        )
        try:
            return Placed(await CampaignCalls(rest).place(call))
        except TwilioError as error:
            raise refusal(error) from error

    async def calls(self, to: str, from_: str, since_ms: int) -> Sequence[Seen]:
        """Also those of half a minute before `since_ms`, since clocks differ; which calls are known
        already by other attempts is not known here."""
        try:
            found = await (await self._calls()).between(to, from_, since_ms)
        except TwilioError as error:
            raise FateUnknownError(error.why) from error
        return [_seen(call) for call in found]

    async def call(self, call_id: str) -> Seen | None:
        try:
            call = await (await self._calls()).fetch(call_id)
        except TwilioError as error:
            raise FateUnknownError(error.why) from error
        return None if call is None else _seen(call)

    async def end(self, call_id: str) -> None:
        try:
            await (await self._calls()).end(call_id)
        except TwilioError as error:
            raise FateUnknownError(error.why) from error

    async def _calls(self) -> CampaignCalls:
        rest = await self._line()
        if rest is None:
            raise FateUnknownError(NO_ACCOUNT)
        return CampaignCalls(rest)


def refusal(error: TwilioError) -> NotPlacedError | FateUnknownError:
    """What came of a request to place a call. What would go wrong with any number is to be tried
    again, and no contact's fault."""
    if error.outcome_unknown:
        return FateUnknownError(error.why)
    wrong = isinstance(error, NumberError)
    return NotPlacedError(error.why, number_is_wrong=wrong, again_after_ms=_again_ms(error))


def _again_ms(error: TwilioError) -> int | None:
    if isinstance(error, RateError):
        usual = FULL_AGAIN_MS if error.code == _TOO_MANY_CALLS else RATE_AGAIN_MS
        return usual if error.retry_after_s is None else int(error.retry_after_s * 1000)
    if isinstance(error, TransportError):
        return AWAY_AGAIN_MS
    if isinstance(error, DestinationError):
        return None
    if isinstance(error, AccountError) or error.code in _WRONG_CALLER_IDS:
        return ACCOUNT_AGAIN_MS
    return None


class TwilioNews:
    """See `app.carriers.twilio.attempts.AttemptNews`. `keep` raises when it cannot."""

    def __init__(self, keep: Callable[[Heard], Awaitable[None]]) -> None:
        self._keep = keep

    async def progressed(self, news: AttemptProgress) -> None:
        step = news.progress
        await self._keep(
            Heard(
                news.attempt_id,
                step.call_sid,
                step.state.value,
                step.sequence,
                news.at_ms,
                step.duration_s,
                news.answered_by,
                step.sip_code,
            )
        )

    async def detected(self, found: Detection) -> None:
        await self._keep(
            Heard(
                found.attempt_id,
                found.call_sid,
                "in-progress",
                BESIDE,
                found.at_ms,
                answered_by=found.answered_by,
            )
        )


def _seen(call: KnownCall) -> Seen:
    if call.status not in _FATES:
        raise FateUnknownError("expected a status of a call that we know")
    return Seen(call.call_sid, cast("CallFate", call.status), call.created_ms)
