"""The caller always gets the floor, and the agent yields only where it had something to yield."""

from app.call.floor import Decision, Floor


def test_the_agent_yields_when_the_caller_starts_to_speak() -> None:
    floor = Floor()

    assert floor.caller_started(agent_has_floor=True) is Decision.YIELD
    assert floor.caller_speaking


def test_there_is_nothing_to_yield_when_the_agent_is_silent() -> None:
    assert Floor().caller_started(agent_has_floor=False) is Decision.NOTHING


def test_the_floor_is_free_after_the_caller_stopped() -> None:
    floor = Floor()
    floor.caller_started(agent_has_floor=False)
    floor.caller_stopped()

    assert not floor.caller_speaking
    assert floor.caller_started(agent_has_floor=True) is Decision.YIELD
