"""The load: any number of phones, and the model that they end up talking to, in this process.

async with LoadGenerator() as load:
    ...  # start a bridge that uses load.model_url
    await load.grow_to(50, "http://127.0.0.1:8000")
    window = await load.measure(10, bridge)
    faults = await load.finish()
"""

import asyncio
import gc
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import aiohttp

from app.lab.phone.webhook import Webhooks
from bench.load_answers import STEP_MS
from bench.load_call import FRAME_MS, LoadCall, Samples
from bench.load_figures import Faults, Window, percentile_of_counts
from bench.load_model import LoadModel
from bench.load_phone import AUTH_TOKEN, Phone
from bench.load_tape import opening
from bench.load_wheel import Ring, Wheel
from bench.processes import Measured

DIAL_EVERY_S = 0.015
"""A pause between two new calls, so that ringing does not stall those in progress."""
CONNECT_LIMIT_S = 20.0
TRIAL_S = 0.5
DRAIN_LIMIT_S = 8.0
"""Longest wait for the last bytes of either voice."""


class LoadGenerator:
    """Belongs to one event loop and to one bridge."""

    def __init__(self) -> None:
        self.model_url = ""
        """OPENAI_BASE_URL for the bridge."""
        self.phones: list[Phone] = []
        self._numbers = itertools.count()
        self._samples = Samples()
        self._phone_ring, model_ring = Ring(FRAME_MS), Ring(STEP_MS)
        self.model = LoadModel(model_ring)
        self._wheel = Wheel(self._phone_ring, model_ring)

    async def __aenter__(self) -> "LoadGenerator":
        self.model_url = f"http://127.0.0.1:{await self.model.listen()}/v1"
        self._wheel.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for phone in self.phones:
            phone.hang_up()
        self._wheel.stop()
        self.model.close()

    async def grow_to(self, calls: int, bridge_url: str) -> None:
        """Place calls one after the other until so many run, and wait for all to reach the model.

        Raises `DialError` or `WebhookFailed` if the bridge takes a call wrongly, `TimeoutError` if
        it does not take them in time.
        """
        limit_s = CONNECT_LIMIT_S + 4 * DIAL_EVERY_S * calls
        async with aiohttp.ClientSession() as session, asyncio.timeout(limit_s):
            webhooks = Webhooks(session, AUTH_TOKEN)
            while len(self.phones) < calls:
                await self._place_call(webhooks, f"{bridge_url}/twilio/voice")
                await asyncio.sleep(DIAL_EVERY_S)
            await _until(lambda: not self.model.awaited, limit_s)

    async def place_trial_call(self, bridge_url: str) -> None:
        """One call that comes, is carried for a moment, and goes. Raises like `grow_to`."""
        await self.grow_to(1, bridge_url)
        await asyncio.sleep(TRIAL_S)
        self.shrink_to(0)
        await asyncio.sleep(TRIAL_S)

    def shrink_to(self, calls: int) -> None:
        """Hang up the newest calls; they leave the account, with what was still on its way."""
        while len(self.phones) > calls:
            phone = self.phones.pop()
            self._phone_ring.leave(phone.turn)
            phone.hang_up()

    async def _place_call(self, webhooks: Webhooks, voice_url: str) -> None:
        call = LoadCall(next(self._numbers), self._samples)
        phone = Phone(call)
        self.model.awaited[opening(call.caller.reader.origin)] = call
        await phone.dial(webhooks, voice_url)
        self.phones.append(phone)
        self._phone_ring.join(phone.turn)

    async def measure(self, seconds: float, bridge: Measured) -> Window:
        """Watch the running calls for so long."""
        underruns, padded = self.underruns, self._padded_bytes
        for phone in self.phones:
            phone.playout.longest_gap_s = 0.0
        self._wheel.late_ms.clear()
        with _garbage_kept(), self._samples.opened() as samples:
            began_s, cpu_s, own_s = time.monotonic(), bridge.cpu_s(), time.process_time()
            await asyncio.sleep(seconds)
            took_s = time.monotonic() - began_s
            cpu_s, own_s = bridge.cpu_s() - cpu_s, time.process_time() - own_s
        return Window(
            calls=len(self.phones),
            seconds=took_s,
            cpu_s=cpu_s,
            rss_bytes=bridge.rss_bytes(),
            to_model_s=samples.to_model_s,
            to_phone_s=samples.to_phone_s,
            underruns=self.underruns - underruns,
            longest_gap_s=max((p.playout.longest_gap_s for p in self.phones), default=0.0),
            padded_bytes=self._padded_bytes - padded,
            faults=self.faults,
            load_cpu_share=own_s / took_s,
            load_late_ms=percentile_of_counts(self._wheel.late_ms, 0.999),
        )

    async def finish(self) -> Faults:
        """Let both voices end, wait for their last bytes, hang up; returns the whole account."""
        self.model.silence()
        await _until(lambda: not self.model.speaking and not self._missing_of_bot, DRAIN_LIMIT_S)
        for phone in self.phones:
            self._phone_ring.leave(phone.turn)
        await _until(lambda: not self._missing_of_callers, DRAIN_LIMIT_S)
        faults = self._faults(self._missing_of_bot + self._missing_of_callers)
        for phone in self.phones:
            phone.hang_up()
        return faults

    @property
    def underruns(self) -> int:
        """How often a phone ran dry in mid-answer, since the load began."""
        return sum(phone.playout.underruns for phone in self.phones)

    @property
    def faults(self) -> Faults:
        """Since the load began; bytes still on their way do not count as lost."""
        return self._faults(sum(phone.call.lost_bytes for phone in self.phones))

    @property
    def _padded_bytes(self) -> int:
        return sum(phone.call.caller.reader.silence for phone in self.phones)

    @property
    def _missing_of_bot(self) -> int:
        return sum(phone.call.bot.missing_bytes for phone in self.phones)

    @property
    def _missing_of_callers(self) -> int:
        return sum(phone.call.caller.missing_bytes for phone in self.phones)

    def _faults(self, lost_bytes: int) -> Faults:
        return Faults(
            lost_bytes=lost_bytes,
            wrong_bytes=sum(phone.call.wrong_bytes for phone in self.phones),
            dropped_calls=sum(phone.dropped for phone in self.phones) + self.model.dropped,
            invalid_messages=sum(phone.invalid for phone in self.phones),
            unknown_events=self.model.unknown.total(),
        )


async def _until(done: Callable[[], bool], limit_s: float) -> None:
    """Look every 50 ms, for so long at most."""
    for _ in range(int(limit_s / 0.05)):
        if done():
            return
        await asyncio.sleep(0.05)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Our own collector's pauses would count as the bridge's delay."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
