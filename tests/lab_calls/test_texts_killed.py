"""A worker that is killed with SIGKILL in the middle of text conversations: another one goes on
with each where it stood, no tool runs twice, and what may have been sent is not sent again."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.demo.stage import LAB_KEY
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.text.server import LabTextModel, TextBehaviour
from app.models.openai_text import close_clients
from tests.lab_calls.cast import until
from tests.lab_calls.test_serve import lab_model, serving
from tests.live.redis_fixture import running_redis
from tests.text.carrier import Carrier

pytestmark = [pytest.mark.lab_call]

THINKING, BOOKING, BOOKED, SENDING = (f"+1202555011{n}" for n in range(4))
"""Where each conversation stands when the worker dies, by who writes in it."""
AGENT = """
instructions = "You book tables."
tools = ["tables.py:book"]
"""
TOOL = '''
import asyncio
from pathlib import Path


async def book(who: str, wait: bool) -> dict[str, str]:
    """Book a table."""
    with (Path(__file__).parent / "booked").open("a") as file:
        file.write(f"{who}\\n")
    if wait:
        await asyncio.sleep(600)
    return {"code": f"code of {who}"}
'''


class Mind:
    """Books for those who say so; `model` hangs after the answer that asks for BOOKED's table."""

    def __init__(self) -> None:
        self.model: LabTextModel | None = None

    def __call__(
        self, conversation: Sequence[Turn], instructions: str, offered: Sequence[str]
    ) -> Sequence[Output]:
        last = conversation[-1]
        if last.role == "function_call_output":
            found = json.loads(last.text)
            return [Say(f"Done: {found.get('code', 'nobody knows')}.")]
        who, _, what = last.text.partition(": ")
        if what != "book":
            return [Say(f"We are open, {who}.")]
        if who == BOOKED and self.model is not None:
            self.model.behaviour = TextBehaviour(hang=True)
        return [CallFunction("book", {"who": who, "wait": who == BOOKING})]


async def test_another_worker_goes_on_where_a_killed_one_stood(tmp_path: Path) -> None:
    (tmp_path / "tables.toml").write_text(AGENT)
    (tmp_path / "tables.py").write_text(TOOL)
    booked = tmp_path / "booked"
    mind = Mind()
    with running_redis() as redis:
        async with (
            lab_model() as voice,
            LabTextModel(api_key=LAB_KEY, converse=mind) as model,
            Carrier() as carrier,
        ):
            settings = {
                "REDIS_URL": redis.url,
                "EARSHOT_AGENT": str(tmp_path / "tables.toml"),
                "EARSHOT_DATA_DIR": str(tmp_path / "data"),
                "EARSHOT_TEXT_MODEL": "gpt-6-astra",
                "EARSHOT_TEXT_BASE_URL": model.base_url,
                "EARSHOT_TWILIO_API_URL": carrier.base_url,
            }
            async with AsyncExitStack() as open_until_the_end:
                first, second = await asyncio.gather(
                    *(
                        open_until_the_end.enter_async_context(serving(voice, **settings))
                        for _ in range(2)
                    )
                )
                # Each is brought to its place before the next one writes.
                await carrier.text(first.url, f"{BOOKING}: book", From=BOOKING)
                await until(lambda: booked.exists() and BOOKING in booked.read_text())

                model.behaviour = TextBehaviour(hang=True)
                asked = model.asked
                await carrier.text(first.url, f"{THINKING}: open?", From=THINKING)
                await until(lambda: model.asked == asked + 1)
                model.behaviour = TextBehaviour()

                mind.model, asked = model, model.asked
                await carrier.text(first.url, f"{BOOKED}: book", From=BOOKED)
                await until(lambda: model.asked == asked + 2)
                model.behaviour, mind.model = TextBehaviour(), None

                carrier.hang = True
                await carrier.text(first.url, f"{SENDING}: open?", From=SENDING)
                await until(lambda: carrier.asked == 1)
                carrier.hang = False

                first.process.kill()
                await first.process.wait()
                assert carrier.sent == []
                await until(lambda: len(carrier.sent) >= 3, limit_s=90)
                exit_code, written = await second.stop()
                assert exit_code == 0, written
    await close_clients()
    sent = {message["To"]: message["Body"] for message in carrier.sent}
    assert sent == {
        THINKING: f"We are open, {THINKING}.",
        BOOKING: "Done: nobody knows.",
        BOOKED: f"Done: code of {BOOKED}.",
    }
    assert len(carrier.sent) == 3, "each is answered once; what may have gone out is not sent again"
    assert sorted(booked.read_text().split()) == [BOOKING, BOOKED]
    assert "Traceback" not in written
    assert not any(number in written for number in sent)
