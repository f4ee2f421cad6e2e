"""Two workers at one address, with one Redis: the first takes the call, the other whatever comes
after its first stream."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from app.beyond import Beyond
from app.demo.stage import (
    LAB_ACCOUNT,
    LAB_KEY,
    LAB_PBX,
    LAB_PBX_PASSWORD,
    LAB_TOKEN,
    by_the_models_ears,
    free_port,
)
from app.lab.phone import Account, Callee, TwilioRest
from app.lab.realtime.ports import Brain
from app.lab.realtime.server import LabRealtime
from app.live import open_live
from app.server import Worker, make_server, make_worker
from app.settings import Settings
from tests.lab_calls.cast import CodeEar, NoMouth, until
from tests.lab_calls.journeys import BRISK
from tests.live.redis_fixture import running_redis


class Split:
    """One address for two workers: the first one takes calls, the other one everything that is
    asked when a stream has ended, and the streams after it."""

    def __init__(self, first: Worker, other: Worker) -> None:
        self.first = first
        self._other = other
        self._streams = 0
        self.others: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        first = path == "/twilio/voice" or (scope["type"] == "websocket" and self._streams == 0)
        self._streams += scope["type"] == "websocket"
        if not first:
            self.others.append(path)
        await (self.first if first else self._other).app(scope, receive, send)


@asynccontextmanager
async def two_workers(
    folder: Path, people: Mapping[str, Callee], agent: str, brain: Callable[[], Brain]
) -> AsyncIterator[tuple[Split, Account, LabRealtime, str]]:
    """`agent`: the path of its file."""
    account = Account(account_sid=LAB_ACCOUNT, auth_token=LAB_TOKEN, people=people, pace=BRISK)
    model = LabRealtime(api_key=LAB_KEY, brain_factory=brain, ear=CodeEar(), mouth=NoMouth())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_redis() as redis:
        async with (
            model,
            TwilioRest(account=account) as rest,
            open_live(redis.url, folder, "w1") as one,
            open_live(redis.url, folder, "w2") as two,
        ):
            settings = Settings(
                openai_api_key=SecretStr(LAB_KEY),
                openai_base_url=model.base_url,
                twilio_account_sid=LAB_ACCOUNT,
                twilio_auth_token=SecretStr(LAB_TOKEN),
                twilio_api_url=rest.base_url,
                public_url=url,
                pbx_user=LAB_PBX,
                pbx_password=SecretStr(LAB_PBX_PASSWORD),
                agent=agent,
                data_dir=folder / "data",
            )
            workers = [
                make_worker(settings, revise=by_the_models_ears, beyond=Beyond(live=live))
                for live in (one, two)
            ]
            split = Split(*workers)
            server = make_server(replace(workers[0], app=split), "127.0.0.1", port)
            serving = asyncio.create_task(server._serve())
            await until(lambda: server.started)
            try:
                yield split, account, model, url
            finally:
                server.should_exit = True
                await serving
                for worker in workers:
                    await worker.desk.close()
                    await worker.rest.close()
                    await worker.answering.close()
