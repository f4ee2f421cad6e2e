"""Actions run in order of their due times and of their registration, never before they are due."""

import asyncio

from app.lab.phone.agenda import EARLY_S, Agenda


async def test_actions_run_in_order_of_due_time_then_of_registration() -> None:
    agenda = Agenda()
    ran: list[str] = []
    done = asyncio.Event()
    start_s = agenda.now_s()
    agenda.at(start_s + 0.03, done.set)
    for name, due_s in (("late", 0.02), ("early", 0.01), ("also early", 0.01), ("past", -1.0)):
        agenda.at(start_s + due_s, lambda name=name: ran.append(name))  # type: ignore[misc]
    await asyncio.wait_for(done.wait(), 60)
    assert ran == ["past", "early", "also early", "late"]


async def test_nothing_runs_before_its_time() -> None:
    agenda = Agenda()
    early_s: list[float] = []
    done = asyncio.Event()
    start_s = agenda.now_s()

    def check(due_s: float) -> None:
        early_s.append(due_s - agenda.now_s())

    for step in range(50):
        due_s = start_s + step * 0.001
        agenda.at(due_s, lambda due_s=due_s: check(due_s))  # type: ignore[misc]
    agenda.at(start_s + 0.06, done.set)
    await asyncio.wait_for(done.wait(), 60)
    assert len(early_s) == 50
    assert max(early_s) <= EARLY_S


async def test_an_action_may_add_actions_and_a_failing_one_does_not_stop_the_rest() -> None:
    agenda = Agenda()
    done = asyncio.Event()
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: failures.append(about))

    def fail() -> None:
        agenda.at(agenda.now_s(), done.set)
        raise RuntimeError("on purpose")

    agenda.at(agenda.now_s(), fail)
    await asyncio.wait_for(done.wait(), 60)
    assert len(failures) == 1
