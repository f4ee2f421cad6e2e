"""Over real sockets: what is asked about calls that no model carries is answered only to Twilio,
only for URLs of ours, and always with TwiML that leads somewhere."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from app.call.endings import EndReason
from app.carriers.twilio.door import Ending
from app.carriers.twilio.onward import Caller, Held, Outcome, Ready
from app.carriers.twilio.onward_routes import CALLER_GONE, NOT_UNDERSTOOD
from app.onward.happenings import (
    Apologise,
    AskMenu,
    BackToAgent,
    Chose,
    Dialled,
    Fell,
    HangUp,
    Happening,
    PutThrough,
    Recorded,
    TakeMessage,
    Wanted,
)
from app.onward.journey import Journey, Stop
from app.onward.news import News, unpacked
from app.onward.plan import Plan
from app.onward.ways import MenuOption, Way
from tests.carriers.twilio.test_onward_twiml import cleared
from tests.carriers.twilio.twilio_side import (
    CALL,
    PUBLIC,
    Answered,
    Stage,
    Twilio,
    World,
    door,
    sign,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON = "CA" + "0d" * 16
HERE = Journey("reception", stop=Stop.MENU, steps=2, facts="sealed")
HELD = replace(HERE, stop=Stop.HELD, hold="h1")
FORM = (("CallSid", CALL), ("CallStatus", "in-progress"))
OF_PERSON = (("CallSid", PERSON), ("CallStatus", "in-progress"))
PATHS = ("onward", "whisper", "person", "held", "message")


@dataclass
class Front:
    """A desk and its waiting room, whose answers a test gives; what it was asked is kept."""

    step: Any = None
    destination: Any = None
    happened: list[Happening] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    settled: list[tuple[Held, Outcome]] = field(default_factory=list)
    others: list[tuple[str, Held]] = field(default_factory=list)
    messages: list[Mapping[str, str]] = field(default_factory=list)
    wins: bool = True
    error: Exception | None = None

    @property
    def untouched(self) -> bool:
        return not (self.happened or self.settled or self.others or self.messages)

    @property
    def waiting(self) -> "Front":
        return self

    async def after(self, caller: Caller, journey: Journey, happening: Happening) -> Ready:
        if self.error is not None:
            raise self.error
        self.happened.append(happening)
        self.callers.append(caller)
        self.journeys.append(journey)
        return Ready(self.step or HangUp(journey), self.destination, person_sid=PERSON)

    async def briefing(self, caller_sid: str, journey: Journey) -> str:
        return f"A caller, {caller_sid[:4]}."

    async def settle(self, held: Held, outcome: Outcome) -> bool:
        self.settled.append((held, outcome))
        return self.wins

    async def met(self, held: Held) -> None:
        self.others.append(("met", held))

    async def person_over(self, held: Held, outcome: Outcome) -> None:
        self.others.append((outcome, held))

    async def stop_ringing(self, held: Held) -> None:
        self.others.append(("stop", held))

    async def message_left(
        self, caller: Caller, journey: Journey, fields: Mapping[str, str]
    ) -> None:
        self.messages.append(fields)


@pytest.fixture
def front() -> Front:
    return Front()


@pytest_asyncio.fixture(loop_scope="module")
async def twilio(stage: Stage, front: Front) -> AsyncIterator[Twilio]:
    async with stage.serving(door(World(), onward=front)) as client:
        yield client


def path(name: str, journey: Journey = HERE, **more: str) -> str:
    return f"/twilio/{name}?{urlencode({**journey.as_query(), **more})}"


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path.removeprefix('/earshot')}?{parts.query}"


def query_of(answer: Answered, verb: str) -> dict[str, str]:
    query = parse_qs(urlsplit(answer.find(verb)["action"]).query)
    return {name: value for name, [value] in query.items()}


# Who is answered at all


@pytest.mark.parametrize("name", PATHS)
async def test_what_twilio_did_not_sign_reaches_nobody(
    twilio: Twilio, front: Front, name: str
) -> None:
    url = path(name, HELD, caller=CALL, person=PERSON)
    for changes in (
        {"auth": "another-token"},
        {"headers": {"X-Twilio-Signature": None}},
        {"headers": {"X-Twilio-Signature": "bm90aGluZw=="}},
        {"body": urlencode([*FORM, ("Digits", "1")]).encode()},
    ):
        answer = await twilio.post(url, FORM, **changes)
        assert answer.status == 403
    assert front.untouched


async def test_another_query_than_the_signed_one_reaches_nobody(
    twilio: Twilio, front: Front
) -> None:
    signature = sign(f"{PUBLIC}{path('onward')}", FORM)
    forged = path("onward", replace(HERE, agent="sales"))
    assert (
        await twilio.post(forged, FORM, headers={"X-Twilio-Signature": signature})
    ).status == 403
    assert front.untouched


@pytest.mark.parametrize("name", PATHS)
async def test_only_post_is_taken(twilio: Twilio, front: Front, name: str) -> None:
    assert (await twilio.get(path(name, HELD, caller=CALL))).status == 405
    assert front.untouched


@pytest.mark.parametrize(
    "url",
    [
        "/twilio/onward",
        "/twilio/onward?stop=nowhere",
        "/twilio/onward?stop=menu&rung=x",
        "/twilio/message",
        path("whisper", HELD),
        path("whisper", HELD, caller="CA1"),
        path("held", HELD, person=PERSON),
    ],
)
async def test_a_url_that_is_none_of_ours_is_refused(
    twilio: Twilio, front: Front, url: str
) -> None:
    assert (await twilio.post(url, FORM)).status == 400
    assert front.untouched


# /twilio/onward


async def test_the_journey_goes_on_from_where_the_url_says(twilio: Twilio, front: Front) -> None:
    await twilio.post(path("onward"), (*FORM, ("Digits", "2"), ("From", "+1"), ("To", "+2")))
    assert front.journeys == [HERE]
    assert front.happened == [Chose("2")]
    [caller] = front.callers
    assert (caller.call_sid, caller.from_number, caller.to_number) == (CALL, "+1", "+2")


async def test_a_call_that_is_over_asks_nobody(twilio: Twilio, front: Front) -> None:
    for status in ("completed", "busy", "failed", "no-answer", "canceled"):
        form = (("CallSid", CALL), ("CallStatus", status))
        assert (await twilio.post(path("onward"), form)).verbs == ["Hangup"]
    assert front.untouched


async def test_a_caller_who_is_brought_back_brings_the_reason(twilio: Twilio, front: Front) -> None:
    await twilio.post(path("onward", HELD, end="declined"), FORM)
    assert front.happened == [Dialled("declined")]


@pytest.mark.parametrize(
    ("step", "verbs"),
    [
        (AskMenu(HERE, (MenuOption("1", "it", ("it",), "hang_up"),), 6, "Hello."), ["Gather"]),
        (TakeMessage(HERE, 60, "Speak."), ["Say", "Record", "Redirect"]),
        (HangUp(HERE, "Bye."), ["Say", "Hangup"]),
        (HangUp(HERE), ["Hangup"]),
        (Apologise(HERE), ["Say", "Hangup"]),
        (PutThrough(HERE, Way("desk"), "Wait."), ["Say", "Dial"]),
        (PutThrough(HELD, Way("desk", how="warm")), ["Dial"]),
        (BackToAgent(HERE, "busy"), ["Connect"]),
    ],
)
async def test_every_step_is_a_document(
    twilio: Twilio, front: Front, step: Any, verbs: list[str]
) -> None:
    front.step, front.destination = step, cleared("+14155550100")
    assert (await twilio.post(path("onward"), FORM)).verbs == verbs


async def test_a_caller_who_comes_back_brings_the_news_and_the_facts(
    twilio: Twilio, front: Front
) -> None:
    front.step = BackToAgent(replace(HERE, agent="sales", to="desk"), "busy")
    answer = await twilio.post(path("onward"), FORM)
    assert answer.grant.agent == "sales"
    assert unpacked(answer.grant.news) == News("busy", "desk")
    assert query_of(answer, "Connect")["facts"] == "sealed"
    assert query_of(answer, "Connect")["resumed"] == "0"


async def test_a_silent_recording_asks_the_same_way_as_a_message(
    twilio: Twilio, front: Front
) -> None:
    front.step = TakeMessage(replace(HERE, stop=Stop.VOICEMAIL), 60, "Speak.")
    answer = await twilio.post(path("onward"), FORM)
    await twilio.post(path_of(answer.find("Record")["action"]), (*FORM, ("RecordingDuration", "4")))
    await twilio.post(path_of(answer.find("Record")["action"]), FORM)
    assert front.happened[1:] == [Recorded(4), Recorded(0)]


async def test_what_breaks_on_our_side_ends_in_words(twilio: Twilio, front: Front) -> None:
    front.error = RuntimeError("broken")
    assert (await twilio.post(path("onward"), FORM)).verbs == ["Say", "Hangup"]


# The stream's end


@pytest.mark.parametrize(
    ("ending", "happening"),
    [
        (
            Ending(EndReason.HANDED_ON, Plan("transfer", "desk").packed()),
            Wanted("transfer", "desk"),
        ),
        (Ending(EndReason.HANDED_ON, "nonsense"), Fell()),
        (Ending(EndReason.MODEL_FAILED), Fell()),
    ],
)
async def test_a_stream_that_has_ended_begins_a_journey(
    stage: Stage, front: Front, ending: Ending, happening: Happening
) -> None:
    async def ending_of(call_sid: str) -> Ending | None:
        return ending

    async with stage.serving(door(World(), onward=front, ending_of=ending_of)) as twilio:
        answer = await twilio.post("/twilio/stream-ended?agent=reception", FORM)
    assert answer.verbs == ["Hangup"]
    assert front.happened == [happening]
    assert front.journeys[0].facts, "what is known of the call goes with it"


# The person whom a caller waits for


def whisper(asked: int = 0) -> str:
    more = {"asked": str(asked)} if asked else {}
    return path("whisper", HELD, caller=CALL, **more)


async def test_the_person_is_told_and_asked(twilio: Twilio, front: Front) -> None:
    answer = await twilio.post(whisper(), OF_PERSON)
    assert answer.verbs == ["Gather"]
    assert "A caller, CA0b." in answer.text
    query = query_of(answer, "Gather")
    assert (query["asked"], query["caller"], query["hold"]) == ("1", CALL, "h1")
    assert front.settled == []


async def test_a_person_who_accepts_joins_the_caller(twilio: Twilio, front: Front) -> None:
    answer = await twilio.post(whisper(1), (*OF_PERSON, ("Digits", "1")))
    assert answer.verbs == ["Dial"]
    assert f"earshot-{CALL}" in answer.text
    assert front.settled == [(Held(CALL, PERSON, HELD), "joined")]


async def test_a_person_who_is_too_late_is_told_so(twilio: Twilio, front: Front) -> None:
    front.wins = False
    answer = await twilio.post(whisper(1), (*OF_PERSON, ("SpeechResult", "accept")))
    assert answer.verbs == ["Say", "Hangup"]
    assert CALLER_GONE in answer.text


async def test_a_person_whose_caller_has_gone_is_told_so_at_once(
    twilio: Twilio, front: Front
) -> None:
    answer = await twilio.post(path("whisper", HELD, caller=CALL, gone="1"), OF_PERSON)
    assert CALLER_GONE in answer.text
    assert answer.verbs == ["Say", "Hangup"]
    assert front.settled == []


@pytest.mark.parametrize("said", [("Digits", "2"), ("SpeechResult", "no"), ("Digits", "")])
async def test_a_person_who_declines_or_chooses_nothing_ends_it(
    twilio: Twilio, front: Front, said: tuple[str, str]
) -> None:
    answer = await twilio.post(whisper(1), (*OF_PERSON, said))
    assert answer.verbs == ["Say", "Hangup"]
    assert [outcome for _, outcome in front.settled] == ["declined"]


async def test_a_person_who_says_something_else_is_asked_three_times_and_no_more(
    twilio: Twilio, front: Front
) -> None:
    url = whisper(1)
    for _ in range(2):
        answer = await twilio.post(url, (*OF_PERSON, ("SpeechResult", "hello?")))
        assert NOT_UNDERSTOOD in answer.text
        url = path_of(answer.find("Gather")["action"])
    answer = await twilio.post(url, (*OF_PERSON, ("SpeechResult", "hello?")))
    assert answer.verbs == ["Say", "Hangup"]
    assert [outcome for _, outcome in front.settled] == ["declined"]


@pytest.mark.parametrize(
    ("status", "outcome"), [("completed", "declined"), ("busy", "busy"), ("canceled", "no_answer")]
)
async def test_the_end_of_the_persons_call_is_told(
    twilio: Twilio, front: Front, status: str, outcome: str
) -> None:
    form = (("CallSid", PERSON), ("CallStatus", status))
    assert (await twilio.post(path("person", HELD, caller=CALL), form)).status == 204
    assert front.others == [(outcome, Held(CALL, PERSON, HELD))]


async def test_a_persons_call_that_goes_on_is_no_end(twilio: Twilio, front: Front) -> None:
    assert (await twilio.post(path("person", HELD, caller=CALL), OF_PERSON)).status == 204
    assert front.untouched


def at_conference(event: str, label: str, call_sid: str) -> tuple[tuple[str, str], ...]:
    return (
        ("CallSid", call_sid),
        ("StatusCallbackEvent", event),
        ("ParticipantLabel", label),
    )


async def test_who_comes_and_goes_at_the_conference_is_told(twilio: Twilio, front: Front) -> None:
    url, held = path("held", HELD, caller=CALL, person=PERSON), Held(CALL, PERSON, HELD)
    for event, label, sid in (
        ("participant-join", "caller", CALL),
        ("participant-leave", "person", PERSON),
        ("conference-end", "", CALL),
    ):
        assert (await twilio.post(url, at_conference(event, label, sid))).status == 204
    assert front.untouched
    await twilio.post(url, at_conference("participant-join", "person", PERSON))
    await twilio.post(url, at_conference("participant-leave", "caller", CALL))
    assert front.others == [("met", held), ("stop", held)]
    assert front.settled == [(held, "gone")]


async def test_a_caller_who_leaves_when_all_is_settled_stops_nobody(
    twilio: Twilio, front: Front
) -> None:
    front.wins = False
    url = path("held", HELD, caller=CALL, person=PERSON)
    await twilio.post(url, at_conference("participant-leave", "caller", CALL))
    assert front.others == []


async def test_a_voicemail_that_is_ready_is_told(twilio: Twilio, front: Front) -> None:
    form = (*FORM, ("RecordingSid", "RE1"), ("RecordingStatus", "completed"))
    assert (await twilio.post(path("message"), form)).status == 204
    assert front.messages[0]["RecordingSid"] == "RE1"


async def test_a_recording_that_there_is_not_is_no_message(twilio: Twilio, front: Front) -> None:
    form = (*FORM, ("RecordingSid", "RE1"), ("RecordingStatus", "absent"))
    assert (await twilio.post(path("message"), form)).status == 204
    assert front.messages == []
