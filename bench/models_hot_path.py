"""What the OpenAI Realtime adapter costs on the media path, beside the SDK and plain `send`.

    python -m bench.models_hot_path [--rounds 7]

Microseconds of this process's CPU per message, on uvloop: the median of several rounds, and their
range. The contenders take turns within a round, so that a busy neighbour on the machine meets all
of them; one long sample of each was seen to be wrong by a factor of two. The peer, a WebSocket
server that swallows or floods, runs in a process of its own, so that its work is not counted. It
also counts what it swallowed: a frame that was dropped would look cheap. "decode only" leaves the
socket out.
"""

import argparse
import asyncio
import base64
import json
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection as Pipe
from typing import TypeAlias

import uvloop
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from app.models.openai_client_events import append_audio
from app.models.openai_server_events import Decoder
from app.models.ports import SessionStats
from app.models.socket_writer import SocketWriter

FRAME = base64.b64encode(b"\x55" * 160).decode("ascii")
DELTA = json.dumps(
    {
        "type": "response.output_audio.delta",
        "event_id": "event_CkAbcdefgh1234567890",
        "response_id": "resp_CkAbcdefgh1234567890",
        "item_id": "item_CkAbcdefgh1234567890",
        "output_index": 0,
        "content_index": 0,
        "delta": base64.b64encode(b"\x55" * 1600).decode("ascii"),
    },
    separators=(",", ":"),
)
BATCH = 50
ROUND_S = 0.3
Step: TypeAlias = Callable[[], Awaitable[None]]


async def _peer(socket: ServerConnection) -> None:
    """Swallow frames; a number asks for that many deltas, "?" for the count of frames so far."""
    frames = 0
    async for message in socket:
        if message == "?":
            await socket.send(str(frames))
        elif isinstance(message, str) and message.isdigit():
            for _ in range(int(message)):
                await socket.send(DELTA)
        else:
            frames += 1


def _serve(pipe: Pipe) -> None:
    async def run() -> None:
        async with serve(_peer, "127.0.0.1", 0, compression=None) as listener:
            pipe.send(next(iter(listener.sockets)).getsockname()[1])
            await asyncio.get_running_loop().create_future()

    uvloop.run(run())


async def _cost_us(step: Step) -> tuple[float, int]:
    """CPU microseconds per message over one round, and how many; `step` does `BATCH` of them."""
    count = 0
    began, deadline = time.process_time(), time.monotonic() + ROUND_S
    while time.monotonic() < deadline:
        await step()
        count += BATCH
    return (time.process_time() - began) / count * 1e6, count


def _senders(socket: ClientConnection) -> dict[str, Step]:
    sdk = AsyncRealtimeConnection(socket)
    writer = SocketWriter(socket, stall_s=5, queue_limit_bytes=400_000, on_stalled=print)

    async def fast() -> None:
        for _ in range(BATCH):
            writer.write(append_audio(FRAME, 160))
            await asyncio.sleep(0)  # each frame meets the loop on its own, as in a call
        while writer.queued_bytes:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)  # the peer is slower than this

    async def plain() -> None:
        for _ in range(BATCH):
            await socket.send(append_audio(FRAME, 160), text=True)
            await asyncio.sleep(0)

    async def with_sdk() -> None:
        for _ in range(BATCH):
            await sdk.input_audio_buffer.append(audio=FRAME)
            await asyncio.sleep(0)

    return {"this adapter": fast, "websockets send()": plain, "SDK append()": with_sdk}


def _receivers(socket: ClientConnection) -> dict[str, Step]:
    sdk = AsyncRealtimeConnection(socket)
    decoder = Decoder(SessionStats())

    async def ours() -> None:
        await socket.send(str(BATCH))
        for _ in range(BATCH):
            incoming = decoder.decode(await socket.recv(decode=False), 0)
            assert incoming is not None and incoming.audio is not None

    async def raw_json() -> None:
        await socket.send(str(BATCH))
        for _ in range(BATCH):
            base64.b64decode(json.loads(await sdk.recv_bytes())["delta"])

    async def with_sdk() -> None:
        await socket.send(str(BATCH))
        for _ in range(BATCH):
            event = await sdk.recv()
            assert event.type == "response.output_audio.delta"
            base64.b64decode(event.delta)

    async def decode_only() -> None:
        raw = DELTA.encode()
        for _ in range(BATCH):
            decoder.decode(raw, 0)

    return {
        "this adapter": ours,
        "SDK recv_bytes() + json": raw_json,
        "SDK recv()": with_sdk,
        "this adapter, decode only": decode_only,
    }


async def _empty_turns() -> None:
    for _ in range(BATCH):
        await asyncio.sleep(0)


async def _rounds(steps: dict[str, Step], rounds: int) -> tuple[dict[str, list[float]], int]:
    """Cost of every contender in every round, and how many messages went in all."""
    costs: dict[str, list[float]] = {name: [] for name in steps}
    total = 0
    for _ in range(rounds):
        for name, step in steps.items():
            cost, count = await _cost_us(step)
            costs[name].append(cost)
            total += count
    return costs, total


async def _measure_sending(socket: ClientConnection, rounds: int) -> None:
    steps = _senders(socket)
    empty, _ = await _rounds({"loop": _empty_turns}, rounds)
    costs, sent = await _rounds(steps, rounds)
    await socket.send("?")
    swallowed = int(await socket.recv())
    if swallowed != sent:
        raise SystemExit(f"sent {sent} frames, {swallowed} arrived: the figures mean nothing")
    _print("send 20 ms of caller audio", costs, statistics.median(empty["loop"]))


async def _measure(port: int, rounds: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}", compression=None, max_queue=64) as socket:
        await _measure_sending(socket, rounds)
        costs, _ = await _rounds(_receivers(socket), rounds)
        _print("receive 200 ms of model audio", costs, 0.0)


def _print(title: str, costs: dict[str, list[float]], empty_us: float) -> None:
    """One row each; `empty_us`, a turn of the empty loop, is taken off."""
    print(f"{title:<32} {'µs CPU':>8} {'range':>15} {'ratio':>7}")
    ours = statistics.median(next(iter(costs.values()))) - empty_us
    for name, rounds in costs.items():
        median = statistics.median(rounds) - empty_us
        spread = f"{min(rounds) - empty_us:.1f}-{max(rounds) - empty_us:.1f}"
        print(f"  {name:<30} {median:>8.1f} {spread:>15} {median / ours:>6.1f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds: int = parser.parse_args().rounds
    pipe, child_pipe = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(child_pipe,), daemon=True
    )
    child.start()
    try:
        uvloop.run(_measure(pipe.recv(), rounds))
    finally:
        child.terminate()


if __name__ == "__main__":
    main()
