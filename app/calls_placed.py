"""One call that the operator wants placed, by whoever places calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.call.events import OnAnswer
from app.carriers.asterisk.ari import Ari, AriError
from app.carriers.asterisk.placed import PlacedCall, PlacedSeals, new_id
from app.carriers.twilio.rest import TwilioRest
from app.pbx_carrier import ari_of
from app.rest_line import outgoing_of
from app.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    to: str = field(repr=False)
    from_: str = field(repr=False)
    agent: str
    ring_s: int
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    on_answer: OnAnswer | None = field(default=None, repr=False)


async def place(settings: Settings, wanted: Wanted) -> tuple[str, str]:
    """The call's id and its status. Raises `TwilioError`, or `AriError` and `PlacedInputError`."""
    if settings.places_by == "pbx":
        return await _by_the_pbx(settings, wanted)
    async with TwilioRest(
        settings.twilio_account_sid,
        settings.twilio_auth_tokens[0],
        public_url=settings.public_url,
        api_url=settings.twilio_api_url,
        timeout_s=settings.twilio_timeout_s,
        outgoing=outgoing_of(settings),
    ) as rest:
        info = await rest.place_call(
            wanted.to,
            wanted.from_,
            wanted.agent,
            ring_s=wanted.ring_s,
            variables=wanted.variables,
            on_answer=wanted.on_answer,
        )
    return info.call_sid, info.status


async def _by_the_pbx(settings: Settings, wanted: Wanted) -> tuple[str, str]:
    call = PlacedCall(
        call_id=new_id(),
        to=wanted.to,
        from_=wanted.from_,
        agent=wanted.agent,
        ring_s=wanted.ring_s,
        variables=wanted.variables,
        on_answer=wanted.on_answer,
    )
    ari = ari_of(settings)
    try:
        await ari.originate(PlacedSeals(settings.pbx_keys).originate(call))
    except AriError as error:
        if not (error.outcome_unknown and await _lives(ari, call.call_id)):
            raise
    return call.call_id, "queued"


async def _lives(ari: Ari, call_id: str) -> bool:
    """An answer was lost: whether the call is there all the same."""
    try:
        return await ari.channel(call_id) is not None
    except AriError:
        return False
