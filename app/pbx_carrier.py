"""The operator's PBX as the carrier that campaigns know: their port, by ARI.

A channel's id is made of the attempt that it is, so asking for an attempt twice makes one call, as
long as that lives. ARI knows live channels only: an attempt that has none may never have reached
the PBX, or may be over already. So nobody is ever told that it was not placed.
"""

from collections.abc import Sequence
from typing import Final

from app.campaigns.ports import (
    CallFate,
    FateUnknownError,
    LiveCalls,
    NotPlacedError,
    Order,
    Placed,
    Seen,
)
from app.carriers.asterisk.ari import UP, Ari, AriError, Channel, Trouble
from app.carriers.asterisk.placed import (
    PlacedCall,
    PlacedInputError,
    PlacedSeals,
    attempt_of,
    id_of_attempt,
)
from app.settings import Settings

CONFIGURED_AGAIN_MS: Final = 60_000
"""Until it is tried again what would go wrong with any number, such as a wrong password."""
AWAY_AGAIN_MS: Final = 3_000
"""... where the PBX could not be reached."""
ITS_OWN_TRUNK: Final = "the PBX's dialplan says by which trunk calls leave: no trunk in the plan"


def ari_of(settings: Settings) -> Ari:
    """Of the PBX that places calls."""
    return Ari(settings.ari_url, settings.ari_user, settings.ari_password.get_secret_value())


class PbxCarrier:
    """See `app.campaigns.ports.Carrier`. `end` raises `FateUnknownError` too."""

    def __init__(self, ari: Ari, seals: PlacedSeals) -> None:
        self._ari = ari
        self._seals = seals

    async def place(self, order: Order) -> Placed:
        """Machines are told by the bot's own ears: nothing of `detect_machine` is asked of a
        PBX."""
        if order.trunk:
            raise NotPlacedError(ITS_OWN_TRUNK, again_after_ms=CONFIGURED_AGAIN_MS)
        try:
            call = _call_of(order)
            await self._ari.originate(self._seals.originate(call))
        except PlacedInputError as error:
            raise NotPlacedError(str(error)) from error
        except AriError as error:
            if not error.outcome_unknown:
                raise _refusal(error) from error
            await self._surely_there(id_of_attempt(order.attempt_id), error)
        return Placed(call.call_id)

    async def _surely_there(self, call_id: str, lost: AriError) -> None:
        """An answer was lost: a channel that lives is the call."""
        try:
            found = await self._ari.channel(call_id)
        except AriError as error:
            raise FateUnknownError(error.why) from error
        if found is None:
            raise FateUnknownError(lost.why)

    async def calls(self, to: str, from_: str, since_ms: int) -> Sequence[Seen]:
        """All that live, whatever their numbers: each names its attempt."""
        try:
            channels = await self._ari.channels()
        except AriError as error:
            raise FateUnknownError(error.why) from error
        return LiveCalls(_seen(channel) for channel in channels if attempt_of(channel.id))

    async def call(self, call_id: str) -> Seen | None:
        try:
            channel = await self._ari.channel(call_id)
        except AriError as error:
            raise FateUnknownError(error.why) from error
        return None if channel is None else _seen(channel)

    async def end(self, call_id: str) -> None:
        try:
            await self._ari.hang_up(call_id)
        except AriError as error:
            raise FateUnknownError(error.why) from error


def _call_of(order: Order) -> PlacedCall:
    """Raises `PlacedInputError`."""
    return PlacedCall(
        call_id=id_of_attempt(order.attempt_id),
        to=order.to,
        from_=order.from_,
        agent=order.agent,
        ring_s=order.ring_s,
        variables=order.variables,
        attempt_id=order.attempt_id,
        on_answer=order.on_answer,
    )


def _refusal(error: AriError) -> NotPlacedError:
    """Nothing of it is a contact's fault."""
    away = error.trouble is Trouble.AWAY
    return NotPlacedError(error.why, again_after_ms=AWAY_AGAIN_MS if away else CONFIGURED_AGAIN_MS)


def _seen(channel: Channel) -> Seen:
    fate: CallFate = "in-progress" if channel.state == UP else "ringing"
    return Seen(channel.id, fate, channel.created_ms, attempt_of(channel.id))
