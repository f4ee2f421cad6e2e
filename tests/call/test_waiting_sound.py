"""A sound is played only while a tool runs and nobody is heard, after a silence, and it stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.waiting_sound import SlowTool


def waiting_since(at_ms: int) -> SlowTool:
    tool = SlowTool(3_000)
    tool.look(at_ms, running=True, silent=True)
    return tool


def test_a_slow_tool_is_heard_after_a_while_and_until_it_is_back() -> None:
    tool = waiting_since(1_000)

    assert tool.due_ms == 4_000
    assert tool.look(3_999, running=True, silent=True) == "nothing"
    assert tool.look(4_000, running=True, silent=True) == "play"
    assert tool.look(5_000, running=True, silent=True) == "nothing"
    assert tool.look(6_000, running=False, silent=True) == "stop"
    assert tool.look(6_001, running=False, silent=True) == "nothing"


def test_a_quick_tool_makes_no_sound() -> None:
    tool = waiting_since(0)

    assert tool.look(2_000, running=False, silent=True) == "nothing"
    assert tool.due_ms is None


def test_the_while_begins_when_the_agent_has_said_its_words() -> None:
    tool = SlowTool(3_000)
    tool.look(0, running=True, silent=False)
    tool.look(2_500, running=True, silent=True)

    assert tool.due_ms == 5_500


def test_who_speaks_stops_the_sound_which_comes_back_after_a_new_while() -> None:
    tool = waiting_since(0)
    tool.look(3_000, running=True, silent=True)

    assert tool.look(4_000, running=True, silent=False) == "stop"
    assert tool.look(6_000, running=True, silent=True) == "nothing"
    assert tool.due_ms == 9_000


def test_no_sound_where_none_is_wished_for() -> None:
    tool = SlowTool(0)

    assert tool.look(0, running=True, silent=True) == "nothing"
    assert tool.due_ms is None


def test_a_negative_while_is_refused() -> None:
    with pytest.raises(ValueError, match="expected after_ms"):
        SlowTool(-1)


@given(st.lists(st.tuples(st.integers(0, 4_000), st.booleans(), st.booleans()), max_size=50))
def test_play_and_stop_take_turns_and_the_sound_never_stands_in_the_way(
    steps: list[tuple[int, bool, bool]],
) -> None:
    tool, now_ms, playing = SlowTool(3_000), 0, False
    for wait_ms, running, silent in steps:
        now_ms += wait_ms
        step = tool.look(now_ms, running=running, silent=silent)
        assert step != ("play" if playing else "stop")
        playing = {"play": True, "stop": False}.get(step, playing)
        assert playing == tool.playing
        assert not playing or (running and silent)
        assert tool.due_ms is None or tool.due_ms > now_ms
