"""Invariant: every run of the bench's tool is found in what it wrote down, also one that never came
back, and its result is the one that the call's plan expects."""

import asyncio
import importlib.util
from pathlib import Path

from bench.relay_agent import read_runs, runs_of, write_agent
from bench.relay_talk import Plan


def test_a_run_of_the_tool_is_read_from_its_lines() -> None:
    lines = ["begin c07u01 1.0 9", "begin c07u02 2.0 9", "end c07u01 3.0 9", "begin c07u01 4.0 8"]
    runs = runs_of(lines)
    assert [(r.token, r.began_s, r.ended_s) for r in runs] == [
        ("c07u01", 1.0, 3.0),
        ("c07u02", 2.0, None),
        ("c07u01", 4.0, None),
    ]


async def test_the_tool_writes_down_its_run_and_finds_what_the_plan_expects(tmp_path: Path) -> None:
    assert read_runs(tmp_path) == []
    agent = write_agent(tmp_path)
    assert agent.exists()
    spec = importlib.util.spec_from_file_location("bench_tools", tmp_path / "tools.py")
    assert spec is not None and spec.loader is not None
    tools = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tools)
    first, second = await asyncio.gather(tools.look_up("c07u01", 1), tools.look_up("c07u02", 1))
    assert (first, second) == (Plan(7, ()).result(1), Plan(7, ()).result(2))
    assert [run.token for run in read_runs(tmp_path)] == ["c07u01", "c07u02"]
    assert all(run.ended_s is not None for run in read_runs(tmp_path))
