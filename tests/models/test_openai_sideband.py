"""A sideband is one session to the heart, however often its socket breaks; it sends what the server
does not do by itself, and the end of the call is not the end of a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.call.commands import (
    ClearInput,
    CommitInput,
    CreateResponse,
    SendToolOutput,
    TruncateItem,
)
from app.call.events import (
    CarrierClosed,
    Entry,
    Event,
    ModelClosed,
    ModelFault,
    ModelReady,
    PlayEnded,
)
from app.lab.openai_sip.call import SipCall, Trouble
from app.lab.openai_sip.server import LabOpenAISip
from app.lab.realtime.server import LabRealtime
from app.models.openai_connect import Credentials
from app.models.openai_sideband import Joined, Sideband, SidebandLimits, open_sideband
from app.models.ports import SessionOver
from tests.lab_calls.cast import CodeEar, NoMouth, ScriptedBrain, line, until

KEY = "sk-lab"
QUICK = SidebandLimits(rejoin_s=1.0, first_wait_s=0.02, most_wait_s=0.1, known_s=0.5)


@asynccontextmanager
async def connector() -> AsyncIterator[LabOpenAISip]:
    model = LabRealtime(
        api_key=KEY,
        brain_factory=lambda: ScriptedBrain([[line(1, 200, "Hello.")], [line(2, 200, "Yes.")]]),
        ear=CodeEar(),
        mouth=NoMouth(),
    )
    async with (
        model,
        LabOpenAISip(api_key=KEY, secret="whsec_eA==", model_url=model.base_url) as lab,
    ):
        yield lab


async def talking(lab: LabOpenAISip) -> SipCall:
    call = lab.invite(Trouble())
    await call.accept({"type": "realtime", "model": "gpt-realtime-2.1"})
    return call


async def joined(lab: LabOpenAISip, call: SipCall, **more: Any) -> Sideband:
    session = await open_sideband(
        Joined(call.call_id, "gpt-realtime-2.1", **more),
        Credentials(KEY, lab.base_url),
        sideband=QUICK,
    )
    assert isinstance(session, Sideband), session
    return session


async def seen(session: Sideband, kind: type[Event]) -> Event:
    """The next event of a kind."""
    async with asyncio.timeout(60):
        while True:
            event = (await session.receive()).event
            if isinstance(event, kind):
                return event


async def test_it_is_ready_at_once_and_says_hello_when_asked() -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call, instructions="Be kind.")
        assert (await session.receive()).event == ModelReady(call.call_id, "gpt-realtime-2.1")
        session.send(CreateResponse("c1", "Greet."))
        await seen(session, PlayEnded)
        asked = call.commands[0]["response"]["instructions"]
        assert asked == "Be kind.\n\n# Now\nGreet."
        await session.close()
        assert call.state == "talking"


async def test_what_the_server_does_itself_is_not_sent() -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call, without={"record"}, told={"old"})
        session.send(CommitInput("a"))
        session.send(ClearInput())
        session.send(TruncateItem("b", "item", 10))
        session.send_audio("AAAA", 3)
        session.send_silence(160)
        session.offer([{"name": "record"}, {"name": "book", "type": "function"}])
        session.tell(Entry("agent", "i", "What was said."))
        session.tell(Entry("tool", "i", call_id="old", name="book", output="done"))
        session.tell(Entry("tool", "i", call_id="new", name="book", output="done"))
        session.tell(Entry("tool", "i", call_id="new", name="book", output="done"))
        session.clear_output()
        await until(lambda: len(call.commands) == 3)
        kinds = [command["type"] for command in call.commands]
        assert kinds == [
            "session.update",
            "conversation.item.create",
            "output_audio_buffer.clear",
        ]
        tools = call.commands[0]["session"]["tools"]
        assert [tool["name"] for tool in tools] == ["book"]
        assert call.commands[1]["item"]["call_id"] == "new"
        await session.close()


async def test_commands_wait_while_the_socket_is_away() -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call)
        call.trouble.refuse_sidebands = 2
        call.drop_sidebands()
        reading = asyncio.create_task(seen(session, ModelFault))
        await asyncio.sleep(0)
        session.send(SendToolOutput("o", "call_x", "done"))
        away, back = await reading, await seen(session, ModelFault)
        assert isinstance(away, ModelFault) and isinstance(back, ModelFault)
        assert (away.code, away.kind) == ("sideband_away", "away")
        assert (back.code, back.kind) == ("sideband_lost", "back")
        await until(lambda: bool(call.commands))
        assert call.commands[0]["item"]["call_id"] == "call_x"
        await session.close()


@pytest.mark.parametrize("code", [0, 1000, 1001, 1011])
async def test_a_call_that_is_over_is_told_as_a_hang_up(code: int) -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call)
        call.drop_sidebands(code)
        call.hang_up()
        assert await seen(session, CarrierClosed) == CarrierClosed("hangup")
        assert isinstance((await session.receive()).event, ModelClosed)
        with pytest.raises(SessionOver):
            await session.receive()
        await session.close()


async def test_a_call_that_cannot_be_joined_again_is_lost() -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call)
        call.trouble.refuse_sidebands = 1_000
        call.drop_sidebands()
        closed = await seen(session, ModelClosed)
        assert isinstance(closed, ModelClosed)
        assert closed.cause == "failed"
        await session.close()


async def test_a_call_that_is_not_there_is_not_joined() -> None:
    async with connector() as lab:
        credentials = Credentials(KEY, lab.base_url)
        over = await open_sideband(Joined("rtc_none", "m"), credentials, sideband=QUICK)
        assert over == CarrierClosed("hangup")
        refused = await open_sideband(
            Joined("rtc_none", "m"), Credentials("other", lab.base_url), sideband=QUICK
        )
        assert isinstance(refused, ModelClosed)
        assert refused.cause == "refused"


async def test_a_call_that_was_just_taken_may_not_be_known_yet() -> None:
    async with connector() as lab:
        call = await talking(lab)
        call.trouble.unknown_sidebands = 3
        session = await joined(lab, call, fresh=True)
        assert isinstance((await session.receive()).event, ModelReady)
        await session.close()
        call.trouble.unknown_sidebands = 1_000
        over = await open_sideband(
            Joined(call.call_id, "m", fresh=True), Credentials(KEY, lab.base_url), sideband=QUICK
        )
        assert over == CarrierClosed("hangup")


async def test_a_socket_that_breaks_as_soon_as_it_is_joined_is_not_joined_for_ever() -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call)
        call.trouble.breaking_sidebands = 1_000_000
        call.drop_sidebands()
        closed = await seen(session, ModelClosed)
        assert isinstance(closed, ModelClosed)
        assert closed.cause == "failed"
        assert call.joined <= 2 + QUICK.rejoin_s / QUICK.first_wait_s
        await session.close()


async def test_a_few_breaks_in_a_row_are_survived() -> None:
    async with connector() as lab:
        call = await talking(lab)
        session = await joined(lab, call)
        call.trouble.breaking_sidebands = 3
        call.drop_sidebands()
        for _ in range(4):
            await seen(session, ModelFault)
        session.send(CreateResponse("c1", "Greet."))
        await seen(session, PlayEnded)
        await session.close()
