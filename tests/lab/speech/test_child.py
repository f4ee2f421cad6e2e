"""Invariant: every question gets its own answer or one clear error, and no child outlives us."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.lab.speech.child import Child
from app.lab.speech.faults import ChildCrashedError, GrammarError, MissingPartError

WORKER = "tests.lab.speech.odd_worker"


@pytest.fixture
async def child() -> AsyncIterator[Child]:
    child = Child(WORKER, refusal=GrammarError)
    yield child
    await child.aclose()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_questions_asked_together_get_their_own_answers(child: Child) -> None:
    answers = await asyncio.gather(*(child.ask(f"say {n}".encode()) for n in range(50)))
    assert answers == [str(n).encode() for n in range(50)]


async def test_a_large_answer_arrives_whole(child: Child) -> None:
    assert await child.ask(b"say " + b"x" * 3_000_000) == b"x" * 3_000_000


async def test_one_process_answers_all(child: Child) -> None:
    assert await child.ask(b"pid") == await child.ask(b"pid") == str(child.pid).encode()


async def test_what_the_worker_refuses_is_raised_as_the_askers_fault(child: Child) -> None:
    with pytest.raises(GrammarError, match="no such thing: x"):
        await child.ask(b"refuse x")
    assert await child.ask(b"say still here") == b"still here"


async def test_prints_of_the_worker_reach_no_answer(child: Child) -> None:
    assert await child.ask(b"print y") == b"y"


async def test_a_question_survives_one_crash(child: Child, tmp_path: Path) -> None:
    first = await child.ask(b"pid")
    mark = str(tmp_path / "died")
    assert await child.ask(f"die-once {mark}".encode()) == mark.encode()
    assert await child.ask(b"pid") != first


async def test_a_question_that_kills_twice_fails_and_the_next_is_answered(child: Child) -> None:
    with pytest.raises(ChildCrashedError, match=r"2 times .*exit status 3.*something broke"):
        await child.ask(b"die")
    assert await child.ask(b"say again") == b"again"


async def test_questions_in_line_behind_a_deadly_one_are_still_answered(child: Child) -> None:
    deadly = asyncio.create_task(child.ask(b"die"))
    waiting = [asyncio.create_task(child.ask(f"say {n}".encode())) for n in range(5)]
    assert await asyncio.gather(*waiting) == [str(n).encode() for n in range(5)]
    with pytest.raises(ChildCrashedError):
        await deadly


async def test_a_bug_in_the_worker_ends_it_rather_than_answer(child: Child) -> None:
    with pytest.raises(ChildCrashedError, match="RuntimeError: a bug"):
        await child.ask(b"break")


async def test_a_child_killed_between_questions_is_replaced(child: Child) -> None:
    await child.ask(b"pid")
    assert child.pid is not None
    os.kill(child.pid, 9)
    assert await child.ask(b"say back") == b"back"


async def test_a_cancelled_question_drops_only_its_own_answer(child: Child, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    pid = int(await child.ask(b"pid"))
    slow = asyncio.create_task(child.ask(f"wait {gate}".encode()))
    behind = asyncio.create_task(child.ask(b"say behind"))
    await asyncio.sleep(0)
    slow.cancel()
    gate.touch()
    assert await behind == b"behind"
    assert child.pid == pid
    with pytest.raises(asyncio.CancelledError):
        await slow


async def test_cancelling_the_start_leaves_a_child_that_can_be_asked(child: Child) -> None:
    first = asyncio.create_task(child.ask(b"say one"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await child.ask(b"say two") == b"two"


async def test_closing_reaps_the_child() -> None:
    child = Child(WORKER, refusal=GrammarError)
    pid = int(await child.ask(b"pid"))
    await child.aclose()
    assert not is_running(pid)
    assert child.pid is None
    with pytest.raises(RuntimeError, match="odd_worker was closed"):
        await child.ask(b"say x")


async def test_closing_ends_a_child_at_work_and_the_question_with_it(tmp_path: Path) -> None:
    child = Child(WORKER, refusal=GrammarError)
    pid = int(await child.ask(b"pid"))
    question = asyncio.create_task(child.ask(f"wait {tmp_path / 'never'}".encode()))
    await asyncio.sleep(0)
    await child.aclose()
    assert not is_running(pid)
    with pytest.raises(RuntimeError, match="was closed"):
        await question


async def test_closing_twice_or_unused_is_harmless() -> None:
    child = Child(WORKER, refusal=GrammarError)
    await child.aclose()
    await child.aclose()


async def test_a_part_that_the_worker_misses_is_said() -> None:
    child = Child(WORKER, "missing", refusal=GrammarError)
    with pytest.raises(MissingPartError, match="mend it with: buy one"):
        await child.ask(b"say x")
    await child.aclose()


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [("crash", "while it started: exit status 1.*cannot even start"), ("garbage", "signal 9")],
)
async def test_a_worker_that_cannot_start_or_talks_nonsense_is_said(
    spoiled: str, said: str
) -> None:
    child = Child(WORKER, spoiled, refusal=GrammarError)
    with pytest.raises(ChildCrashedError, match=said):
        await child.ask(b"say x")
    await child.aclose()
