"""Each way in which a bot's socket can fail has the code that Twilio reports, and no send waits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import WSMsgType

from app.lab.phone import websocket
from app.lab.phone.websocket import ConnectFailed, open_bot_socket
from tests.lab.phone.bots import BotSide, WebBot

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Heard:
    """What a socket delivered."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def message(self, data: bytes, binary: bool) -> None:
        self.messages.append((data, binary))


async def failure(url: str) -> int:
    with pytest.raises(ConnectFailed) as error:
        await open_bot_socket(url, {})
    return error.value.code


async def test_text_binary_and_fragments_arrive_whole_and_in_order() -> None:
    async def media(side: BotSide) -> None:
        await side.socket.send_str("early")
        await side.socket.receive()
        await side.socket.send_bytes(b"\x00\x01")
        writer = side.socket._writer
        assert writer is not None
        await writer.send_frame(b"x" * 100_000, WSMsgType.TEXT)
        await side.socket.send_str("last")

    async with WebBot({}, media) as bot:
        socket = await open_bot_socket(f"ws://{bot.base}/media", {"x-twilio-signature": "abc"})
        heard = Heard()
        await asyncio.sleep(0.05)
        socket.listen(heard.message, heard.closed.set_result)
        socket.send("hello")
        assert await asyncio.wait_for(heard.closed, 60) == ""
        await socket.close()
        assert bot.sides[0].headers["x-twilio-signature"] == "abc"
    assert heard.messages == [
        (b"early", False),
        (b"\x00\x01", True),
        (b"x" * 100_000, False),
        (b"last", False),
    ]


async def test_an_answer_other_than_101_is_a_refused_handshake() -> None:
    async with WebBot({}) as bot:
        assert await failure(f"ws://{bot.base}/media") == 31920
        assert await failure(f"ws://{bot.base}/nowhere") == 31920


async def test_nobody_there_is_a_refused_connection(unused_tcp_port: int) -> None:
    assert await failure(f"ws://127.0.0.1:{unused_tcp_port}/") == 31902


async def test_no_url_at_all_is_malformed() -> None:
    assert await failure("nonsense") == 31923


async def serving(serve: Serve) -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_plain_text_where_tls_is_expected_is_a_tls_error() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server, address = await serving(plain)
    async with server:
        assert await failure(f"wss://{address}/") == 31910


async def test_an_answer_that_never_comes_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CONNECT_LIMIT_S", 0.05)
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server, address = await serving(mute)
    async with server:
        assert await failure(f"ws://{address}/") == 31901
        await asyncio.wait_for(gone.wait(), 60)


async def test_a_connection_closed_before_the_answer_is_a_refused_handshake() -> None:
    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server, address = await serving(slam)
    async with server:
        assert await failure(f"ws://{address}/") == 31920


@pytest.mark.parametrize(
    ("ending", "fault"),
    [(b"\xc1\x00", "ProtocolError"), (b"", "EOFError")],
    ids=["reserved bit", "cut without a close"],
)
async def test_a_broken_connection_says_how(ending: bytes, fault: str) -> None:
    async def media(side: BotSide) -> None:
        transport = side.socket._req.transport if side.socket._req else None
        assert isinstance(transport, asyncio.Transport)
        transport.write(ending)
        await asyncio.sleep(0.05)
        transport.close()

    async with WebBot({}, media) as bot:
        socket = await open_bot_socket(f"ws://{bot.base}/media", {})
        heard = Heard()
        socket.listen(heard.message, heard.closed.set_result)
        assert fault in await asyncio.wait_for(heard.closed, 60)
        await socket.close()
        socket.send("into the void")


async def test_a_bot_that_does_not_answer_the_close_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_LIMIT_S", 0.05)
    release = asyncio.Event()

    async def media(side: BotSide) -> None:
        await release.wait()

    async with WebBot({}, media) as bot:
        socket = await open_bot_socket(f"ws://{bot.base}/media", {})
        heard = Heard()
        socket.listen(heard.message, heard.closed.set_result)
        await socket.close()
        await asyncio.wait_for(socket.gone, 60)
        release.set()
