"""Earshot and the lab in one process, on loopback: a phone line that a bot answers.

For the demo, whole-call tests and benches. Real sockets, real signatures; only the two vendors are
made of software.
"""

import asyncio
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import SecretStr

from app.agents import Agent
from app.beyond import ALONE, Beyond
from app.bridge.ports import Observer
from app.lab.pbx.ari import PbxAri
from app.lab.pbx.dialplan import Dialplan, DialStatus
from app.lab.pbx.line import PbxPhone
from app.lab.pbx.wire import Format
from app.lab.phone.account import Account
from app.lab.phone.impairments import Impairments
from app.lab.phone.line import OnEvent, PhoneLine, ignore_event
from app.lab.phone.pace import Pace
from app.lab.phone.people import Callee
from app.lab.phone.rest import RestManners, TwilioRest
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import Brain, Ear, Mouth
from app.lab.realtime.server import LabRealtime
from app.persona import Adjust, Revise, as_it_is, as_written
from app.server import Worker, make_server, make_worker
from app.settings import Settings

LAB_KEY = "sk-lab-no-account-needed"
LAB_ACCOUNT = "AC" + "0" * 32
LAB_TOKEN = "lab-token-of-no-account"
LAB_PBX, LAB_PBX_PASSWORD = "lab-pbx", "lab-password-of-no-pbx"
LAB_ARI, LAB_ARI_PASSWORD = "lab-ari", "lab-password-of-no-ari"
CALLER = "+15550100001"
CALLED = "+15550100002"
"""Numbers of the range that is kept free for fiction."""


class Stage:
    """`async with Stage(...) as stage:` then `stage.line().call(script, ...)`."""

    def __init__(
        self,
        *,
        brain: Callable[[], Brain],
        ear: Ear,
        mouth: Mouth,
        data_dir: Path,
        agent: str = "receptionist",
        behaviour: Behaviour | None = None,
        observers: Sequence[Observer] = (),
        adjust: Adjust = as_it_is,
        revise: Revise = as_written,
        beyond: Beyond = ALONE,
        people: Mapping[str, Callee] | None = None,
        pace: Pace | None = None,
        **settings: object,
    ) -> None:
        """`settings` override fields of `Settings`; `adjust` changes every call's settings,
        `revise` the agents; `beyond`: what outlives a call, such as phrases at hand.
        `people`: who can be dialled besides; then the carrier has its REST API. `pace`: how long
        the carrier's own voice takes, where lines share the account."""
        self.account: Account | None = None
        """The carrier's, where there are `people`."""
        if people is not None:
            self.account = Account(
                account_sid=LAB_ACCOUNT, auth_token=LAB_TOKEN, people=people, pace=pace
            )
        self._rest = None if self.account is None else TwilioRest(account=self.account)
        self.model = LabRealtime(
            api_key=LAB_KEY, brain_factory=brain, ear=ear, mouth=mouth, behaviour=behaviour
        )
        self._given = {"agent": agent, "data_dir": data_dir, "max_calls": 1_000, **settings}
        self._observers = observers
        self._adjust = adjust
        self._revise = revise
        self._beyond = beyond
        self._worker: Worker | None = None
        self._stop: Callable[[], None] = lambda: None
        self._serving: asyncio.Task[None] | None = None
        self._outside: asyncio.Task[None] | None = None
        self._port = 0
        self._lab = AsyncExitStack()

    @property
    def worker(self) -> Worker:
        """Raises RuntimeError before the stage is entered."""
        if self._worker is None:
            raise RuntimeError("the stage is empty: enter its context first")
        return self._worker

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> "Stage":
        """Raises what `make_worker` raises; the lab is closed again then."""
        async with AsyncExitStack() as lab:
            await lab.enter_async_context(self.model)
            if self._rest is not None:
                await lab.enter_async_context(self._rest)
            await self._serve_calls()
            self._lab = lab.pop_all()
        return self

    async def _serve_calls(self) -> None:
        self._port = free_port()
        worker = self._worker = make_worker(
            self._settings(),
            observers=self._observers,
            adjust=self._adjust,
            revise=self._revise,
            beyond=self._beyond,
        )
        self._outside = asyncio.create_task(worker.answering.outside.run())
        server = make_server(worker, "127.0.0.1", self._port)
        # `_serve` is `serve` without its signal handlers: Ctrl+C belongs to whoever set the stage.
        self._serving = asyncio.create_task(server._serve())
        while not server.started:
            if self._serving.done():
                self._serving.result()
            await asyncio.sleep(0.005)

        def stop() -> None:
            server.should_exit = True

        self._stop = stop

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        if self._serving is not None:
            await self._serving
        if self._outside is not None:
            self._outside.cancel()
            await asyncio.gather(self._outside, return_exceptions=True)
        await self.worker.texting.close()
        await self.worker.desk.close()
        await self.worker.rest.close()
        await self.worker.answering.close()
        await self._lab.aclose()

    def line(
        self,
        impairments: Impairments | None = None,
        *,
        pace: Pace | None = None,
        on_event: OnEvent = ignore_event,
    ) -> PhoneLine:
        """A number that the bot answers. `pace`: how long the carrier's own voice takes."""
        if self.account is not None:
            return PhoneLine(
                f"{self.url}/twilio/voice",
                account=self.account,
                status_url=f"{self.url}/twilio/status",
            )
        return PhoneLine(
            f"{self.url}/twilio/voice",
            account_sid=LAB_ACCOUNT,
            auth_token=LAB_TOKEN,
            impairments=impairments,
            pace=pace,
            status_url=f"{self.url}/twilio/status",
            on_event=on_event,
        )

    def pbx(
        self,
        impairments: Impairments | None = None,
        *,
        people: Mapping[str, DialStatus] | None = None,
        format_: Format = "json",
        **more: Any,
    ) -> PbxPhone:
        """A PBX that brings its callers to the bot. `people`: what comes of dialling them."""
        return PbxPhone(
            f"{self.url.replace('http', 'ws', 1)}/asterisk/media",
            user=LAB_PBX,
            password=LAB_PBX_PASSWORD,
            dialplan=Dialplan(
                f"{self.url}/asterisk/next", LAB_PBX, LAB_PBX_PASSWORD, people=people or {}
            ),
            impairments=impairments,
            format_=format_,
            **more,
        )

    def ari(
        self,
        people: Mapping[str, Callee],
        *,
        through: Mapping[str, DialStatus] | None = None,
        manners: RestManners | None = None,
    ) -> PbxAri:
        """A PBX that places the bot's calls. `people`: whom it can call; `through`: what comes of
        putting them through. To be entered, and closed before the stage is."""
        return PbxAri(
            self.pbx(people=through),
            people,
            user=LAB_ARI,
            password=LAB_ARI_PASSWORD,
            news_url=f"{self.url}/asterisk/dialled",
            manners=manners,
        )

    def _settings(self) -> Settings:
        values: dict[str, object] = {
            "openai_api_key": SecretStr(LAB_KEY),
            "openai_base_url": self.model.base_url,
            "twilio_account_sid": LAB_ACCOUNT,
            "twilio_auth_token": SecretStr(LAB_TOKEN),
            "public_url": self.url,
            "pbx_user": LAB_PBX,
            "pbx_password": SecretStr(LAB_PBX_PASSWORD),
            **({"twilio_api_url": self._rest.base_url} if self._rest is not None else {}),
            **self._given,
        }
        return Settings.model_validate(values)


def by_the_models_ears(agent: Agent) -> Agent:
    """The revision for callers whose voice is made of codes: no detector of voices hears one, the
    lab's model does, which goes by the level."""
    return replace(agent, barge_in=replace(agent.barge_in, by="model"))


def greeting_first(agent: Agent) -> Agent:
    """The revision for models that give their answers by order, the greeting as the first: nothing
    else is said before. They too are heard `by_the_models_ears`."""
    return replace(by_the_models_ears(agent), disclosure="")


LISTENING_PORTS = range(20_000, 30_000)
"""Below those that systems give to outgoing connections: of these one could be taken in between."""


def free_port() -> int:
    """A port of the loopback address that nobody listened on a moment ago. Raises `OSError` when
    there is none."""
    for port in random.sample(LISTENING_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if _bound(probe, port):
                return port
    raise OSError("no free port of the loopback address was found")


def _bound(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
