"""A campaign from its list to its end, over real sockets: everybody is dialled, each by what they
are, machines get the message, who opts out is never dialled again by any campaign, and the ledger
agrees with the carrier."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.beyond import Beyond
from app.campaigns import store
from app.campaigns.plan import CallerIds, Caps, Machines, Pacing, Plan, Step, Windows
from app.campaigns.states import CampaignState
from app.demo.stage import Stage
from app.dial_book import DialBook
from app.dialling_room import DiallingRoom
from app.lab.phone.people import Callee, voicemail
from app.lab.phone.script import HangUp, Press, Script, WaitForBot
from app.lab.realtime.ports import Output, Turn
from app.lab.speech.coded import coded_audio
from app.lab.speech.voices import voice_clip
from app.live import Live, open_live
from app.live.fleet import WorkerState
from app.records.database import Database, sql_url
from app.records.do_not_call import DoNotCall, source_of
from app.records.tables import attempts, contacts, texts
from app.speech.phrase_book import PhraseBook, PhraseKey
from tests.lab_calls.cast import FAST, NoMouth, line, until
from tests.live.redis_fixture import running_redis

pytestmark = [pytest.mark.lab_call]

US = "+14155550100"
PERSON, MACHINE, BUSY, AWAY, NOWHERE, REFUSES = (f"+1415555010{n}" for n in range(1, 7))
GREETING, MESSAGE = "Hello, this is Harbour Table.", "Please call Harbour Table back."
STREAMS = {GREETING: 801, MESSAGE: 802}
AGENT = f"""\
variables = {{ first_name = "there" }}
instructions = "Be kind."
greeting = "{GREETING}"
filler = ""
"""
GREETS = voice_clip("when_open_slt").ulaw
PEOPLE: Mapping[str, Callee] = {
    PERSON: Callee(Script((WaitForBot.finished(300, said_ms=700), HangUp()), limit_ms=15_000)),
    MACHINE: voicemail(GREETS, "leave a message", verdicts=((1_200, "machine_start"),)),
    BUSY: Callee(answers="busy"),
    AWAY: Callee(answers="no-answer"),
    NOWHERE: Callee(answers="failed", sip_code=404),
    REFUSES: Callee(
        Script(
            (
                WaitForBot.finished(200),
                Press("9"),
                WaitForBot.finished(300, said_ms=1_300),
                HangUp(),
            ),
            limit_ms=15_000,
        )
    ),
}
NOON = datetime(2026, 3, 18, 19, 0, tzinfo=UTC)
"""A Wednesday, at noon where they are."""


class Brain:
    def hints(self) -> Sequence[str]:
        return []

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [line(1, 500)]


class Ear:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class Office:
    stage: Stage
    database: Database
    live: Live
    clock: Any

    @asynccontextmanager
    async def dialling(self) -> AsyncIterator[None]:
        """A process that dials."""
        worker = self.stage.worker
        room = DiallingRoom(
            worker.settings, "w1", self.live, self.database, worker.rest, self.clock
        )
        running = asyncio.create_task(room.run())
        try:
            yield
        finally:
            room.stop()
            await running

    async def campaign(self, name: str, numbers: list[str], *steps: Step) -> None:
        """One that has begun, with these people on its list."""
        plan = Plan(
            name=name,
            agent=str(self.stage.worker.settings.agent),
            caller_ids=CallerIds(numbers=(US,)),
            windows=Windows(hours=("09:00-18:00",)),
            pacing=Pacing(calls_per_second=10, concurrent=5, ring_s=5),
            machines=Machines(message=MESSAGE),
            caps=Caps(all_per_day=1),
            steps=steps,
        )
        now_ms = self.clock()
        await store.create(self.database, plan, by="test", now_ms=now_ms)
        rows = [
            {
                "campaign_id": name,
                "number": number,
                "numbers": [number],
                "zones": [],
                "variables": {"first_name": "Ada"},
                "consent": {"given": "2026-01-02", "source": "web form"},
                "row": at,
                "state": "waiting",
                "due_at_ms": now_ms,
            }
            for at, number in enumerate(numbers, 2)
        ]
        async with self.database.writing() as connection:
            await connection.execute(insert(contacts), rows)
        await store.start(self.database, name, by="test", now_ms=now_ms)

    async def completed(self, name: str) -> None:
        async def over() -> bool:
            return (await store.find(self.database, name)).state is CampaignState.COMPLETED

        async with asyncio.timeout(60):
            while not await over():  # noqa: ASYNC110 - it is somebody else's state
                await asyncio.sleep(0.05)

    async def rows(self, table: Any, name: str) -> dict[str, Mapping[str, Any]]:
        async with self.database.reading() as connection:
            found = await connection.execute(select(table).where(table.c.campaign_id == name))
            return {row["number"]: dict(row) for row in found.mappings()}


async def render(key: PhraseKey) -> bytes:
    return coded_audio(STREAMS[key.text], 0, 1_000, quiet=False)


@asynccontextmanager
async def an_office(folder: Path) -> AsyncIterator[Office]:
    """All that is there but who dials; the day is a good one."""
    path = folder / "caller.toml"
    path.write_text(AGENT, encoding="utf-8")
    ahead_ms = int(NOON.timestamp() * 1_000) - time.time_ns() // 1_000_000
    book, database = PhraseBook(folder / "phrases", render), Database(sql_url("", folder))
    try:
        await database.upgrade()
        with running_redis() as redis:
            async with open_live(redis.url, folder, "w1") as live:
                beyond = Beyond(
                    live, book, do_not_call=DoNotCall(database, folder), dials=DialBook(database)
                )
                async with Stage(
                    brain=Brain,
                    ear=Ear(),
                    mouth=NoMouth(),
                    data_dir=folder,
                    agent=str(path),
                    beyond=beyond,
                    people=PEOPLE,
                    pace=FAST,
                ) as stage:
                    model = stage.worker.settings.model_for("")
                    for text in STREAMS:
                        await book.ready(PhraseKey(text, "marin", model), 5)
                    seats = asyncio.create_task(live.fleet.run(lambda: WorkerState(0, 50, True, 0)))
                    try:
                        yield Office(
                            stage, database, live, lambda: time.time_ns() // 1_000_000 + ahead_ms
                        )
                    finally:
                        seats.cancel()
    finally:
        await book.close()
        await database.close()


async def test_a_campaign_from_its_list_to_its_end(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        await office.campaign("spring", [PERSON, MACHINE, BUSY, AWAY, NOWHERE, REFUSES])
        async with office.dialling():
            await office.completed("spring")
            dials = await office.rows(attempts, "spring")
            assert {number: dial["outcome"] for number, dial in dials.items()} == {
                PERSON: "answered",
                MACHINE: "message_left",
                BUSY: "busy",
                AWAY: "no_answer",
                NOWHERE: "invalid_number",
                REFUSES: "answered",
            }
            spoken_to = dials[PERSON]
            assert spoken_to["first_audio_at_ms"] >= spoken_to["answered_at_ms"]
            assert office.stage.account is not None
            placed = {
                call.live.identity.to: sid for sid, call in office.stage.account.calls.items()
            }
            assert placed == {number: dial["call_id"] for number, dial in dials.items()}
            async with office.database.reading() as connection:
                assert await source_of(connection, REFUSES) == "key"

            await office.campaign("summer", [REFUSES])
            await office.completed("summer")
            people = await office.rows(contacts, "summer")
            assert (people[REFUSES]["state"], people[REFUSES]["why_rule"]) == (
                "never",
                "do_not_call",
            )
            assert await office.rows(attempts, "summer") == {}


async def test_who_was_not_reached_gets_a_message_unless_they_want_none(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        account = office.stage.account
        assert account is not None
        sorry = Step(
            on=("no_answer", "busy"), then="sms", after="1s", text="Sorry, {{first_name}}!"
        )
        await office.stage.worker.texting.opt_outs.out(BUSY, "call")
        await office.campaign("spring", [AWAY, BUSY], sorry)
        async with office.dialling():
            while len(await office.rows(texts, "spring")) < 2:  # noqa: ASYNC110 - it is another process's
                await asyncio.sleep(0.05)
            # The carrier's clock stands at another day than the campaign's.
            async with office.database.writing() as connection:
                await connection.execute(update(texts).values(due_at_ms=office.clock()))
            await office.completed("spring")
        kept = await office.rows(texts, "spring")
        fates = {number: row["state"] for number, row in kept.items()}
        assert fates == {AWAY: "sent", BUSY: "opted_out"}
        sent = [(one.from_, one.to, one.body) for one in account.messages.by_sid.values()]
        assert sent == [(US, AWAY, "Sorry, Ada!")]


async def test_a_campaign_that_is_paused_dials_nobody(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        await office.campaign("spring", [PERSON])
        await store.move(
            office.database, "spring", "pause", by="test", now_ms=office.clock(), why="a test"
        )
        async with office.dialling():
            await asyncio.sleep(1.5)
            assert await office.rows(attempts, "spring") == {}
            await store.move(office.database, "spring", "resume", by="test", now_ms=office.clock())
            await office.completed("spring")
        assert office.stage.account is not None
        await until(lambda: len(office.stage.worker.switchboard) == 0)
        assert len(office.stage.account.calls) == 1
