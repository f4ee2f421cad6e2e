"""Workers that share one Redis and answer the calls of one OpenAI SIP connector made of software;
whoever wants to know of calls is told by webhook."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.bridge.call_record import call_folder
from app.company import in_company, open_beyond
from app.demo.stage import LAB_KEY, free_port, greeting_first
from app.lab.openai_sip.call import SipCall
from app.lab.openai_sip.server import LabOpenAISip
from app.lab.realtime.ports import Output
from app.lab.realtime.server import LabRealtime
from app.server import Worker, make_server, make_worker
from app.settings import Settings
from tests.lab_calls.cast import CodeEar, NoMouth, ScriptedBrain, until
from tests.lab_calls.sip_cast import SECRET, born
from tests.live.redis_fixture import RedisProcess, running_redis
from tests.outgoing.receiver import SECRET as TOLD_SECRET
from tests.outgoing.receiver import Receiver


@dataclass(frozen=True, slots=True)
class Connector:
    """Everything but the workers."""

    lab: LabOpenAISip
    receiver: Receiver
    redis: RedisProcess
    data_dir: Path

    def streams(self, call: SipCall) -> int:
        """How many there have been, of whichever worker."""
        return len(list(call_folder(self.data_dir, call.call_id).glob("events*.jsonl")))

    def timelines(self, call: SipCall) -> list[dict[str, Any]]:
        """Of its streams, oldest first."""
        paths = call_folder(self.data_dir, call.call_id).glob("timeline*.json")
        return [json.loads(path.read_text("utf-8")) for path in sorted(paths, key=born)]

    async def told_of_its_end(self) -> None:
        """Of one call, by whoever carried it last."""
        await until(lambda: "call.ended" in self.receiver.types)


@asynccontextmanager
async def connector(
    folder: Path, *answers: Sequence[Output], words: dict[int, str] | None = None
) -> AsyncIterator[Connector]:
    """Every call's model gives the same `answers`."""
    model = LabRealtime(
        api_key=LAB_KEY,
        brain_factory=lambda: ScriptedBrain(answers),
        ear=CodeEar(words),
        mouth=NoMouth(),
    )
    with running_redis() as redis:
        async with (
            model,
            LabOpenAISip(api_key=LAB_KEY, secret=SECRET, model_url=model.base_url) as lab,
            Receiver() as receiver,
        ):
            yield Connector(lab, receiver, redis, folder / "data")


@dataclass(frozen=True, slots=True)
class Here:
    """A worker in this process."""

    worker: Worker
    url: str


@asynccontextmanager
async def workers_here(
    at: Connector, agent: str, count: int = 2, **settings: object
) -> AsyncIterator[list[Here]]:
    """The first one is offered the calls. Entered once each knows of the others."""
    async with AsyncExitStack() as stack:
        here = [await stack.enter_async_context(_worker(at, agent, settings)) for _ in range(count)]
        at.lab.webhook_url = f"{here[0].url}/openai/webhook"
        for each in here:
            await _knows(each, count)
        yield here


async def _knows(here: Here, count: int) -> None:
    live = here.worker.orphans._live
    assert live is not None
    async with asyncio.timeout(60):
        while len(await live.fleet.workers()) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _worker(at: Connector, agent: str, settings: dict[str, object]) -> AsyncIterator[Here]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given: dict[str, object] = {
        "openai_api_key": SecretStr(LAB_KEY),
        "openai_base_url": at.lab.base_url,
        "openai_webhook_secret": SecretStr(SECRET),
        "public_url": url,
        "redis_url": SecretStr(at.redis.url),
        "data_dir": at.data_dir,
        "webhook_url": at.receiver.url,
        "webhook_secret": SecretStr(TOLD_SECRET),
        "agent": agent,
        **settings,
    }
    made = Settings.model_validate(given)
    async with open_beyond(made) as beyond:
        worker = make_worker(made, revise=greeting_first, beyond=beyond)
        server = make_server(worker, "127.0.0.1", port)
        async with in_company(beyond, worker):
            serving = asyncio.create_task(server._serve())
            await until(lambda: server.started)
            try:
                yield Here(worker, url)
            finally:
                server.should_exit = True
                await serving
