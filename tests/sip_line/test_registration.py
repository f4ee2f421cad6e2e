"""Invariant: a line is known at its trunk while it runs and not longer, with credentials that never
travel, whatever the registrar asks for first; and calls reach it through the trunk."""

import asyncio
from pathlib import Path

import pytest

from app.sip_line import registration
from app.sip_line.config import Address, Trunk
from app.sip_line.line import Line
from tests.sip_line.kamailio import PASSWORD, open_kamailio
from tests.sip_line.phone import open_phone
from tests.sip_line.registrar import Register, open_registrar
from tests.sip_line.sipp import sipp
from tests.sip_line.stage import line_to
from tests.sip_line.worker import WorkerCall, open_worker

NOBODY = "ws://127.0.0.1:9/"
CHALLENGE = 'Digest realm="trunk",nonce="n1",qop="auth",algorithm=MD5'


def trunk(port: int, password: str = PASSWORD, **told: int) -> Trunk:
    return Trunk("bot", Address("127.0.0.1", port), password, **told)  # type: ignore[arg-type]


async def known(line: Line) -> None:
    assert line.registration is not None
    async with asyncio.timeout(60):
        await line.registration.registered.wait()


async def hang_up(call: WorkerCall) -> None:
    await call.command("HANGUP")


async def test_a_call_comes_through_the_trunk_and_goes_back_on_its_way(tmp_path: Path) -> None:
    async with open_kamailio(tmp_path) as port, open_worker() as worker, open_phone() as phone:
        async with line_to(worker.url, trunk=trunk(port)) as line:
            await known(line)
            fields = [f"{phone.port};0 101"]
            ran = await sipp(port, "call", tmp_path, service="bot", fields=fields, hold_ms=300)
            ran.require()
            assert phone.received
            worker.script = hang_up
            ran = await sipp(port, "called_off", tmp_path, service="bot")
        ran.require()
        assert "Record-Route" in ran.messages
        assert worker.calls[0].variables["EARSHOT_TO"] == "sip:bot@127.0.0.1"
        ran = await sipp(port, "refused_404", tmp_path, service="bot")
        ran.require()


async def test_wrong_credentials_are_no_registration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_kamailio(tmp_path) as port, line_to(NOBODY, trunk=trunk(port, "wrong")) as line:
        assert line.registration is not None
        async with asyncio.timeout(60):
            while not caplog.records:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert not line.registration.registered.is_set()
    assert {record.getMessage() for record in caplog.records} == {
        "the SIP trunk refused the registration"
    }


@pytest.mark.parametrize(
    ("status", "asked", "answered"),
    [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
async def test_it_is_kept_fresh_and_withdrawn_at_the_end(
    status: str, asked: str, answered: str
) -> None:
    def reply(register: Register, _number: int) -> tuple[str, str]:
        if not register.header(answered):
            return status, f"{asked}: {CHALLENGE}"
        return "200 OK", f"Contact: {register.header('Contact')};expires=1"

    async with open_registrar(reply) as registrar:
        async with line_to(NOBODY, trunk=trunk(registrar.port, expires_s=60)) as line:
            await known(line)
            await registrar.has_taken(4)
        withdrawn = registrar.taken[-1]
        taken = [register for register in registrar.taken if register.header(answered)]
    assert [register.header("Expires") for register in taken[:2]] == ["60", "60"]
    assert withdrawn.header("Expires") == "0"
    assert len({register.header("Call-ID") for register in registrar.taken}) == 1
    sequences = [register.sequence for register in registrar.taken]
    assert sequences == sorted(set(sequences))
    assert f"@127.0.0.1:{line.port}>" in taken[0].header("Contact")
    assert not any(PASSWORD in register.text for register in registrar.taken)


async def test_a_registrar_that_wants_longer_times_gets_them() -> None:
    def reply(register: Register, number: int) -> tuple[str, str]:
        if 0 < int(register.header("Expires")) < 600:
            return "423 Interval Too Brief", "Min-Expires: 600"
        return "200 OK", "Expires: 600"

    async with open_registrar(reply) as registrar:
        told = trunk(registrar.port, expires_s=60)
        async with line_to(NOBODY, trunk=told) as line:
            await known(line)
    assert [r.header("Expires") for r in registrar.taken] == ["60", "600", "0"]


async def test_a_failure_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "RETRY_S", (0.05,))

    def reply(_register: Register, number: int) -> tuple[str, str]:
        return ("503 Service Unavailable", "") if number < 2 else ("200 OK", "Expires: 600")

    async with open_registrar(reply) as registrar:
        told = trunk(registrar.port)
        async with line_to(NOBODY, trunk=told) as line:
            await known(line)
            assert len(registrar.taken) == 3


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("200 OK", "Expires: soon"),
        ("200 OK", "Contact: <sip:bot@127.0.0.1:port>;expires=60"),
        ("401 Unauthorized", "WWW-Authenticate: Digest"),
        ("401 Unauthorized", "WWW-Authenticate: Basic realm=x, what"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_failure_and_tried_again(
    status: str, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "RETRY_S", (0.05,))

    def reply(_register: Register, number: int) -> tuple[str, str]:
        return (status, more) if number < 2 else ("200 OK", "Expires: 600")

    async with (
        open_registrar(reply) as registrar,
        line_to(NOBODY, trunk=trunk(registrar.port)) as line,
    ):
        await known(line)
