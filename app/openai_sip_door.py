"""The door for calls by OpenAI's SIP connector, put together from a worker's settings."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from starlette.routing import BaseRoute

from app.answering import Answering
from app.bridge.media_socket import OnEnded
from app.carriers.openai_sip.rest import Calls
from app.carriers.openai_sip.webhook import Once, Webhooks
from app.carriers.twilio.idempotency import Answer, Answers
from app.departments import Departments
from app.front_door import FrontDoor
from app.models.openai_connect import Credentials
from app.models.openai_sideband import SidebandLimits
from app.openai_sip_orphans import Orphans
from app.openai_sip_refer import STAYS_S, Referrals
from app.openai_sip_room import OpenAISipRoom
from app.persona import credentials_of
from app.telling import Telling

LIMITS: Final = SidebandLimits()


def openai_sip_routes(
    front: FrontDoor,
    calls: Answering,
    departments: Departments,
    answers: Answers,
    on_ended: OnEnded,
    orphans: Orphans,
) -> Sequence[BaseRoute]:
    """Nothing where the webhook's secret is not set: nobody could be believed."""
    secret = front.settings.openai_webhook_secret.get_secret_value()
    if not secret:
        return ()
    credentials, limits = credentials_of(front.settings), LIMITS
    client = _client(credentials, secret)
    rest = Calls(client)
    referrals = Referrals(
        front.files.personas,
        departments.gate,
        Telling(departments.outgoing),
        rest,
        credentials,
        limits,
        STAYS_S,
    )
    room = OpenAISipRoom(
        front=front,
        calls=calls,
        screen=departments.care.screen,
        rest=rest,
        referrals=referrals,
        orphans=orphans,
        credentials=credentials,
        on_ended=on_ended,
        limits=limits,
    )
    orphans.adopt = room.take_over
    return Webhooks(client, secret, _once(answers), room.take).routes()


def _client(credentials: Credentials, secret: str) -> AsyncOpenAI:
    """Calls are too rare for a connection to be kept open between two of them."""
    return AsyncOpenAI(
        http_client=DefaultAsyncHttpxClient(limits=httpx2.Limits(max_keepalive_connections=0)),
        api_key=credentials.api_key,
        base_url=credentials.base_url,
        project=credentials.project,
        webhook_secret=secret,
        max_retries=0,
    )


def _once(answers: Answers) -> Once:
    """Over all workers, as for other carriers' webhooks."""

    async def once(key: str, begin: Callable[[], Awaitable[None]]) -> None:
        async def produce() -> Answer:
            await begin()
            return Answer(200)

        await answers.once(f"openai {key}", produce, time.time())

    return once
