"""Invariant: what a test does to a session in the middle of a call reaches its socket, that
session's only, and the log says when."""

import asyncio

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from app.lab.realtime.behaviour import REFUSALS, Behaviour
from app.lab.realtime.living import End
from app.lab.realtime.ports import Say
from app.lab.realtime.server import LabRealtime
from tests.lab.realtime.driver import PATIENCE_S, RawClient, ScriptedBrain, World, check_shape

HOW_LONG_IS_SILENT_S = 0.2


async def closed(client: RawClient) -> ConnectionClosed:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                client.events.append(check_shape(await client.socket.recv()))
            except ConnectionClosed as error:
                return error


async def is_silent(client: RawClient) -> bool:
    try:
        async with asyncio.timeout(HOW_LONG_IS_SILENT_S):
            await client.socket.recv()
    except TimeoutError:
        return True
    return False


async def until_none_lives(lab: LabRealtime) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while lab.living:  # noqa: ASYNC110 - the lab tells nobody when a session is over
            await asyncio.sleep(0.005)


async def test_one_session_is_dropped_and_the_other_lives_on(world: World) -> None:
    first, second = await world.session(), await world.session()
    lab = await world.start()
    assert lab.living == lab.sessions
    assert lab.drop(lab.sessions[0]) == 1
    assert (await closed(first)).rcvd is None
    await second.setup(instructions="Still here.")
    assert lab.living == [lab.sessions[1]]
    dropped, closed_s = lab.sessions[0].dropped_s, lab.sessions[0].closed_s
    assert dropped is not None and closed_s is not None and dropped <= closed_s
    assert lab.sessions[1].dropped_s is None
    assert lab.drop(lab.sessions[0]) == 0


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [("close", 1000, 1000), ("close", 1001, 1001), ("close", 1011, 1011), ("expire", 1000, 1001)],
)
async def test_all_sessions_end_as_they_are_told_to(
    world: World, how: End, code: int, said: int
) -> None:
    clients = [await world.session() for _ in range(2)]
    lab = await world.start()
    assert lab.drop(how=how, code=code, reason="scripted") == 2
    for client in clients:
        error = await closed(client)
        assert error.rcvd is not None and error.rcvd.code == said
        expired = [e["error"]["code"] for e in client.events if e["type"] == "error"]
        assert expired == (["session_expired"] if how == "expire" else [])
        assert error.rcvd.reason == "scripted" or "maximum duration" in error.rcvd.reason
    await until_none_lives(lab)


async def test_a_session_is_dropped_in_the_middle_of_its_answer(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=1.0)
    world.brain = ScriptedBrain([Say("A very long answer indeed. " * 5)])
    client = await world.session()
    await client.send("response.create")
    await client.until("response.output_audio.delta")
    lab = await world.start()
    lab.drop()
    await closed(client)
    assert "response.done" not in client.types()
    await until_none_lives(lab)


async def test_a_paused_session_sends_nothing_and_answers_no_ping(world: World) -> None:
    client = await world.session()
    lab = await world.start()
    assert lab.pause(world.log) == 1
    await client.send("session.update", session={"type": "realtime", "instructions": "Late."})
    pong = await client.socket.ping()
    assert await is_silent(client)
    assert not asyncio.ensure_future(pong).done()
    assert lab.living == [world.log]
    assert lab.resume() == 1
    assert (await client.until("session.updated"))["session"]["instructions"] == "Late."
    async with asyncio.timeout(PATIENCE_S):
        await pong


async def test_a_silent_model_on_a_living_machine_still_listens(world: World) -> None:
    client = await world.session()
    lab = await world.start()
    lab.pause(answers_pings=True)
    await client.send("session.update", session={"type": "realtime", "instructions": "Heard."})
    async with asyncio.timeout(PATIENCE_S):
        await (await client.socket.ping())
    assert world.log.instructions == "Heard."
    assert await is_silent(client)
    lab.drop(how="close", code=1011)
    assert (await closed(client)).rcvd is not None
    assert client.types()[-1] == "session.updated", "what was held back comes before the close"


@pytest.mark.parametrize("status", sorted(REFUSALS))
async def test_every_connection_is_refused_with_the_status_asked_for(
    world: World, status: int
) -> None:
    world.behaviour = Behaviour(refuse_status=status)
    with pytest.raises(InvalidStatus) as refused:
        await world.connect()
    assert refused.value.response.status_code == status
    assert msgspec.json.decode(refused.value.response.body or b"")["error"]["code"]
    lab = await world.start()
    assert lab.sessions == []
    lab.behaviour = Behaviour()
    await world.session()


async def test_connections_are_reset_before_they_are_answered(world: World) -> None:
    world.behaviour = Behaviour(reset_connect=True)
    with pytest.raises((ConnectionError, InvalidMessage)):
        await world.connect()
    assert world.lab is not None and world.lab.sessions == []


async def test_an_upgrade_is_never_answered(world: World) -> None:
    client = await world.session()
    lab = await world.start()
    lab.behaviour = Behaviour(hang_connect=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(HOW_LONG_IS_SILENT_S):
            await world.connect()
    hanging = asyncio.create_task(world.connect())
    await client.setup()
    assert len(lab.sessions) == 1
    await world.close()
    with pytest.raises((ConnectionError, InvalidMessage, InvalidStatus)):
        await hanging


async def test_nobody_listens_until_somebody_does_again_at_the_same_address(world: World) -> None:
    client = await world.session()
    lab = await world.start()
    address = lab.base_url
    lab.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        await world.connect()
    await client.setup()
    await lab.listen()
    assert lab.base_url == address
    await world.session()
    assert len(lab.living) == 2
