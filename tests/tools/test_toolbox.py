"""Whatever a tool does, `run` answers with JSON that the model can act on, in time, and nothing
that people said reaches the log."""

import asyncio
import enum
import json
import logging
import threading
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from app.tools import BUILT_INS, Toolbox, ToolError, ToolLoadError, tool

SECRET = "the caller's own words"


def greet(name: str) -> dict[str, str]:
    """Greet somebody."""
    return {"said": f"Hello {name}", "thread": threading.current_thread().name}


async def greet_later(name: str) -> str:
    """Greet somebody later."""
    await asyncio.sleep(0)
    return f"Hello {name}"


def decline(why: str) -> None:
    """Decline."""
    raise ToolError(why)


def break_down(word: str) -> None:
    """Break down."""
    raise KeyError(word)


def told(output: str) -> str:
    answer = json.loads(output)
    assert list(answer) == ["error"]
    return str(answer["error"])


async def test_a_plain_function_runs_in_a_thread_of_its_own() -> None:
    result = await Toolbox([greet]).run("greet", '{"name": "Ann"}')
    assert result.ok
    assert json.loads(result.output) == {"said": "Hello Ann", "thread": "tool-greet"}


async def test_an_async_function_is_awaited() -> None:
    result = await Toolbox([greet_later]).run("greet_later", '{"name": "Ann"}')
    assert (result.ok, result.output) == (True, '"Hello Ann"')


async def test_wrong_arguments_are_told_and_nothing_runs() -> None:
    result = await Toolbox([break_down]).run("break_down", "{}")
    assert not result.ok
    assert "word: Field required" in told(result.output)


async def test_an_unknown_tool_is_told_with_the_ones_there_are() -> None:
    result = await Toolbox([greet], built_ins=["hang_up"]).run("greeet", "{}")
    assert not result.ok
    assert told(result.output).endswith("there are: greet, hang_up. Did you mean greet?")


async def test_a_built_in_is_offered_but_not_run_here() -> None:
    toolbox = Toolbox(built_ins=["hang_up"])
    assert toolbox.schemas() == [dict(BUILT_INS["hang_up"])]
    result = await toolbox.run("hang_up", "{}")
    assert not result.ok
    assert "by the call itself" in told(result.output)


async def test_a_tool_error_is_the_models_to_read() -> None:
    result = await Toolbox([decline]).run("decline", '{"why": "We are closed."}')
    assert (result.ok, told(result.output)) == (False, "We are closed.")


async def test_another_error_is_ours_and_keeps_its_text_to_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    result = await Toolbox([break_down]).run("break_down", json.dumps({"word": SECRET}))
    assert told(result.output) == "break_down did not work because of a fault on our side."
    [record] = caplog.records
    fields = record.__dict__["fields"]
    assert fields["tool"] == "break_down"
    assert fields["error"] == "KeyError"
    assert fields["at"].startswith("test_toolbox.py:")
    assert SECRET not in caplog.text + str(fields)


async def test_arguments_never_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    toolbox = Toolbox([greet, decline])
    await toolbox.run("greet", json.dumps({"name": 3, "word": SECRET}))
    await toolbox.run("greet", SECRET)
    await toolbox.run(SECRET, "{}")
    await toolbox.run("decline", json.dumps({"why": SECRET}))
    assert len(caplog.records) == 4
    assert SECRET not in caplog.text + str([record.__dict__ for record in caplog.records])


async def test_a_slow_async_tool_is_stopped_and_told() -> None:
    stopped = asyncio.Event()

    async def wait() -> None:
        """Wait."""
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    result = await Toolbox([wait], timeout_s=0.02).run("wait", "{}")
    assert "did not finish within 0.02 seconds" in told(result.output)
    assert stopped.is_set()


async def test_a_stuck_function_holds_up_nobody() -> None:
    release = threading.Event()

    @tool(timeout_s=0.02)
    def stick() -> None:
        """Stick."""
        release.wait()

    toolbox = Toolbox([stick, greet], timeout_s=30)
    stuck = await asyncio.gather(*(toolbox.run("stick", "{}") for _ in range(40)))
    assert all("0.02 seconds" in told(result.output) for result in stuck)
    assert (await toolbox.run("greet", '{"name": "Ann"}')).ok
    release.set()


async def test_a_function_that_outlives_the_loop_is_let_go() -> None:
    release = threading.Event()
    threads: list[threading.Thread] = []

    def stick() -> None:
        """Stick."""
        threads.append(threading.current_thread())
        release.wait()

    def lonely() -> None:
        asyncio.run(Toolbox([stick], timeout_s=0.02).run("stick", "{}"))

    await asyncio.to_thread(lonely)
    release.set()
    await asyncio.to_thread(threads[0].join)


async def test_cancelling_the_call_cancels_the_tool() -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        """Wait."""
        begun.set()
        await asyncio.sleep(3600)

    task = asyncio.create_task(Toolbox([wait]).run("wait", "{}"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_inside_a_tool_is_the_tools_failure() -> None:
    async def trip() -> None:
        """Trip."""
        raise asyncio.CancelledError

    result = await Toolbox([trip]).run("trip", "{}")
    assert "fault on our side" in told(result.output)


@pytest.mark.parametrize("error", [SystemExit, StopIteration, TimeoutError])
async def test_no_kind_of_error_gets_out_of_a_thread(error: type[BaseException]) -> None:
    def fail() -> None:
        """Fail."""
        raise error

    result = await Toolbox([fail]).run("fail", "{}")
    assert "fault on our side" in told(result.output)


class Size(enum.Enum):
    SMALL = "small"


async def test_enums_and_nested_values_become_json() -> None:
    def look() -> dict[str, object]:
        """Look."""
        return {"size": Size.SMALL, "at": Path("a"), "list": (1, None)}

    result = await Toolbox([look]).run("look", "{}")
    assert json.loads(result.output) == {"size": "small", "at": "a", "list": [1, None]}


async def test_a_result_that_json_cannot_hold_is_told() -> None:
    def look() -> object:
        """Look."""
        return object()

    result = await Toolbox([look]).run("look", "{}")
    assert "its result cannot be read" in told(result.output)


@given(st.text(), st.integers(1, 50))
async def test_long_outputs_are_trimmed_and_say_so(text: str, limit: int) -> None:
    def repeat(text: str) -> str:
        """Repeat."""
        return text

    result = await Toolbox([repeat], max_output_chars=limit).run(
        "repeat", json.dumps({"text": text})
    )
    assert result.ok
    whole = json.dumps(text, ensure_ascii=False)
    answer = json.loads(result.output)
    if isinstance(answer, str):
        assert answer == text
    else:
        assert len(answer["result"]) == limit
        assert f"the first {limit} of" in answer["note"]
        assert len(whole) > limit or "\\u" in result.output


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ToolLoadError, match="Two tools are called greet"):
        Toolbox([greet, greet])

    def hang_up() -> None:
        """Hang up."""

    with pytest.raises(ToolLoadError, match="Two tools are called hang_up"):
        Toolbox([hang_up])


def test_an_agents_references_become_tools(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('def look(at: int) -> int:\n    "Look."\n    return at\n')
    toolbox = Toolbox.load(["hang_up", "mine.py:look"], tmp_path)
    assert toolbox.names == ("look", "hang_up")
    with pytest.raises(ToolLoadError, match="no built-in tool hangup; did you mean hang_up"):
        Toolbox.load(["hangup"], tmp_path)


@given(st.integers())
async def test_checked_ranges_hold_for_whatever_the_model_sends(number: int) -> None:
    def seat(people: Annotated[int, Field(ge=1, le=8)]) -> int:
        """Seat."""
        return people

    result = await Toolbox([seat]).run("seat", json.dumps({"people": number}))
    assert result.ok == (1 <= number <= 8)
