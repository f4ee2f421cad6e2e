"""What Twilio tells of a campaign's call is answered only once it was kept: each copy of it is told
on, late or not, and when it cannot be kept Twilio is asked to come again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import pytest_asyncio

from app.carriers.twilio.attempts import AttemptProgress, Detection, read_detection
from app.carriers.twilio.progress import CallProgress, CallState
from tests.carriers.twilio.twilio_side import CALL, NOW_S, Form, Stage, Twilio, World, door

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW_MS = int(NOW_S * 1000)
AMD: Form = [
    ("CallSid", CALL),
    ("AccountSid", "AC1"),
    ("AnsweredBy", "machine_end_beep"),
    ("MachineDetectionDuration", "5200"),
]


@dataclass
class News:
    """Keeps what it is told, unless it cannot."""

    steps: list[AttemptProgress] = field(default_factory=list)
    found: list[Detection] = field(default_factory=list)
    away: bool = False

    async def progressed(self, news: AttemptProgress) -> None:
        if self.away:
            raise OSError("the database is away")
        self.steps.append(news)

    async def detected(self, found: Detection) -> None:
        if self.away:
            raise OSError("the database is away")
        self.found.append(found)


@pytest.fixture
def news() -> News:
    return News()


@pytest.fixture
def heard() -> list[Detection]:
    """What running calls are told."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def twilio(
    stage: Stage, world: World, news: News, heard: list[Detection]
) -> AsyncIterator[Twilio]:
    async def on_detected(found: Detection) -> None:
        heard.append(found)

    async with stage.serving(door(world, attempts=news, on_detected=on_detected)) as client:
        yield client


def step(state: str, sequence: int, **more: str) -> Form:
    fields = {"CallSid": CALL, "CallStatus": state, "SequenceNumber": str(sequence), **more}
    return list(fields.items())


async def test_a_step_is_told_with_its_attempt_and_twilios_own_time(
    twilio: Twilio, news: News
) -> None:
    at = format_datetime(datetime.fromtimestamp(NOW_S - 65, UTC))
    form = step("busy", 2, Timestamp=at, SipResponseCode="486", CallDuration="0")
    assert (await twilio.post("/twilio/status?attempt=a1", form)).status == 204
    progress = CallProgress(CALL, CallState.BUSY, 2, at=at, duration_s=0, sip_code=486)
    assert news.steps == [AttemptProgress("a1", progress, NOW_MS - 65_000)]


async def test_late_ones_and_copies_are_told_on(twilio: Twilio, world: World, news: News) -> None:
    for form in (step("completed", 3), step("ringing", 1), step("ringing", 1)):
        assert (await twilio.post("/twilio/status?attempt=a1", form)).status == 204
    assert [each.progress.sequence for each in news.steps] == [3, 1, 1]
    assert [each.sequence for each in world.progress] == [3, 1]
    assert {each.at_ms for each in news.steps} == {NOW_MS}


async def test_what_could_not_be_kept_comes_again_and_is_then_kept(
    twilio: Twilio, world: World, news: News
) -> None:
    news.away = True
    copies = {"headers": {"I-Twilio-Idempotency-Token": "t1"}}
    path, form = "/twilio/status?attempt=a1", step("busy", 2)
    assert (await twilio.post(path, form, **copies)).status == 500
    assert [each.sequence for each in world.progress] == [2]
    news.away = False
    assert (await twilio.post(path, form, **copies)).status == 204
    assert (await twilio.post(path, form, **copies)).status == 204
    assert len(news.steps) == 1
    assert len(world.progress) == 1


async def test_calls_of_no_campaign_are_no_news(twilio: Twilio, world: World, news: News) -> None:
    assert (await twilio.post("/twilio/status", step("busy", 2))).status == 204
    assert (await twilio.post("/twilio/status?attempt=%20", step("ringing", 1))).status == 204
    assert not news.steps
    assert len(world.progress) == 2


async def test_who_answered_is_told_to_the_call_and_to_the_campaign(
    twilio: Twilio, news: News, heard: list[Detection]
) -> None:
    assert (await twilio.post("/twilio/amd?attempt=a1", AMD)).status == 204
    assert news.found == heard == [Detection(CALL, "machine_end_beep", 5200, "a1", NOW_MS)]
    assert (await twilio.post("/twilio/amd", AMD)).status == 204
    assert len(news.found) == 1
    assert heard[1].attempt_id == ""


async def test_the_call_hears_who_answered_though_the_campaign_is_away(
    twilio: Twilio, news: News, heard: list[Detection]
) -> None:
    news.away = True
    assert (await twilio.post("/twilio/amd?attempt=a1", AMD)).status == 500
    assert len(heard) == 1


async def test_strangers_tell_nothing(twilio: Twilio, news: News, heard: list[Detection]) -> None:
    assert (await twilio.post("/twilio/amd?attempt=a1", AMD, auth="stranger")).status == 403
    stolen = await twilio.post("/twilio/status?attempt=a1", step("busy", 2), auth="stranger")
    assert stolen.status == 403
    assert (await twilio.get("/twilio/amd?attempt=a1")).status == 405
    assert not (news.steps or news.found or heard)


@pytest.mark.parametrize("answered_by", ["", "a machine", "x" * 25, "Human!"])
async def test_what_is_no_verdict_is_refused(
    twilio: Twilio, heard: list[Detection], answered_by: str
) -> None:
    form = [("CallSid", CALL), ("AnsweredBy", answered_by)]
    assert (await twilio.post("/twilio/amd?attempt=a1", form)).status == 400
    assert not heard


async def test_a_verdict_without_its_time_is_one() -> None:
    found = read_detection(CALL, {"AnsweredBy": "human", "MachineDetectionDuration": "soon"}, "", 1)
    assert found == Detection(CALL, "human", None, "", 1)
