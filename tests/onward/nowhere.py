"""A desk that knows no way on: every call that needs one hears the apology."""

from collections.abc import Mapping

from app.call.facts import CallFacts
from app.carriers.twilio.onward import Caller, Held, Outcome, Ready
from app.onward.happenings import Apologise, Happening
from app.onward.journey import Journey, Stop


class Nowhere:
    """See `app.carriers.twilio.onward.OnwardDesk`; its waiting room is empty."""

    @property
    def waiting(self) -> "Nowhere":
        return self

    async def after(self, caller: Caller, journey: Journey, happening: Happening) -> Ready:
        return Ready(Apologise(journey.at(Stop.OVER)))

    async def sent_on(self, caller: Caller, journey: Journey, target: str) -> Ready:
        return Ready(Apologise(journey.at(Stop.OVER)))

    def answered(self, journey: Journey, facts: CallFacts, said: Mapping[str, str]) -> CallFacts:
        return facts

    async def briefing(self, caller_sid: str, journey: Journey) -> str:
        return ""

    async def settle(self, held: Held, outcome: Outcome) -> bool:
        return False

    async def met(self, held: Held) -> None:
        raise AssertionError("nobody is held")

    async def person_over(self, held: Held, outcome: Outcome) -> None:
        raise AssertionError("nobody is held")

    async def stop_ringing(self, held: Held) -> None:
        raise AssertionError("nobody rings")

    async def message_left(
        self, caller: Caller, journey: Journey, fields: Mapping[str, str]
    ) -> None:
        raise AssertionError("nobody takes messages")
