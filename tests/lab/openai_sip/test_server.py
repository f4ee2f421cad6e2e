"""The lab's connector holds a client to the wire: who may ask, what is taken once, what is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from websockets.exceptions import InvalidStatus

from app.lab.openai_sip.server import LabOpenAISip
from app.lab.realtime.server import LabRealtime
from tests.lab_calls.cast import CodeEar, NoMouth, ScriptedBrain, line, until

KEY = "sk-lab"
SESSION: dict[str, Any] = {"type": "realtime", "model": "gpt-realtime-2.1"}


@asynccontextmanager
async def connector() -> AsyncIterator[tuple[LabOpenAISip, AsyncOpenAI]]:
    model = LabRealtime(
        api_key=KEY,
        brain_factory=lambda: ScriptedBrain([[line(1, 200, "Hello.")]]),
        ear=CodeEar(),
        mouth=NoMouth(),
    )
    async with (
        model,
        LabOpenAISip(api_key=KEY, secret="whsec_eA==", model_url=model.base_url) as lab,
        AsyncOpenAI(api_key=KEY, base_url=lab.base_url, max_retries=0) as client,
    ):
        yield lab, client


async def test_the_first_decision_wins() -> None:
    async with connector() as (lab, client):
        call = lab.invite()
        await client.realtime.calls.accept(call.call_id, **SESSION)
        with pytest.raises(openai.ConflictError):
            await client.realtime.calls.accept(call.call_id, **SESSION)
        with pytest.raises(openai.ConflictError):
            await client.realtime.calls.reject(call.call_id)
        assert call.state == "talking"


async def test_a_call_that_is_over_is_not_found() -> None:
    async with connector() as (lab, client):
        call = lab.invite()
        call.hang_up()
        for ask in (
            client.realtime.calls.accept(call.call_id, **SESSION),
            client.realtime.calls.hangup(call.call_id),
            client.realtime.calls.refer(call.call_id, target_uri="tel:+14155550123"),
        ):
            with pytest.raises(openai.NotFoundError):
                await ask
        with pytest.raises(InvalidStatus) as caught:
            await client.realtime.connect(call_id=call.call_id).enter()
        assert caught.value.response.status_code == 404


async def test_a_wrong_key_and_a_wrong_session_are_refused() -> None:
    async with connector() as (lab, client):
        call = lab.invite()
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="other").realtime.calls.hangup(call.call_id)
        wrong: dict[str, Any] = {**SESSION, "temperature": 1}
        with pytest.raises(openai.BadRequestError):
            await client.realtime.calls.accept(call.call_id, **SESSION, extra_body=wrong)
        assert call.state == "pending"


async def test_a_sideband_hears_of_the_playing_and_not_the_sound() -> None:
    async with connector() as (lab, client):
        call = lab.invite()
        await client.realtime.calls.accept(call.call_id, **SESSION)
        async with client.realtime.connect(call_id=call.call_id) as sideband:
            first = await sideband.recv()
            await sideband.response.create()
            async with asyncio.timeout(60):
                kinds = [first.type]
                while kinds[-1] != "output_audio_buffer.stopped":
                    kinds.append((await sideband.recv()).type)
            assert kinds[0] == "session.created"
            assert "output_audio_buffer.started" in kinds
            assert "response.output_audio.delta" not in kinds
            call.press("7")
            event = await sideband.recv()
            assert (event.type, getattr(event, "event", "")) == (
                "input_audio_buffer.dtmf_event_received",
                "7",
            )
        await until(lambda: not call.sidebands)
        assert call.state == "talking", "the call does not end with its sideband"
