"""`python -m app serve` as a process of its own, told everything by its environment, answers calls,
refuses what is too much, and ends when it is told to."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.bridge.call_record import call_folder
from app.demo.stage import CALLED, CALLER, LAB_ACCOUNT, LAB_KEY, LAB_TOKEN, free_port
from app.lab.phone.line import OnEvent, PhoneLine, ignore_event
from app.lab.phone.script import HangUp, Script, WaitForBot
from app.lab.realtime.server import LabRealtime
from tests.lab_calls.cast import FAST, CodeEar, NoMouth, Recorded, ScriptedBrain, line
from tests.lab_calls.raw_carrier import form, post, stranger_sid

pytestmark = pytest.mark.lab_call

ROOT = Path(__file__).parents[2]
LOG = "log"
LISTEN = Script((WaitForBot.finished(100, said_ms=600), HangUp()), limit_ms=60_000)
LIMIT_S = 90
"""A process comes up in about 2 s where it has a core to itself."""
NEEDED = ("OPENAI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL")


def environment(**settings: str) -> dict[str, str]:
    """Nothing of ours but `settings`; the code is found where these tests found it."""
    code = os.pathsep.join((str(ROOT), str(ROOT / "codecs")))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": code, **settings}


@dataclass(frozen=True, slots=True)
class Served:
    """A running `serve`."""

    process: asyncio.subprocess.Process
    folder: Path
    url: str

    @property
    def line(self) -> PhoneLine:
        return self.line_with()

    def line_with(self, on_event: OnEvent = ignore_event) -> PhoneLine:
        return PhoneLine(
            f"{self.url}/twilio/voice",
            account_sid=LAB_ACCOUNT,
            auth_token=LAB_TOKEN,
            pace=FAST,
            status_url=f"{self.url}/twilio/status",
            on_event=on_event,
        )

    @property
    def written(self) -> str:
        """All that it has written so far."""
        return (self.folder / LOG).read_text("utf-8")

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, (await response.text()).strip()

    async def stop(self) -> tuple[int, str]:
        """Tell it to end; its exit code and all that it wrote."""
        self.process.send_signal(signal.SIGTERM)
        return await self.end()

    async def end(self) -> tuple[int, str]:
        """Wait for its end; its exit code and all that it wrote."""
        return await asyncio.wait_for(self.process.wait(), LIMIT_S), self.written


@asynccontextmanager
async def serving(model: LabRealtime, *arguments: str, **settings: str) -> AsyncIterator[Served]:
    """`earshot serve` with these arguments and settings, once it listens."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = environment(
        OPENAI_API_KEY=LAB_KEY,
        OPENAI_BASE_URL=model.base_url,
        TWILIO_ACCOUNT_SID=LAB_ACCOUNT,
        TWILIO_AUTH_TOKEN=LAB_TOKEN,
        PUBLIC_URL=url,
        **settings,
    )
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / LOG).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app", "serve", "--port", str(port), *arguments),
                env=env,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        served = Served(process, Path(folder), url)
        try:
            await answers(served)
            yield served
        finally:
            await put_away(served)


async def put_away(served: Served) -> None:
    """Whatever a test left: the process, and the Redis that one which is killed leaves running."""
    with suppress(ProcessLookupError):
        served.process.kill()
    await served.process.wait()
    end_redis(served.folder / "earshot-data")


def end_redis(data_dir: Path) -> None:
    """The one that a server started for itself, if it still runs. A client would otherwise ask
    again for 4 s whether it does."""
    path = data_dir / "redis" / "redis.sock"
    with suppress(RedisError):
        Redis(unix_socket_path=str(path), retry=Retry(NoBackoff(), 0)).shutdown(nosave=True)


async def answers(served: Served) -> None:
    """Wait until it listens."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                assert await served.get("/healthz") == (200, "ok")
                return
            except aiohttp.ClientConnectorError:
                assert served.process.returncode is None, served.written
                await asyncio.sleep(0.05)


def lab_model() -> LabRealtime:
    return LabRealtime(
        api_key=LAB_KEY,
        brain_factory=lambda: ScriptedBrain([[line(1, 600)]]),
        ear=CodeEar(),
        mouth=NoMouth(),
    )


async def test_five_variables_are_enough_to_answer_a_call_and_to_end_in_peace() -> None:
    async with lab_model() as model, serving(model) as served:
        assert await served.get("/readyz") == (200, "ready")
        report = await served.line.call(LISTEN, from_=CALLER, to=CALLED)
        assert report.as_scripted
        exit_code, written = await served.stop()
        assert exit_code == 0
        folder = call_folder(served.folder / "earshot-data", report.identity.call_sid)
        recorded = Recorded(report, folder, model.sessions[0])
        assert recorded.heard_ms(1) == 600
        assert recorded.end_reason == "caller_hung_up"
        database = sqlite3.connect(served.folder / "earshot-data" / "earshot.db")
        with closing(database):
            rows = database.execute("SELECT call_id, caller, end_reason FROM calls").fetchall()
        assert rows == [(report.identity.call_sid, CALLER, "caller_hung_up")]
    assert "Traceback" not in written
    for secret in (LAB_KEY, LAB_TOKEN, CALLER, CALLED):
        assert secret not in written


async def test_a_call_too_many_is_refused_in_words_and_readyz_says_so_before() -> None:
    async with lab_model() as model, serving(model, EARSHOT_MAX_CALLS="1") as served:
        url = f"{served.url}/twilio/voice"
        first, second = stranger_sid(), stranger_sid()
        taken, refused = await post(url, form(first)), await post(url, form(second))
        assert taken.verbs == ["Connect"]
        assert refused.verbs == ["Say", "Hangup"]
        full = "no room for another call: as many calls as it may carry"
        assert await served.get("/readyz") == (503, full)
        assert (await served.get("/healthz"))[0] == 200
        report = await served.line.call(LISTEN, from_=CALLER, to=CALLED)
        assert [verb.name for verb in report.verbs] == ["Say", "Hangup"]
        assert "busy" in report.verbs[0].text
        assert [s for s in model.sessions if s.caller_audio] == [], "no call reached a model"
        gone = form(first, CallStatus="completed", SequenceNumber="0")
        assert (await post(f"{served.url}/twilio/status", gone)).status == 204
        assert await served.get("/readyz") == (200, "ready")


def failed_start(env: Mapping[str, str], folder: Path, *arguments: str) -> list[str]:
    """The lines of a `serve` that ends at once with exit code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve", *arguments],
        env=dict(env),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def test_what_is_missing_is_said_in_a_line_for_each(tmp_path: Path) -> None:
    lines = failed_start(environment(), tmp_path)
    assert len(lines) == len(NEEDED)
    for name, said in zip(NEEDED, lines, strict=True):
        assert said.startswith(name)
    one_missing = dict.fromkeys(NEEDED[:3], "x") | {"TWILIO_ACCOUNT_SID": LAB_ACCOUNT}
    [said] = failed_start(environment(**one_missing), tmp_path)
    assert said.startswith("PUBLIC_URL")


def test_what_is_wrong_is_said_in_one_line_without_a_secret(tmp_path: Path) -> None:
    wrong = {
        "OPENAI_API_KEY": "sk-top secret",
        "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
        "TWILIO_AUTH_TOKEN": LAB_TOKEN,
        "PUBLIC_URL": "http://bot.example.com",
    }
    key, url = failed_start(environment(**wrong), tmp_path)
    assert key.startswith("OPENAI_API_KEY")
    assert "top secret" not in key
    assert url.startswith("PUBLIC_URL")


def test_an_agent_that_does_not_exist_is_said_before_anything_listens(tmp_path: Path) -> None:
    right = {
        "OPENAI_API_KEY": LAB_KEY,
        "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
        "TWILIO_AUTH_TOKEN": LAB_TOKEN,
        "PUBLIC_URL": "https://bot.example.com",
    }
    [said] = failed_start(environment(**right, EARSHOT_AGENT="receptionst"), tmp_path)
    assert "Did you mean receptionist?" in said


FIRST_CALL = """
import asyncio, sys, tempfile
from pathlib import Path
from tests.lab_calls.cast import call, line, stage_for
from tests.lab_calls.test_serve import LISTEN

async def main():
    async with stage_for(Path(tempfile.mkdtemp()), [line(1, 600)]) as stage:
        loaded = set(sys.modules)
        await call(stage, LISTEN)
        print(*sorted(name for name in set(sys.modules) - loaded))

asyncio.run(main())
"""


def test_the_first_call_is_not_held_up_by_loading_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    loaded = done.stdout.split()
    slow = [name for name in loaded if name.startswith(("openai.resources", "openai.types"))]
    assert slow == []
    assert not [name for name in loaded if name.split(".")[0] in ("app", "starlette", "aiohttp")]
