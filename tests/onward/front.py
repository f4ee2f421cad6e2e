"""A desk with its waiting room, for tests of both."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from app.carriers.twilio.door import Ending
from app.carriers.twilio.onward import Caller, Held
from app.carriers.twilio.rest import TwilioRest
from app.desk import Desk
from app.gate import Gate, Who
from app.onward.journey import Journey, Stop
from app.onward.ways import VoicemailWays, Way, Ways
from app.policy.decisions import Decision
from app.policy.destinations import Cleared
from app.telling import Telling
from app.waiting_room import OutcomesHere, WaitingRoom
from tests.onward.house import CALL, CALLER, LINE, PERSON, house

ON_TELEPHONE = Caller(CALL, CALLER, LINE)
BY_SIP = Caller(CALL, "sip:ann@pbx.example.com", "sip:bot@house.sip.twilio.com")
WAYS = Ways(
    transfers={
        way.key: way
        for way in (
            Way("desk", otherwise="voicemail"),
            Way("chef", how="warm", ring_s=9),
            Way("abroad", otherwise="desk"),
            Way("pbx", how="refer"),
            Way("client", caller_id="caller"),
        )
    },
    rungs=("sms", "person", "voicemail"),
    sorry="Sorry.",
    person="desk",
    voicemail=VoicemailWays("Speak.", 60, "Thanks."),
    text="Hello again.",
)


@dataclass
class Front:
    """A desk, and what it was given."""

    folder: Path
    rest: TwilioRest | None = None
    ending: Ending | None = None
    ways: Ways = WAYS
    decisions: list[Decision] = field(default_factory=list)
    texts: list[tuple[Cleared, str]] = field(default_factory=list)
    sends: bool = True

    def __post_init__(self) -> None:
        self.agent, personas = house(self.folder)
        gate = Gate(personas, record=self._record)
        self.waiting = WaitingRoom(self._rest, self._ending, OutcomesHere())
        self.desk = Desk(
            ways=lambda agent: self.ways,
            gate=gate,
            waiting=self.waiting,
            send_text=self._send,
            telling=Telling(),
        )

    def _record(self, decision: Decision) -> None:
        self.decisions.append(decision)

    async def _rest(self) -> TwilioRest | None:
        return self.rest

    async def _ending(self, call_sid: str) -> Ending | None:
        return self.ending

    async def _send(self, who: Who, to: Cleared, text: str) -> bool:
        self.texts.append((to, text))
        return self.sends

    @property
    def start(self) -> Journey:
        return Journey(self.agent)

    def held(self, hold: str = "h1", person: str = PERSON) -> Held:
        return Held(CALL, person, replace(self.start, stop=Stop.HELD, to="chef", hold=hold))
