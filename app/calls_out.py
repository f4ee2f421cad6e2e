"""Who places calls: Twilio, or the operator's PBX."""

from collections.abc import Callable
from typing import Final

from app.campaign_carrier import TwilioCarrier
from app.campaigns.loading import PlanError
from app.campaigns.plan import Plan
from app.campaigns.ports import Carrier
from app.carriers.asterisk.placed import PlacedSeals
from app.pbx_carrier import PbxCarrier, ari_of
from app.rest_line import RestLine
from app.settings import Settings

BY_ITS_BEEP: Final = (
    "Your PBX does not tell who answers. A machine is known by its beep only: without one, and for "
    "a fax, the agent talks as with a person (docs/answering-machines.md)."
)
NO_TEXTS: Final = (
    "The plan's text messages will fail: only a Twilio account sends them, and none is set."
)
NO_TRUNK: Final = (
    "caller_ids.trunk is for calls over Twilio. Your PBX places these: take it out of the "
    "campaign's file and set BOT_TRUNK in extensions.conf, or set EARSHOT_CALLS_OUT=twilio."
)


class UnfitPlanError(PlanError):
    """Whoever places the calls cannot go by this plan."""


def carrier_of(settings: Settings, rest: RestLine) -> Carrier:
    """For campaigns. `rest`: the line to Twilio, for the case that it is they."""
    if settings.places_by == "twilio":
        return TwilioCarrier(rest)
    return PbxCarrier(ari_of(settings), PlacedSeals(settings.pbx_keys))


def check_plan(settings: Settings, plan: Plan, note: Callable[[str], None]) -> None:
    """Before a campaign begins. `note` is told what will be otherwise than over Twilio. Raises
    `UnfitPlanError`."""
    if settings.places_by == "twilio":
        return
    if plan.caller_ids.trunk:
        raise UnfitPlanError(NO_TRUNK)
    if plan.machines.detect and plan.machines.on_machine != "talk":
        note(BY_ITS_BEEP)
    if any(step.then == "sms" for step in plan.steps) and not settings.twilio_account_sid:
        note(NO_TEXTS)
