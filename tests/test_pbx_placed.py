"""A call that the PBX says we have placed is ours only with what we sealed for it; its news reach
the ledger once, whenever they come, and the call waits for none of them."""

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app.bridge.call_bridge import CallBridge
from app.bridge.switchboard import Switchboard
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.carriers.asterisk.dialled_page import Ended
from app.carriers.asterisk.identity import Identity, read_identity
from app.carriers.asterisk.placed import PlacedCall, PlacedSeals, id_of_attempt
from app.carriers.line import RefusedLineError
from app.carriers.twilio.progress import CallProgress
from app.dial_book import DialBook
from app.front_door import FrontDoor
from app.pbx_placed import NOT_PLACED_BY_US, PlacedCalls
from app.records.database import Database, sql_url
from app.records.tables import attempts
from app.settings import Settings
from tests.campaigns.dialling.stage import running
from tests.campaigns.lists import dialled
from tests.lab_calls.cast import until
from tests.records.conftest import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]

PASSWORD = "a-password-of-16-x"
ATTEMPT = "0123456789abcdef" * 2
CALL = id_of_attempt(ATTEMPT)
SETTINGS = Settings(pbx_user="pbx", pbx_password=SecretStr(PASSWORD))
SEALS = PlacedSeals([PASSWORD])


@dataclass
class Front:
    """As much of the front door as news need."""

    settings: Settings = SETTINGS
    switchboard: Switchboard = field(default_factory=lambda: Switchboard(3))
    steps: list[CallProgress] = field(default_factory=list)

    async def progressed(self, progress: CallProgress) -> None:
        self.steps.append(progress)


def placed(front: Front, database: Database | None = None) -> PlacedCalls:
    dials = None if database is None else DialBook(database)
    return PlacedCalls(cast("FrontDoor", front), dials)


def who(**more: str) -> Identity:
    call = PlacedCall(
        call_id=CALL,
        to="+15550100001",
        from_="+15550100002",
        agent="sales",
        ring_s=25,
        variables={"name": "Ada"},
        attempt_id=ATTEMPT,
    )
    return read_identity(dict(SEALS.originate(call).variables) | more)


async def attempt(database: Database) -> dict[str, Any]:
    async with database.reading() as connection:
        found = await connection.execute(select(attempts))
        return dict(found.mappings().one())


async def dialling(database: Database) -> None:
    """The attempt is on its way."""
    await running(database)
    await dialled(database, 1, attempt_id=ATTEMPT, state="requested", outcome=None)


def test_the_sealed_order_counts_whatever_the_other_variables_say() -> None:
    room = placed(Front())
    claimed = {"__EARSHOT_TO": "+15550100009", "__EARSHOT_FROM": "anonymous"}
    proved = room.prove(who(**claimed))
    assert (proved.facts.to_number, proved.facts.from_number) == ("+15550100001", "+15550100002")
    assert (proved.facts.direction, proved.facts.attempt_id) == ("outbound", ATTEMPT)
    assert (proved.agent, proved.facts.campaign) == ("sales", {"name": "Ada"})
    assert proved.facts.answered_at_ms is not None
    assert room.prove(who(__EARSHOT_AGAIN="1")).facts.answered_at_ms is None


def test_the_agent_that_goes_on_is_the_dialplans() -> None:
    assert placed(Front()).prove(who(__EARSHOT_AGENT="second")).agent == "second"
    assert placed(Front()).prove(who(__EARSHOT_AGENT="")).agent == "sales"


@pytest.mark.parametrize(
    "forged",
    [
        {"__EARSHOT_ORDER": ""},
        {"__EARSHOT_ORDER": "x" * 200},
        {"__EARSHOT_CALL_ID": "AO" + "f" * 32},
        {"__EARSHOT_CALL_ID": "1795170608.1"},
    ],
)
def test_what_we_did_not_seal_is_refused(forged: dict[str, str]) -> None:
    with pytest.raises(RefusedLineError) as caught:
        placed(Front()).prove(who(**forged))
    assert caught.value.reason == NOT_PLACED_BY_US


def test_a_caller_is_left_as_they_are() -> None:
    caller = read_identity({"EARSHOT_FROM": "+15550100001", "EARSHOT_ORDER": "x"})
    assert placed(Front()).prove(caller) is caller


async def test_an_answered_call_is_in_progress_and_then_over(database: Database) -> None:
    await dialling(database)
    front = Front()
    room = placed(front, database)
    proved = room.prove(who())
    room.began(proved)
    room.began(proved)
    while (await attempt(database))["answered_at_ms"] is None:
        await database_turn(database)
    assert (await attempt(database))["call_id"] == CALL
    for _ in range(2):
        assert await room.ended(Ended(CALL, ATTEMPT, "completed", 12))
    row = await attempt(database)
    assert (row["state"], row["outcome"]) == ("ended", "answered")
    assert [step.state.value for step in front.steps] == ["in-progress", "completed"], (
        "copies are no steps"
    )


async def database_turn(database: Database) -> None:
    async with database.reading() as connection:
        await connection.execute(select(1))


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (Ended(CALL, ATTEMPT, "busy"), "busy"),
        (Ended(CALL, ATTEMPT, "no-answer"), "no_answer"),
        (Ended(CALL, ATTEMPT, "failed", sip_code=404), "invalid_number"),
        (Ended(CALL, ATTEMPT, "failed", sip_code=603), "rejected"),
        (Ended(CALL, ATTEMPT, "canceled"), "canceled"),
    ],
)
async def test_an_end_is_written_as_what_it_was(
    database: Database, ended: Ended, outcome: str
) -> None:
    await dialling(database)
    assert await placed(Front(), database).ended(ended)
    row = await attempt(database)
    assert (row["outcome"], row["call_id"]) == (outcome, CALL)


async def test_whoever_finds_no_place_was_abandoned(database: Database) -> None:
    await dialling(database)
    room = placed(Front(), database)
    await room.turned_away(ATTEMPT)
    assert await room.ended(Ended(CALL, ATTEMPT, "completed", 1))
    assert (await attempt(database))["outcome"] == "abandoned"


async def test_news_that_cannot_be_kept_are_asked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    away = Database(sql_url("postgresql://nobody@127.0.0.1:9/none", tmp_path))
    front = Front()
    room = placed(front, away)
    try:
        for _ in range(2):
            assert not await room.ended(Ended(CALL, ATTEMPT, "busy"))
        room.began(room.prove(who()))
        await room.turned_away(ATTEMPT)
        await until(lambda: len(caplog.records) >= 4)
    finally:
        await away.close()
    assert len(front.steps) == 2
    assert {record.message for record in caplog.records} == {
        "news of a call are not in the ledger",
        "an abandoned call is not in the ledger",
    }


async def test_a_call_of_no_campaign_is_in_no_ledger() -> None:
    front = Front()
    await placed(front).turned_away("")
    assert await placed(front).ended(Ended(CALL, "", "completed", 3))
    assert [step.duration_s for step in front.steps] == [3]


async def test_a_stream_ends_before_the_end_of_its_call_is_written() -> None:
    """What the conversation was is in the ledger by then."""
    front = Front()
    room, ended = placed(front), EndCall(EndReason.CALLER_HUNG_UP)

    class Talks:
        call_id = CALL

        def carrier_closed(self, cause: str, detail: str = "") -> None:
            assert cause == "hangup" and not front.steps
            asyncio.get_running_loop().call_later(0.05, front.switchboard.ended, bridge, ended)

    bridge: CallBridge = Talks()  # type: ignore[assignment]
    front.switchboard.connected(bridge)
    assert await room.ended(Ended(CALL, "", "completed", 3))
    assert front.switchboard.calls == []
    assert len(front.steps) == 1
