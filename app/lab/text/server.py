"""The lab's text model as a server: `POST /v1/responses` on a local port, answered at once.

Field names and types are those of the `openai` package 3.51 (`types/responses`).
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec
from aiohttp import web

from app.lab.realtime.ids import Ids
from app.lab.realtime.ports import Output, Turn
from app.lab.realtime.refusals import RequestRefused
from app.lab.speech.dialog import ScriptedBrain
from app.lab.text.extraction import Mood, extraction_of
from app.lab.text.judgement import asks_for_judgement, judgement_of
from app.lab.text.transcript import summary_of, turns_in
from app.lab.text.wire import (
    TextRequest,
    answer_body,
    error_body,
    error_of,
    read_request,
    said_and_called,
)

Answer: TypeAlias = Callable[[str, str], str]
"""(prompt, input) to the text of the answer; "" for an answer without any text."""

Converse: TypeAlias = Callable[[Sequence[Turn], str, Sequence[str]], Sequence[Output]]
"""(conversation, prompt, names of the functions on offer) to what is said and called."""


def answer_of(instructions: str, text: str) -> str:
    """Whether a turn is complete when that is the question, else a summary of the transcript."""
    answer = judgement_of if asks_for_judgement(instructions) else summary_of
    return answer(instructions, text)


def next_turn(
    conversation: Sequence[Turn], instructions: str, offered: Sequence[str]
) -> Sequence[Output]:
    """What the restaurant of the lab's dialog answers, with the functions on offer."""
    brain = ScriptedBrain()
    brain.offer(offered)
    return brain.reply(conversation, instructions)


@dataclass(frozen=True, slots=True)
class TextBehaviour:
    """How the service behaves. The defaults are a healthy one that answers at once."""

    delay_ms: int = 0
    """Before it answers, whatever the answer."""
    judgement_delay_ms: int = 0
    """More, before it answers whether a turn is complete."""
    extraction: Mood = "truthful"
    """How it answers who asks with a JSON schema."""
    extraction_times: int | None = None
    """After so many such answers it is truthful. None: it does not change."""
    extraction_delay_ms: int = 0
    """More, before such an answer."""
    refuse_status: int | None = None
    """Answer everything with this HTTP status and the error that belongs to it, such as 429."""
    hang: bool = False
    """Take requests and never answer."""
    trickle_ms: int | None = None
    """Send the answer byte by byte, this far apart."""
    reset: bool = False
    """Break the connection instead of answering."""
    body: bytes | None = None
    """Answer 200 with this instead of a response."""

    def __post_init__(self) -> None:
        if self.refuse_status is not None and self.refuse_status < 400:
            raise ValueError(f"refuse_status: expected 400 or more, got {self.refuse_status}")


class LabTextModel:
    """An async context manager that serves `base_url`; `port` 0 takes any free one.

    `behaviour`, `answer` and `converse` may be replaced at any time. By default it answers with a
    summary of the transcript that it is given, with yes or no when it is asked whether a turn is
    complete, or with what the transcript says of the facts that a JSON schema asks for. A
    conversation, which is a list of items with functions on offer or with answers of the model in
    it, it goes on with by `converse`: the same dialog as the realtime model's.
    `asked` counts the requests that came, `requests` keeps those that were understood, `peers` has
    an address for each connection that they came over.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        api_key: str,
        answer: Answer = answer_of,
        converse: Converse = next_turn,
        behaviour: TextBehaviour | None = None,
    ) -> None:
        self.behaviour = behaviour or TextBehaviour()
        self.answer = answer
        self.converse = converse
        self.asked = 0
        self.requests: list[TextRequest] = []
        self.peers: set[object] = set()
        self._api_key = api_key
        self._host = host
        self._port = port
        self._ids = Ids(random.Random(f"text/{port}"))
        self._extractions = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """For `OPENAI_BASE_URL`. Raises RuntimeError before the server was started."""
        if self._runner is None:
            raise RuntimeError("the lab model has no address yet: enter its context first")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    async def __aenter__(self) -> "LabTextModel":
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_post("/v1/responses", self._respond)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.behaviour
        self.asked += 1
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))
        await asyncio.sleep(behaviour.delay_ms / 1000)
        answer = await self._answer(request, behaviour)
        if behaviour.trickle_ms is not None:
            return await _trickle(request, answer, behaviour.trickle_ms)
        return answer

    async def _answer(self, request: web.Request, behaviour: TextBehaviour) -> web.Response:
        if behaviour.hang:
            await self._closing.wait()
        if behaviour.reset and request.transport is not None:
            request.transport.abort()
        if behaviour.refuse_status is not None:
            return _json(behaviour.refuse_status, error_of(behaviour.refuse_status))
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return _json(HTTPStatus.UNAUTHORIZED, error_of(HTTPStatus.UNAUTHORIZED))
        if behaviour.body is not None:
            return web.Response(body=behaviour.body, content_type="application/json")
        try:
            asked = read_request(await request.read(), time.monotonic())
        except RequestRefused as refusal:
            return _json(HTTPStatus.BAD_REQUEST, error_body(refusal))
        self.requests.append(asked)
        if asks_for_judgement(asked.instructions):
            await asyncio.sleep(behaviour.judgement_delay_ms / 1000)
        if asked.converses:
            turns = turns_in(asked.items)
            outputs = self.converse(turns, asked.instructions, asked.offered)
            text, calls = said_and_called(outputs)
            return _json(HTTPStatus.OK, answer_body(asked, text, self._ids, calls))
        text = await self._text(asked, behaviour)
        return _json(HTTPStatus.OK, answer_body(asked, text, self._ids))

    async def _text(self, asked: TextRequest, behaviour: TextBehaviour) -> str:
        if asked.schema is None or self.answer is not answer_of:
            return self.answer(asked.instructions, asked.text)
        await asyncio.sleep(behaviour.extraction_delay_ms / 1000)
        self._extractions += 1
        most = behaviour.extraction_times
        changed = most is not None and self._extractions > most
        return extraction_of(
            asked.schema, asked.text, "truthful" if changed else behaviour.extraction
        )


async def _trickle(
    request: web.Request, answer: web.Response, trickle_ms: int
) -> web.StreamResponse:
    stream = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    await stream.prepare(request)
    assert isinstance(answer.body, bytes)
    for byte in answer.body:
        await stream.write(bytes([byte]))
        await asyncio.sleep(trickle_ms / 1000)
    return stream


def _json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(body), content_type="application/json"
    )
