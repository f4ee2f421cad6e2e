"""What those who watch over a worker may ask it: whether it lives, whether it takes another call,
and its figures."""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.bridge.switchboard import NoRoom, Switchboard
from app.observe.metrics import Metrics

WHY_NOT_READY: dict[NoRoom, str] = {
    "draining": "draining",
    "calls": "as many calls as it may carry",
    "lag": "it cannot keep up with those it has",
}


def health_pages(switchboard: Switchboard) -> list[BaseRoute]:
    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if switchboard.takes_calls:
            return PlainTextResponse("ready\n")
        why = WHY_NOT_READY[switchboard.no_room or "calls"]
        return PlainTextResponse(f"no room for another call: {why}\n", 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def metrics_page(metrics: Metrics) -> BaseRoute:
    async def show(_request: Request) -> Response:
        body, content_type = await asyncio.to_thread(metrics.render)
        return Response(body, media_type=content_type)

    return Route("/metrics", show)
