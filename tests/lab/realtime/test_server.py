"""Invariant: who may not come in is told why, and every scripted fault reaches the socket."""

import asyncio

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.lab.realtime.behaviour import Behaviour, Nonsense
from app.lab.realtime.ports import Say
from app.lab.realtime.server import LabRealtime
from tests.lab.realtime.driver import (
    MODEL,
    PATIENCE_S,
    UTTERANCE,
    RawClient,
    ScriptedBrain,
    ScriptedEar,
    ToneMouth,
    World,
    check_shape,
)


async def rest_of(client: RawClient) -> tuple[list[bytes | str], ConnectionClosed]:
    """Every message until the server closed the connection, and how it did."""
    messages: list[bytes | str] = []
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                messages.append(await client.socket.recv())
            except ConnectionClosed as closed:
                return messages, closed


def close_of(closed: ConnectionClosed) -> tuple[int, str]:
    assert closed.rcvd is not None, "the server sent no close frame"
    return closed.rcvd.code, closed.rcvd.reason


async def test_a_wrong_key_is_refused_with_openais_json(world: World) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await world.connect(key="sk-wrong")
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["Content-Type"].startswith("application/json")
    error = msgspec.json.decode(refused.value.response.body or b"")["error"]
    assert error["code"] == "invalid_api_key"
    assert error["type"] == "invalid_request_error"


async def test_a_model_told_to_refuse_the_key_refuses_the_right_one(world: World) -> None:
    world.behaviour = Behaviour(refuse_key=True)
    with pytest.raises(InvalidStatus) as refused:
        await world.connect()
    assert refused.value.response.status_code == 401
    assert world.lab is not None and world.lab.sessions == []


async def test_other_paths_are_not_found(world: World) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await world.connect(query="/calls")
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        (f"?model={MODEL}", {"OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled"),
        ("?model=gpt-imaginary", {}, "model_not_found"),
        ("", {}, "missing_model"),
    ],
)
async def test_what_cannot_be_served_is_told_in_an_error_and_closed_4000(
    world: World, query: str, headers: dict[str, str], code: str
) -> None:
    client = await world.connect(query=query, headers=headers)
    messages, closed = await rest_of(client)
    assert [check_shape(message)["error"]["code"] for message in messages] == [code]
    assert close_of(closed) == (4000, f"invalid_request_error.{code}")


async def test_a_session_at_its_cap_says_so_and_closes_1001(world: World) -> None:
    world.behaviour = Behaviour(session_cap_s=0.3)
    client = await world.connect()
    messages, closed = await rest_of(client)
    assert check_shape(messages[-1])["error"]["code"] == "session_expired"
    code, reason = close_of(closed)
    assert code == 1001
    assert "maximum duration" in reason


async def test_a_dropped_connection_ends_without_a_close_frame(world: World) -> None:
    world.behaviour = Behaviour(drop_after_s=0.2)
    client = await world.connect()
    _, closed = await rest_of(client)
    assert closed.rcvd is None
    await world.close()
    assert world.log.closed_s is not None


async def test_a_model_that_ignores_the_format_says_so_in_its_echo(world: World) -> None:
    world.behaviour = Behaviour(wrong_format=True, think_ms=0, speed=100.0)
    client = await world.connect()
    session = await client.setup(instructions="Be kind.")
    assert session["instructions"] == "Be kind."
    for side in ("input", "output"):
        assert session["audio"][side]["format"] == {"type": "audio/pcm", "rate": 24000}


async def test_a_mute_model_creates_a_response_and_falls_silent(world: World) -> None:
    world.behaviour = Behaviour(mute=True)
    client = await world.session()
    await client.speak(UTTERANCE)
    await client.until("response.created")
    await client.until("rate_limits.updated")
    await client.setup()
    assert client.types()[-2:] == ["rate_limits.updated", "session.updated"]


async def test_a_failed_transcription_does_not_keep_the_model_from_answering(
    world: World,
) -> None:
    world.behaviour = Behaviour(transcription_fails=True, think_ms=0, speed=100.0)
    client = await world.session(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    await client.speak(UTTERANCE)
    failed = await client.until("conversation.item.input_audio_transcription.failed")
    assert failed["error"]["code"] == "audio_unintelligible"
    assert (await client.until("response.done"))["response"]["status"] == "completed"


@pytest.mark.parametrize("kind", ["not_json", "unknown_event", "missing_fields", "binary"])
async def test_nonsense_comes_between_the_events(world: World, kind: Nonsense) -> None:
    world.behaviour = Behaviour(nonsense=(kind,), nonsense_every=1)
    client = await world.connect()
    first = await client.socket.recv()
    garbage = await client.socket.recv()
    assert check_shape(first)["type"] == "session.created"
    assert isinstance(garbage, bytes) is (kind == "binary")
    with pytest.raises((msgspec.DecodeError, KeyError, ValueError)):
        check_shape(garbage)
    assert [frame.type for frame in world.log.sent] == ["session.created", "nonsense"]


async def test_a_model_can_talk_nothing_but_nonsense(world: World) -> None:
    kinds: tuple[Nonsense, ...] = ("not_json", "binary")
    world.behaviour = Behaviour(nonsense=kinds, nonsense_every=1, nonsense_replaces=True)
    client = await world.connect()
    assert isinstance(await client.socket.recv(), str)
    await client.send("session.update", session={"type": "realtime"})
    assert isinstance(await client.socket.recv(), bytes)
    assert world.log.events() == []


async def test_sessions_know_nothing_of_each_other(world: World) -> None:
    brains: list[ScriptedBrain] = []

    def brain() -> ScriptedBrain:
        brains.append(ScriptedBrain([Say(f"I am number {len(brains)}.")]))
        return brains[-1]

    async with LabRealtime(
        api_key="k", brain_factory=brain, ear=ScriptedEar(), mouth=ToneMouth()
    ) as lab:
        world.lab = lab
        first, second = [await world.connect(key="k") for _ in range(2)]
        for client in (first, second):
            await client.setup(output_modalities=["text"])
            await client.send("response.create")
        texts = [str(await client.until("response.done")) for client in (first, second)]
        assert "number 0" in texts[0] and "number 1" in texts[1]
        assert lab.sessions[0].session_id != lab.sessions[1].session_id
        await world.close()


async def test_closing_the_lab_closes_its_sessions(world: World) -> None:
    async with LabRealtime(
        api_key="k", brain_factory=ScriptedBrain, ear=ScriptedEar(), mouth=ToneMouth()
    ) as lab:
        world.lab = lab
        client = await world.connect(key="k")
        await client.send("response.create")
        await client.until("response.created")
    _, closed = await rest_of(client)
    assert close_of(closed)[0] == 1001


async def test_a_lab_that_was_not_started_has_no_address() -> None:
    lab = LabRealtime(
        api_key="k", brain_factory=ScriptedBrain, ear=ScriptedEar(), mouth=ToneMouth()
    )
    with pytest.raises(RuntimeError, match="enter its context"):
        _ = lab.base_url


async def test_the_same_seed_gives_the_same_pieces(world: World) -> None:
    async def pieces(seed: int) -> list[int]:
        world.brain = ScriptedBrain([Say("The same words in pieces.")])
        lab = await world.start()
        lab.behaviour = Behaviour(seed=seed, think_ms=0, speed=100.0)
        lab.sessions.clear()
        client = await world.session()
        await client.send("response.create")
        await client.until("response.done")
        return [len(f.payload) for f in world.log.sent if f.type == "response.output_audio.delta"]

    assert await pieces(7) == await pieces(7)
    assert await pieces(7) != await pieces(8)
