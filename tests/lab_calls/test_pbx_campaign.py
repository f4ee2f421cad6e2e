"""A campaign that the operator's own PBX dials comes to the same end as one over Twilio: everybody
by what they are, nobody twice, whatever news of a call are lost or told twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.bridge.call_record import call_folder
from app.demo.stage import LAB_ARI, LAB_ARI_PASSWORD
from app.dialling_room import DiallingRoom
from app.lab.pbx import PbxAri
from app.lab.phone.rest_manners import RestManners
from app.records.do_not_call import source_of
from app.records.tables import attempts
from tests.lab_calls.test_campaign import (
    AWAY,
    BUSY,
    MACHINE,
    NOWHERE,
    PEOPLE,
    PERSON,
    REFUSES,
    Office,
    an_office,
)

pytestmark = [pytest.mark.lab_call]


@asynccontextmanager
async def dialling(office: Office, ari: PbxAri) -> AsyncIterator[None]:
    """A process that dials over the PBX."""
    worker = office.stage.worker
    given = {
        "calls_out": "pbx",
        "ari_url": ari.base_url,
        "ari_user": LAB_ARI,
        "ari_password": SecretStr(LAB_ARI_PASSWORD),
    }
    settings = worker.settings.model_copy(update=given)
    room = DiallingRoom(settings, "w1", office.live, office.database, worker.rest, office.clock)
    running = asyncio.create_task(room.run())
    try:
        yield
    finally:
        room.stop()
        await running


async def outcomes(office: Office, name: str) -> dict[str, str]:
    dials = await office.rows(attempts, name)
    return {number: dial["outcome"] for number, dial in dials.items()}


async def states(office: Office, name: str) -> list[str]:
    return [dial["state"] for dial in (await office.rows(attempts, name)).values()]


async def test_a_campaign_over_the_pbx_from_its_list_to_its_end(tmp_path: Path) -> None:
    everybody = [PERSON, MACHINE, BUSY, AWAY, NOWHERE, REFUSES]
    async with an_office(tmp_path) as office, office.stage.ari(PEOPLE) as ari:
        await office.campaign("spring", everybody)
        async with dialling(office, ari):
            await office.completed("spring")
        assert await outcomes(office, "spring") == {
            PERSON: "answered",
            MACHINE: "message_left",
            BUSY: "busy",
            AWAY: "no_answer",
            NOWHERE: "invalid_number",
            REFUSES: "answered",
        }
        dials = await office.rows(attempts, "spring")
        placed = {call.live.identity.to: call.channel_id for call in ari.calls.values()}
        assert placed == {number: dial["call_id"] for number, dial in dials.items()}
        assert len(ari.calls) == len(everybody), "nobody was dialled twice"
        assert office.stage.account is not None and office.stage.account.calls == {}
        spoken_to = dials[PERSON]
        assert spoken_to["first_audio_at_ms"] >= spoken_to["answered_at_ms"]
        timeline = call_folder(tmp_path, spoken_to["call_id"]) / "timeline.json"
        assert spoken_to["attempt_id"] in timeline.read_text("utf-8")
        async with office.database.reading() as connection:
            assert await source_of(connection, REFUSES) == "key"


@pytest.mark.parametrize("questions_too", [False, True])
async def test_lost_answers_and_copies_of_news_dial_nobody_twice(
    tmp_path: Path, questions_too: bool
) -> None:
    def loses(method: str, path: str) -> bool:
        """An order's answer, and what is asked about one channel; the list of all comes."""
        return method == "POST" or (questions_too and path != "/ari/channels")

    lost = RestManners(loses=loses)
    async with an_office(tmp_path) as office, office.stage.ari(PEOPLE, manners=lost) as ari:
        ari.news.copies = 2
        await office.campaign("spring", [PERSON, BUSY, AWAY])
        async with dialling(office, ari):
            await office.completed("spring")
        assert await outcomes(office, "spring") == {
            PERSON: "answered",
            BUSY: "busy",
            AWAY: "no_answer",
        }
        assert len(ari.calls) == 3


async def test_whoever_finds_no_place_counts_as_abandoned(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office, office.stage.ari(PEOPLE) as ari:
        office.stage.worker.switchboard.max_calls = 0
        await office.campaign("spring", [PERSON])
        async with dialling(office, ari), asyncio.timeout(60):
            while await states(office, "spring") != ["ended"]:  # noqa: ASYNC110 - another's state
                await asyncio.sleep(0.05)
        rows = await office.rows(attempts, "spring")
        assert rows[PERSON]["outcome"] == "abandoned"
        assert office.stage.model.sessions == []
        assert len(ari.calls) == 1
