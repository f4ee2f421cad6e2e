"""Invariant: who may not call, whom nobody serves, what cannot be done and what there is no room
for is refused with the code that says so; and nothing that strangers send ends the line."""

import asyncio
import socket
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sip_line.phone import open_phone
from tests.sip_line.sipp import sipp
from tests.sip_line.stage import line_to
from tests.sip_line.worker import WorkerCall, open_worker

NOBODY = "ws://127.0.0.1:9/asterisk/media"
BOB = {"bob": "open-sesame"}


def credentials(user: str, password: str) -> list[str]:
    return [f"9;0 101;[authentication username={user} password={password}]"]


async def test_strangers_are_refused(tmp_path: Path) -> None:
    async with open_worker() as worker, line_to(worker.url, peers=()) as line:
        (await sipp(line.port, "refused_403", tmp_path)).require()
        assert not worker.calls


async def test_strangers_with_credentials_are_challenged_and_taken(tmp_path: Path) -> None:
    told = credentials("bob", "open-sesame")
    async with open_worker() as worker, line_to(worker.url, peers=(), credentials=BOB) as line:
        ran = await sipp(line.port, "authenticated", tmp_path, fields=told, hold_ms=200)
        ran.require()
        assert len(worker.calls) == 1
        assert "open-sesame" not in ran.messages


@pytest.mark.parametrize("told", [("bob", "wrong"), ("eve", "open-sesame")])
async def test_credentials_that_do_not_fit_are_refused(
    tmp_path: Path, told: tuple[str, str]
) -> None:
    async with open_worker() as worker, line_to(worker.url, peers=(), credentials=BOB) as line:
        (await sipp(line.port, "wrong_credentials", tmp_path, fields=credentials(*told))).require()
        assert not worker.calls


async def test_users_that_nobody_serves(tmp_path: Path) -> None:
    async with open_worker() as worker, line_to(worker.url, served=("100", "+1555*")) as line:
        (await sipp(line.port, "refused_404", tmp_path, service="101")).require()
        assert not worker.calls
        ran = await sipp(line.port, "call", tmp_path, service="+15550100009", hold_ms=100)
        ran.require()
        assert worker.calls[0].variables["EARSHOT_TO"] == "+15550100009"


async def test_an_offer_without_a_codec_of_ours(tmp_path: Path) -> None:
    async with open_worker() as worker, line_to(worker.url) as line:
        (await sipp(line.port, "refused_488", tmp_path, fields=["9;18 101"])).require()
        (await sipp(line.port, "refused_488", tmp_path, fields=["0;0 101"])).require()
        assert not worker.calls


async def test_a_body_that_is_no_description(tmp_path: Path) -> None:
    async with open_worker() as worker, line_to(worker.url) as line:
        (await sipp(line.port, "refused_400", tmp_path)).require()
        assert not worker.calls


async def test_more_calls_than_there_is_room_for(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    async with open_worker() as worker, line_to(worker.url, max_calls=1) as line:
        first = asyncio.create_task(sipp(line.port, "call", tmp_path / "first", hold_ms=2_000))
        async with asyncio.timeout(60):
            while not worker.calls:  # noqa: ASYNC110 - sipp has not begun yet
                await asyncio.sleep(0.02)
        ran = await sipp(line.port, "refused_503", tmp_path / "second")
        ran.require()
        assert "Retry-after: 10" in ran.messages
        (await first).require()
        assert len(worker.calls) == 1
        (await sipp(line.port, "call", tmp_path / "second", hold_ms=100)).require()


async def test_no_worker_there(tmp_path: Path) -> None:
    async with line_to(NOBODY, retry_after_s=30) as line:
        ran = await sipp(line.port, "refused_503", tmp_path)
        ran.require()
        assert "Retry-after: 30" in ran.messages


async def test_a_worker_that_refuses_or_speaks_something_else(tmp_path: Path) -> None:
    async with open_worker() as worker, line_to(worker.url) as line:
        worker.refuse_with = HTTPStatus.SERVICE_UNAVAILABLE
        (await sipp(line.port, "refused_503", tmp_path)).require()
    async with open_worker(subprotocol="other") as worker, line_to(worker.url) as line:
        (await sipp(line.port, "refused_503", tmp_path)).require()


async def test_a_worker_that_never_answers_the_connection(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with line_to(url, worker_timeout_s=0.3) as line:
            (await sipp(line.port, "refused_503", tmp_path)).require()


async def test_a_worker_that_goes_before_it_answers(tmp_path: Path) -> None:
    async def script(call: WorkerCall) -> None:
        await call.socket.close()

    async with open_worker(script) as worker, line_to(worker.url, worker_answers=True) as line:
        (await sipp(line.port, "refused_503", tmp_path)).require()


async def test_requests_that_belong_to_no_call(tmp_path: Path) -> None:
    async with line_to(NOBODY) as line:
        (await sipp(line.port, "no_calls", tmp_path)).require()


async def test_rtp_from_elsewhere_is_not_heard(tmp_path: Path) -> None:
    """A stranger who knows the port, at another address of this machine."""
    async with open_worker() as worker, open_phone() as phone, line_to(worker.url) as line:
        calling = asyncio.create_task(
            sipp(line.port, "call", tmp_path, fields=[f"{phone.port};0 101"], hold_ms=1_500)
        )
        async with asyncio.timeout(60):
            while not phone.received:  # noqa: ASYNC110 - the call is not up yet
                await asyncio.sleep(0.02)
        [_, packet] = phone.received[0]
        [media] = [call._media for call in line._calls.values()]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            for _ in range(20):
                stranger.sendto(packet.encoded(), ("127.0.0.1", _port_of(media)))
        (await calling).require()
        assert worker.calls[0].heard == b""


def _port_of(media: object) -> int:
    transport = getattr(media, "_transport")  # noqa: B009 - a stranger would find it by trying
    port: int = transport.get_extra_info("sockname")[1]
    return port


MESSAGE = (
    "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n"
    "From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(0, len(MESSAGE)), st.text(max_size=20), st.integers(0, 40)).map(
            lambda cut: (MESSAGE[: cut[0]] + cut[1] + MESSAGE[cut[0] + cut[2] :]).encode(
                errors="replace"
            )
        ),
    )
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_datagram_ends_or_prints_anything(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, datagram: bytes
) -> None:
    """From one who may not call: whatever it is, it is answered with a refusal or not at all."""

    async def take() -> None:
        async with line_to(NOBODY, peers=()) as line:
            wire = line._stack._wire
            wire.datagram_received(datagram, ("127.0.0.1", 9))
            wire.datagram_received(datagram, ("127.0.0.1", 9))
            assert line.calls == 0

    asyncio.run(take())
    assert capfd.readouterr() == ("", "")
    assert all(record.getMessage() in TOLD for record in caplog.records)


TOLD = ("a SIP message could not be handled", "Using selector: EpollSelector")
