"""Runs Debian's `sipp` with a scenario against a line."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.demo.stage import free_port
from tests.sip_line.debian import needed

SCENARIOS = Path(__file__).parent / "scenarios"
LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of sipp ended."""

    code: int
    """0: every call went as the scenario says."""
    errors: str
    messages: str
    """All that was sent and received."""

    def require(self) -> "Ran":
        """Fails the test with what sipp says unless all went well."""
        assert self.code == 0, f"sipp ended with {self.code}\n{self.errors}\n{self.messages}"
        return self


async def sipp(
    port: int,
    scenario: str,
    folder: Path,
    *options: str,
    fields: Iterable[str] = (),
    service: str = "100",
    calls: int = 1,
    at_once: int = 1,
    hold_ms: int = 1_000,
) -> Ran:
    """Place calls to the line at `port`. `fields`: what the scenario asks for, for each call."""
    program = needed("sipp", "sip-tester")
    lines = list(fields) or ["9;0 101"]
    (folder / "fields.csv").write_text("\n".join(["SEQUENTIAL", *lines, ""]), "utf-8")
    errors, messages = folder / "errors.log", folder / "messages.log"
    process = await asyncio.create_subprocess_exec(
        *(program, f"127.0.0.1:{port}", "-sf", str(SCENARIOS / f"{scenario}.xml")),
        *("-i", "127.0.0.1", "-p", str(free_port()), "-mp", str(free_port())),
        *("-m", str(calls), "-l", str(at_once), "-r", str(max(10, at_once)), "-s", service),
        *("-d", str(hold_ms), "-inf", str(folder / "fields.csv"), "-nostdin"),
        *("-timeout", str(LIMIT_S), "-timeout_error"),
        *("-trace_err", "-error_file", str(errors)),
        *("-trace_msg", "-message_file", str(messages), *options),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(LIMIT_S + 20):
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ran(code, _text(errors), _text(messages))


class SipCall:
    """One call while it lasts."""

    def __init__(
        self, process: asyncio.subprocess.Process, port: int, call_id: str, errors: Path
    ) -> None:
        self.call_id = call_id
        self._process = process
        self._port = port
        self._errors = errors

    def hang_up(self) -> None:
        """The caller does."""
        told = (
            f"INFO sip:caller@127.0.0.1:{self._port} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-test\r\n"
            "From: <sip:test@127.0.0.1>;tag=test\r\nTo: <sip:caller@127.0.0.1>\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: 9 INFO\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(type=socket.SOCK_DGRAM) as teller:
            teller.sendto(told.encode(), ("127.0.0.1", self._port))

    async def over(self) -> None:
        """Wait for the end. Fails the test with what sipp says when the call was none."""
        async with asyncio.timeout(LIMIT_S):
            code = await self._process.wait()
        assert code == 0, f"sipp ended with {code}\n{_text(self._errors)}"


@asynccontextmanager
async def sip_call(
    port: int, folder: Path, *, from_: str, to: str, media: str
) -> AsyncIterator[SipCall]:
    """A call to `to` at the line, whose sound goes to `media`: a port and payload types."""
    own_port, call_id = free_port(), f"{secrets.token_hex(8)}@caller.test"
    fields, errors = folder / f"{call_id}.csv", folder / f"{call_id}.log"
    fields.write_text(f"SEQUENTIAL\n{media};{from_}\n", "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(needed("sipp", "sip-tester"), f"127.0.0.1:{port}"),
        *("-sf", str(SCENARIOS / "talk.xml"), "-i", "127.0.0.1", "-p", str(own_port)),
        *("-mp", str(free_port()), "-m", "1", "-s", to, "-cid_str", call_id, "-nostdin"),
        *("-inf", str(fields), "-trace_err", "-error_file", str(errors)),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield SipCall(process, own_port, call_id, errors)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.exists() else ""
