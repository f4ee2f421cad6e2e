"""Whole paths of text messages over real sockets: a call goes on by SMS with the same agent, what
is asked for there is done once, and nobody who said STOP is ever written to."""

import asyncio
import importlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.beyond import Beyond
from app.bridge.keeper import unpacked
from app.call.events import Snapshot
from app.demo.stage import LAB_KEY, Stage
from app.gate import Who
from app.lab.phone.script import HangUp, Say, Script, WaitForBot
from app.lab.phone.webhook import WebhookFailed
from app.lab.text.server import LabTextModel, TextBehaviour
from app.live import open_live
from app.models.openai_text import close_clients
from app.outgoing.deliverer import Rules
from app.outgoing.endpoints import secrets_from
from app.outgoing.outgoing import Outgoing, open_outgoing
from app.outgoing.retries import Schedule
from app.text.desk import CallOver
from app.text.sending import Recipient
from tests.lab_calls.cast import call, line, shout, stage_for, until
from tests.live.redis_fixture import running_redis
from tests.outgoing.receiver import SECRET, Receiver
from tests.text.carrier import OURS, THEIRS, Carrier

pytestmark = [pytest.mark.lab_call]

TABLE = 1_901
ANSWERS = (
    [line(1, 400, "Hello, this is Harbour Table.")],
    [line(2, 400, "Gladly. At what time would you like to come?")],
)
SCRIPT = Script(
    (
        WaitForBot.finished(200),
        Say(shout(TABLE), "table"),
        WaitForBot.finished(200, said_ms=300),
        HangUp(),
    )
)


@dataclass
class Line:
    """A bot, its text model, and Twilio."""

    stage: Stage
    model: LabTextModel
    carrier: Carrier

    async def text(self, body: str, **fields: str) -> None:
        answer = await self.carrier.text(self.stage.url, body, **fields)
        assert answer.status == 200
        assert answer.content_type == "text/xml"
        assert b"<Message" not in answer.body

    async def answered(self, n_messages: int) -> list[str]:
        await until(lambda: len(self.carrier.sent) >= n_messages)
        await self.idle()
        return self.carrier.bodies

    async def idle(self) -> None:
        await until(lambda: self.stage.worker.texting.desk.busy == 0)


@asynccontextmanager
async def a_line(
    data_dir: Path,
    *,
    live: Any = None,
    outgoing: Outgoing | None = None,
    gather_s: float = 0.05,
    **settings: Any,
) -> AsyncIterator[Line]:
    async with LabTextModel(api_key=LAB_KEY) as model, Carrier() as carrier:
        given = {
            "text_model": "gpt-6-astra",
            "text_base_url": model.base_url,
            "twilio_api_url": carrier.base_url,
            **settings,
        }
        beyond = Beyond(live=live, outgoing=outgoing)
        stage = stage_for(
            data_dir,
            *ANSWERS,
            words={TABLE: "I want to book a table for two"},
            beyond=beyond,
            **given,
        )
        async with stage:
            desk = stage.worker.texting.desk
            desk._house = replace(desk._house, gather_s=gather_s)
            yield Line(stage, model, carrier)
        await close_clients()


def booked() -> dict[str, Any]:
    """What the receptionist's tool has booked in this process, from whatever folder it came."""
    loaded = [name for name in sys.modules if name.startswith("earshot_tools_bookings_")]
    return {
        code: booking
        for name in loaded
        for code, booking in importlib.import_module(name).bookings.items()
    }


async def test_a_call_goes_on_by_text_with_its_memory_and_books_once(tmp_path: Path) -> None:
    with running_redis() as redis:
        async with (
            open_live(redis.url, tmp_path, "w1") as live,
            a_line(tmp_path, live=live) as phone,
        ):
            recorded = await call(phone.stage, SCRIPT)
            call_id = recorded.report.identity.call_sid
            state = await live.calls.load(call_id)
            snapshot = unpacked(state) if state is not None else None
            assert snapshot is not None
            before = set(booked())
            desk = phone.stage.worker.texting.desk
            over = CallOver(call_id, snapshot, "receptionist", THEIRS, OURS)
            assert await desk.begin_from_call(over) == "begun"
            (first,) = await phone.answered(1)
            assert "STOP" in first

            await phone.text("At seven please", MessageSid="SM" + "a" * 32)
            reply = (await phone.answered(2))[-1]
            new = {code: b for code, b in booked().items() if code not in before}
            assert len(new) == 1
            (booking,) = new.values()
            assert (booking.party_size, booking.time) == (2, "19:00")
            assert "seven" in reply

            await phone.text("At seven please", MessageSid="SM" + "a" * 32)
            await phone.idle()
            assert len(phone.carrier.sent) == 2, "a copy of the webhook is answered once"
            assert set(booked()) - before == set(new)

            told = await desk.text_memory(THEIRS)
            assert "At seven please" in told
            asked = phone.model.requests[-1]
            assert "hang_up" not in asked.offered
            assert "text messages" in asked.instructions
    lines = _record(tmp_path)
    assert [line["kind"] for line in lines] == ["out", "in", "tool", "out", "in"]
    assert THEIRS not in json.dumps(lines)


def _record(data_dir: Path) -> list[dict[str, Any]]:
    (path,) = (data_dir / "texts").glob("*/conversation.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    return [json.loads(text) for text in path.read_text("utf-8").splitlines()]


async def test_a_message_out_of_the_blue_is_answered_by_the_default_agent(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        await phone.text("When are you open?")
        (reply,) = await phone.answered(1)
        assert "noon" in reply
        (sent,) = phone.carrier.sent
        assert (sent["To"], sent["From"]) == (THEIRS, OURS)
        assert sent["StatusCallback"] == f"{phone.stage.url}/twilio/sms-status"


async def test_the_operators_systems_are_told_of_each_message_once(tmp_path: Path) -> None:
    secret = SecretStr(SECRET)
    async with (
        Receiver() as receiver,
        open_outgoing(
            tmp_path / "outgoing",
            secrets_of=secrets_from({}, SECRET),
            rules=Rules(Schedule((0.05,)), 0.02),
        ) as outgoing,
        a_line(
            tmp_path, outgoing=outgoing, webhook_url=receiver.url, webhook_secret=secret
        ) as phone,
    ):
        for _ in range(2):
            await phone.text("When are you open?", MessageSid="SM" + "a" * 32)
        await phone.answered(1)
        await phone.text("STOP", MessageSid="SM" + "b" * 32)
        await until(lambda: len(receiver.taken) == 2)
        await outgoing.flushed()
    assert all(got.verified for got in receiver.got)
    question, stop = (got.payload for got in receiver.taken)
    assert question["type"] == stop["type"] == "sms.received"
    assert (question["data"]["text"], stop["data"]["text"]) == ("When are you open?", "STOP")
    assert question["data"]["message_id"] == "SM" + "a" * 32
    assert question["data"]["sender"] == THEIRS
    assert question["data"]["agent"] == "receptionist"


async def test_two_messages_at_once_are_one_turn(tmp_path: Path) -> None:
    async with a_line(tmp_path, gather_s=0.5) as phone:
        await asyncio.gather(
            phone.text("I want to book a table for two"), phone.text("at seven please")
        )
        await phone.answered(1)
        assert len(phone.carrier.sent) == 1
        said = phone.model.requests[0].text
        assert "for two" in said
        assert "at seven" in said


async def test_a_message_that_comes_while_a_turn_runs_is_taken_into_the_next(
    tmp_path: Path,
) -> None:
    async with a_line(tmp_path) as phone:
        phone.model.behaviour = TextBehaviour(delay_ms=400)
        await phone.text("When are you open?")
        await until(lambda: phone.model.asked == 1)
        await phone.text("I want to book a table for two")
        replies = await phone.answered(2)
        assert len(replies) == 2
        assert "for two" not in phone.model.requests[0].text
        assert "for two" in phone.model.requests[1].text
        assert replies[0] in phone.model.requests[1].text


async def test_stop_in_the_middle_of_an_answer_keeps_it_back(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        phone.model.behaviour = TextBehaviour(delay_ms=400)
        await phone.text("When are you open?")
        await until(lambda: phone.model.asked == 1)
        await phone.text("STOP")
        await phone.idle()
        await phone.text("Hello?")
        await phone.idle()
        assert phone.carrier.asked == 0
        await phone.text("start")
        phone.model.behaviour = TextBehaviour()
        await phone.text("When are you open?")
        assert len(await phone.answered(1)) == 1


async def test_who_is_out_at_the_carrier_is_out_with_us(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        phone.carrier.opted_out.add(THEIRS)
        await phone.text("When are you open?")
        await until(lambda: phone.carrier.asked == 1)
        await phone.idle()
        assert await phone.stage.worker.texting.opt_outs.is_out(THEIRS)
        await phone.text("Are you there?")
        await phone.idle()
        assert phone.carrier.asked == 1


async def test_help_says_who_we_are_and_how_to_stop_unless_twilio_did(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        await phone.text("HELP", OptOutType="HELP")
        await phone.text("Help!")
        (reply,) = await phone.answered(1)
        assert "assistant" in reply
        assert "STOP" in reply
        assert phone.model.asked == 0


async def test_a_model_that_fails_is_apologised_for_once(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        phone.model.behaviour = TextBehaviour(refuse_status=401)
        await phone.text("When are you open?")
        (reply,) = await phone.answered(1)
        assert "Sorry" in reply
        asked = phone.model.asked
        await phone.text("Hello?")
        await phone.idle()
        assert phone.model.asked == asked, "it rests"
        assert len(phone.carrier.sent) == 1


async def test_without_a_text_model_who_writes_is_told_so(tmp_path: Path) -> None:
    async with a_line(tmp_path, text_model="") as phone:
        await phone.text("When are you open?")
        (reply,) = await phone.answered(1)
        assert "call us" in reply


async def test_a_forged_or_nameless_message_is_refused(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        with pytest.raises(WebhookFailed, match="403"):
            await phone.carrier.text(phone.stage.url, "When are you open?", token="forged")
        with pytest.raises(WebhookFailed, match="400"):
            await phone.carrier.text(phone.stage.url, "When are you open?", MessageSid="a b")
        await phone.idle()
        assert phone.model.asked == 0


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("", {}),
        ("", {"NumMedia": "2", "MediaUrl0": "https://example.com/a.jpg"}),
        ("👩🏽‍🚀 öffnet ihr? 🦪", {}),
        ("when are you open " * 300, {}),
        ("\x00\u202e\ufeff {{name}} <Response>", {}),
    ],
    ids=["empty", "pictures", "emoji", "very long", "odd"],
)
async def test_odd_messages_get_an_answer(
    tmp_path: Path, body: str, fields: dict[str, str]
) -> None:
    async with a_line(tmp_path) as phone:
        await phone.text(body, **fields)
        replies = await phone.answered(1)
        assert all(0 < len(reply) <= 1_600 for reply in replies)


async def test_a_short_code_or_a_name_is_not_written_to(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        for sender in ("12345", "PARCELS", "whatsapp:+15550100001", ""):
            await phone.text("Your parcel is here", From=sender)
        await phone.idle()
        assert phone.model.asked == 0
        assert phone.carrier.asked == 0


async def test_delivery_reports_are_counted(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        url = f"{phone.stage.url}/twilio/sms-status"
        form = {"MessageSid": "SM" + "b" * 32, "MessageStatus": "undelivered", "To": THEIRS}
        answer = await phone.carrier.post(url, {**form, "ErrorCode": "21610"})
        assert answer.status == 204
        body, _ = phone.stage.worker.metrics.render()
        assert b'earshot_texts_delivered_total{state="undelivered"} 1.0' in body
        assert await phone.stage.worker.texting.opt_outs.is_out(THEIRS)


async def test_a_text_beside_a_call_is_held_back_from_who_opted_out(tmp_path: Path) -> None:
    async with a_line(tmp_path) as phone:
        worker = phone.stage.worker
        gate = worker.texting._outgoing
        to = await gate.clear(Recipient("CA1", "receptionist", THEIRS, OURS), counts=True)
        assert to is not None
        who = Who("CA1", "receptionist", THEIRS, OURS)
        assert await worker.texting.send(who, to, "**Your** code is 4711.")
        assert phone.carrier.bodies == ["Your code is 4711."]
        await phone.text("stop")
        assert not await worker.texting.send(who, to, "Another one.")
        call = CallOver("CA1", Snapshot("CA1", "inbound"), "receptionist", THEIRS, OURS)
        assert "no text messages" in await worker.texting.begin(call)
        assert len(phone.carrier.sent) == 1
