"""A desk that knows no way on: every call that needs one hears the apology."""

from collections.abc import Mapping

from app.carriers.twilio.onward import Caller, Outcome, Ready
from app.onward.happenings import Apologise, Happening
from app.onward.journey import Journey, Stop


class Nowhere:
    """See `app.carriers.twilio.onward.OnwardDesk`."""

    async def after(self, caller: Caller, journey: Journey, happening: Happening) -> Ready:
        return Ready(Apologise(journey.at(Stop.OVER)))

    async def briefing(self, caller_sid: str, journey: Journey) -> str:
        return ""

    async def settle(self, caller_sid: str, journey: Journey, outcome: Outcome) -> bool:
        return False

    async def stop_ringing(self, person_sid: str) -> None:
        raise AssertionError("nobody rings")

    async def message_left(
        self, caller: Caller, journey: Journey, fields: Mapping[str, str]
    ) -> None:
        raise AssertionError("nobody takes messages")
