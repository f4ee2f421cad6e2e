"""A line on this machine that takes calls from this machine, in front of a test's worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Network
from typing import Any

from app.sip_line.config import Address, LineConfig
from app.sip_line.jitter import Delay
from app.sip_line.line import Line, open_line

CALM = Delay(first_ms=400, most_ms=800)
"""Callers, line and worker share one loop here: a machine that stalls must not make sound late."""
HERE = (IPv4Network("127.0.0.0/8"),)


def config(worker_url: str, **told: Any) -> LineConfig:
    listen = Address("127.0.0.1", 0)
    return LineConfig(worker_url, **{"listen": listen, "peers": HERE, "delay": CALM, **told})


async def none_left(line: Line) -> None:
    """Wait until no call is in progress. Raises TimeoutError."""
    async with asyncio.timeout(60):
        while line.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@asynccontextmanager
async def line_to(worker_url: str, **told: Any) -> AsyncIterator[Line]:
    async with open_line(config(worker_url, **told)) as line:
        yield line
