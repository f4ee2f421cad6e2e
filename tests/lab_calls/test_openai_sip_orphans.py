"""A call by OpenAI's SIP connector outlives its worker: one other worker goes on with it, no tool
runs twice, nobody is hung up on, and it ends in one record."""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from app.bridge.keeper import packed
from app.call.events import Snapshot
from app.call.facts import CallFacts
from app.lab.openai_sip.call import SipCall, Trouble
from app.lab.realtime.ports import CallFunction
from app.live import names
from app.live.served import ServedCalls
from app.serving.drain import drain
from tests.lab_calls.cast import Answers, line, until
from tests.lab_calls.sip_cast import SECRET, said
from tests.lab_calls.sip_workers import Connector, Here, connector, workers_here
from tests.lab_calls.test_openai_sip import (
    ANSWER,
    ASKS,
    GREETING,
    WORDS,
    asked,
    calls,
    heard,
    outputs,
)
from tests.lab_calls.test_serve import Served, serving
from tests.live.store import store_at
from tests.outgoing.receiver import SECRET as TOLD_SECRET

pytestmark = pytest.mark.lab_call

NOTES = '''\
import asyncio
from pathlib import Path


async def note(text: str) -> str:
    """Note something."""
    with (Path(__file__).parent / "noted").open("a") as file:
        file.write(text + "\\n")
    await asyncio.sleep(600 if text == "slow" else 0.1)
    return f"noted {text}"
'''
AGENT = f"""\
instructions = "You answer."
greeting = "{GREETING}"
tools = ["notes.py:note", "transfer_call"]
[barge_in]
by = "model"
[transfers.desk]
to = "+14155550123"
"""


TAKEN = "a call without a worker is taken"
TOOL = {
    "type": "function",
    "name": "note",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
}


def agent(folder: Path) -> str:
    (folder / "notes.py").write_text(NOTES)
    path = folder / "lab.toml"
    path.write_text(AGENT)
    return str(path)


def note(text: str) -> CallFunction:
    return CallFunction("note", {"text": text})


def noted(folder: Path) -> list[str]:
    path = folder / "noted"
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look often, and at once."""
    monkeypatch.setattr("app.openai_sip_orphans.LOOK_S", 0.2)
    monkeypatch.setattr("app.openai_sip_orphans.SETTLE_S", 0.0)


async def without_a_worker(
    at: Connector, path: str, *, speaking: bool = False, joined: bool = True
) -> SipCall:
    """A call whose worker died a while ago. `speaking`: an answer has just begun. `joined`: it was
    greeted before."""
    call = at.lab.invite()
    session = {"type": "realtime", "model": "gpt-realtime", "tools": [TOOL]}
    await call.accept(session)
    if speaking:
        await call.command('{"type":"response.create"}')
        await until(lambda: len(call.output.heard) > 0)
    facts = CallFacts(origin="sip", from_number="+15550100001", to_number="+14155550199")
    about = {"agent": path, "began_s": time.time() - 60, "facts": facts}
    async with store_at(at.redis) as store:
        served = ServedCalls(store.asker, store.outbox, "dead")
        served.listed(call.call_id, msgspec.json.encode(about))
        await store.settle()
        if joined:
            stood = packed(Snapshot(call.call_id, "inbound"))
            await store.redis.set(names.state(call.call_id), stood)
        await served.leave(call.call_id)
    return call


def carried(here: list[Here]) -> list[int]:
    """How many calls each worker has had."""
    return [each.worker.switchboard.total for each in here]


async def processes(at: Connector, path: str, stack: AsyncExitStack, count: int) -> list[Served]:
    settings = {
        "OPENAI_WEBHOOK_SECRET": SECRET,
        "REDIS_URL": at.redis.url,
        "EARSHOT_AGENT": path,
        "EARSHOT_DRAIN_S": "1",
        "EARSHOT_DATA_DIR": str(at.data_dir),
        "EARSHOT_WEBHOOK_URL": at.receiver.url,
        "EARSHOT_WEBHOOK_SECRET": TOLD_SECRET,
    }
    entering = (
        stack.enter_async_context(serving(at.lab, **settings))  # type: ignore[arg-type]
        for _ in range(count)
    )
    return await asyncio.gather(*entering)


async def test_a_call_goes_from_a_killed_worker_to_one_that_is_stopped_to_a_third(
    tmp_path: Path,
) -> None:
    """With what was begun, which is not begun again, and with what is asked for afterwards."""
    path = agent(tmp_path)
    answers = calls(
        [note("early")],
        [line(2, 300)],
        [note("slow")],
        [line(3, 300)],
        [note("late")],
        [line(4, 300)],
        [line(5, 300)],
    )
    async with connector(tmp_path, *answers, words=WORDS) as at, AsyncExitStack() as stack:
        first, second, third = await processes(at, path, stack, 3)
        at.lab.webhook_url = f"{first.url}/openai/webhook"
        call = await at.lab.dial()
        await heard(call, 700)
        call.say(ASKS)
        await heard(call, 1_000)
        call.say(ASKS)
        await until(lambda: noted(tmp_path) == ["early", "slow"])
        await asyncio.sleep(0.5)  # what it has written has reached Redis
        first.process.send_signal(signal.SIGKILL)
        await first.process.wait()
        await until(lambda: call.joined == 2)
        await heard(call, 1_300)
        call.say(ASKS)
        await heard(call, 1_600)
        if TAKEN not in second.written:
            second, third = third, second
        assert TAKEN not in third.written, "one of the two has taken it"
        logs = [await second.stop()]
        await until(lambda: call.joined == 3)
        call.say(ASKS)
        await heard(call, 1_900)
        call.hang_up()
        await at.told_of_its_end()
        logs.append(await third.stop())
        streams = at.streams(call)

    assert noted(tmp_path) == ["early", "slow", "late"]
    early, slow, late = outputs(call)
    assert (early, late) == ('"noted early"', '"noted late"')
    assert "not known whether it took effect" in slow
    assert asked(call) == ["accept"]
    assert (call.joined, streams) == (3, 3)
    assert at.receiver.types == ["call.started", "call.ended"]
    assert at.receiver.got[-1].payload["data"]["reason"] == "caller_hung_up"
    for exit_code, log in logs:
        assert exit_code == 0
        assert log.count(TAKEN) == 1
        assert "Traceback" not in log and "5550100001" not in log
    assert ["is left to another worker" in log for _, log in logs] == [True, False]


async def test_a_worker_that_hung_for_long_hangs_up_on_nobody(tmp_path: Path) -> None:
    """It finds that another one has its call, and lets go of it."""
    path = agent(tmp_path)
    answers = calls([note("early")], [line(2, 300)], [note("late")], [line(3, 300)])
    async with connector(tmp_path, *answers, words=WORDS) as at, AsyncExitStack() as stack:
        first, second = await processes(at, path, stack, 2)
        at.lab.webhook_url = f"{first.url}/openai/webhook"
        call = await at.lab.dial()
        await heard(call, 700)
        first.process.send_signal(signal.SIGSTOP)
        await until(lambda: call.joined == 2)
        call.say(ASKS)
        await heard(call, 1_000)
        first.process.send_signal(signal.SIGCONT)
        await until(lambda: "another worker has the call" in first.written)
        await until(lambda: len(call.sidebands) == 1)
        call.say(ASKS)
        await heard(call, 1_300)
        assert call.state == "talking"
        call.hang_up()
        await at.told_of_its_end()
        for each in (first, second):
            exit_code, log = await each.stop()
            assert exit_code == 0
            assert "Traceback" not in log
    assert noted(tmp_path) == ["early", "late"]
    assert asked(call) == ["accept"]
    assert at.receiver.types == ["call.started", "call.ended"]


async def test_a_stopped_workers_calls_are_left_to_another_one(tmp_path: Path, quick: None) -> None:
    """The caller, who is talking with the model, notices nothing."""
    answers = calls([note("early")], [line(2, 900)], [note("late")], [line(3, 300)])
    async with (
        connector(tmp_path, *answers, words=WORDS) as at,
        workers_here(at, agent(tmp_path)) as here,
    ):
        call = await at.lab.dial()
        await heard(call, 700)
        call.say(ASKS)
        await until(lambda: len(call.output.heard) >= 800 * 8)
        leaving = here[0].worker.switchboard
        await drain(leaving, 0.2, asyncio.Event(), lambda: False)
        assert not leaving.calls
        await heard(call, 1_600)
        await until(lambda: call.joined == 2)
        assert call.state == "talking"
        call.say(ASKS)
        await heard(call, 1_900)
        call.hang_up()
        await at.told_of_its_end()
        await until(lambda: not here[1].worker.switchboard.calls)
        timelines = at.timelines(call)

    assert carried(here) == [1, 1]
    assert noted(tmp_path) == ["early", "late"]
    assert outputs(call) == ['"noted early"', '"noted late"']
    assert asked(call) == ["accept"]
    assert at.receiver.types == ["call.started", "call.ended"]
    assert [each["end_reason"] for each in timelines] == ["drained", "caller_hung_up"]
    assert said(timelines[0], "agent")[0] == GREETING
    assert len(call.output.heard) == 1_900 * 8, "nothing was said twice, and no greeting again"


async def test_the_last_worker_hangs_up_when_it_is_stopped(tmp_path: Path, quick: None) -> None:
    async with (
        connector(tmp_path, *calls()) as at,
        workers_here(at, agent(tmp_path), count=1) as here,
    ):
        call = await at.lab.dial()
        await heard(call, 700)
        await drain(here[0].worker.switchboard, 0.2, asyncio.Event(), lambda: False)
        async with asyncio.timeout(60):
            await call.over.wait()
    assert asked(call) == ["accept", "hangup"]
    assert call.ended_by == "rest"


async def test_one_of_two_idle_workers_takes_a_call(tmp_path: Path, quick: None) -> None:
    path = agent(tmp_path)
    async with (
        connector(tmp_path, [note("late")], [line(2, 300)], words=WORDS) as at,
        workers_here(at, path) as here,
    ):
        call = await without_a_worker(at, path)
        await until(lambda: call.joined == 1)
        call.say(ASKS)
        await heard(call, 300)
        await asyncio.sleep(1.0)
        call.hang_up()
        await at.told_of_its_end()
        assert sorted(carried(here)) == [0, 1]
        assert call.joined == 1
    assert noted(tmp_path) == ["late"]
    assert asked(call) == []


async def test_a_caller_who_hung_up_meanwhile_ends_the_call_once(
    tmp_path: Path, quick: None
) -> None:
    path = agent(tmp_path)
    async with connector(tmp_path) as at:
        call = await without_a_worker(at, path)
        call.hang_up()
        async with workers_here(at, path) as here:
            await at.told_of_its_end()
            await asyncio.sleep(1.0)
            assert sorted(carried(here)) == [0, 1]
            await until(lambda: not any(each.worker.switchboard.offered for each in here))
        assert at.redis.say("KEYS *served*") == "*0\r\n"
        assert at.streams(call) == 1
    assert at.receiver.types == ["call.started", "call.ended"]
    ended = at.receiver.got[-1].payload["data"]
    assert ended["reason"] == "caller_hung_up"
    assert asked(call) == []


async def test_a_full_worker_leaves_a_call_to_others(tmp_path: Path, quick: None) -> None:
    path = agent(tmp_path)
    async with (
        connector(tmp_path) as at,
        workers_here(at, path) as here,
    ):
        here[0].worker.switchboard.max_calls = 0
        call = await without_a_worker(at, path)
        await until(lambda: call.joined == 1)
        assert carried(here) == [0, 1]
        call.hang_up()
        await at.told_of_its_end()
    assert json.dumps(call.commands).count("response.create") == 0, "nobody speaks without cause"


async def test_a_call_is_joined_in_the_middle_of_an_answer(tmp_path: Path, quick: None) -> None:
    """Its end, and the tool that it asks for, are known to whoever has joined."""
    path = agent(tmp_path)
    answers: Answers = [line(1, 2_500, ANSWER), note("late")], [line(2, 300)]
    async with connector(tmp_path, *answers) as at, workers_here(at, path):
        call = await without_a_worker(at, path, speaking=True)
        await until(lambda: call.joined == 1)
        assert not noted(tmp_path)
        await heard(call, 2_800)
        call.hang_up()
        await at.told_of_its_end()
        await until(lambda: bool(at.timelines(call)))
        (timeline,) = at.timelines(call)
    assert noted(tmp_path) == ["late"]
    assert outputs(call) == ['"noted late"']
    assert said(timeline, "agent")[-1] == "line 2"


async def test_a_worker_that_ends_while_a_caller_is_sent_elsewhere(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever did not go is told so by the other worker; whoever went is not followed."""
    monkeypatch.setattr("app.openai_sip_orphans.CLOSE_S", 0.0)
    answers = calls(
        [line(2, 400, "One moment."), CallFunction("transfer_call", {"to": "desk"})],
        [line(3, 300, "No luck.")],
    )
    async with (
        connector(tmp_path, *answers, words=WORDS) as at,
        workers_here(at, agent(tmp_path)) as here,
    ):
        call = await at.lab.dial(trouble=Trouble(follows_refer=False))
        await heard(call, 700)
        call.say(ASKS)
        await until(lambda: bool(call.referred_to) and call.joined == 2)
        here[0].worker.switchboard.draining = True
        await here[0].worker.orphans.close()
        assert here[0].worker.orphans.elsewhere(call.call_id)
        left = [each for each in asyncio.all_tasks() if each.get_name() == call.call_id]
        for task in left:
            task.cancel()  # as the end of its process does
        await asyncio.wait(left)
        assert "hangup" not in asked(call)
        await heard(call, 1_400)
        assert carried(here) == [1, 1]
        call.hang_up()
        await at.told_of_its_end()
        await until(lambda: len(at.timelines(call)) == 2)
        timelines = at.timelines(call)
    (output,) = outputs(call)
    assert json.loads(output)["ok"] is False
    assert said(timelines[1], "agent") == ["No luck."]
    assert call.ended_by == "caller"
    assert at.receiver.types.count("call.ended") == 1


async def test_a_worker_that_dies_while_it_takes_a_call_leaves_it_to_be_greeted(
    tmp_path: Path, quick: None
) -> None:
    path = agent(tmp_path)
    async with connector(tmp_path, *calls()) as at, workers_here(at, path):
        call = await without_a_worker(at, path, joined=False)
        await heard(call, 700)
        call.hang_up()
        await at.told_of_its_end()
        await until(lambda: bool(at.timelines(call)))
        (timeline,) = at.timelines(call)
    assert said(timeline, "agent") == [GREETING]
