"""Tools of every kind in whole calls: what the model asks for is done by a real HTTP server and a
real MCP server process, once, and it is told what came of it.

The calls run side by side, each with a model server of its own.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.beyond import Beyond
from app.bridge.call_record import EVENTS_FILE
from app.bridge.journal import replay
from app.demo.stage import Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import HangUp, Say, Script, Step, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.speech.voices import voice_clip
from app.speech.phrase_book import PhraseBook, PhraseKey
from tests.lab_calls.cast import NoMouth, Recorded, call, line
from tests.tools.http.endpoint import Endpoint, endpoint, says, slow

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

MCP_SERVER = Path(__file__).parents[1] / "tools" / "mcp" / "booking_server.py"
UP_S = 20.0
TOOL_S = 3.0
WORDS = "Let me look at the book."
WORDS_MS = 700
ASKS, INTERRUPTS = voice_clip("when_open_slt"), voice_clip("actually_question_slt")
AGENT = f"""\
instructions = "Be kind."
tools = ["notes.py:note"]

[barge_in]
by = "voice"

[silence]
tool_words_after_s = 0.5

[[http_tools]]
name = "reserve"
description = "Reserve a table."
url = "URL/tables/{{table}}"
idempotent = true
[http_tools.parameters.table]

[[http_tools]]
name = "search"
description = "Search for long."
url = "URL/search"
method = "GET"
on_interruption = "cancel"

[[http_tools]]
name = "look_up"
description = "Look up for long."
url = "URL/slow"
wait_words = "{WORDS}"
"""
WITH_MCP = f"""
[mcp.crm]
command = {json.dumps(sys.executable)}
args = [{json.dumps(str(MCP_SERVER))}, "stdio"]
env = {{ NOTES = "NOTES_FILE" }}
tools = ["book", "say"]

[topics.people]
description = "What we know of callers"
tools = ["say"]
"""
NOTES = '''\
def note(text: str) -> str:
    """Note something."""
    return f"noted {text}"
'''
BOOK = CallFunction("book", {"people": 4, "when": "noon"})
RESERVE = CallFunction("reserve", {"table": "by the window"})
SAY = CallFunction("say", {"words": "known"})
ASK = (Wait(300), Say(ASKS.ulaw, ASKS.text), WaitForBot.started())
DONE = line(9, 600, "Done.")


class Brain:
    """Answers in order, and notes which functions it had each time."""

    def __init__(self, *answers: Sequence[Output]) -> None:
        self._answers = iter(answers)
        self.offered: list[set[str]] = []

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return next(self._answers, ())

    def offer(self, functions: Sequence[str] | None) -> None:
        self.offered.append(set(functions or ()))


class KnowingEar:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return "when are you open"


@dataclass
class Held:
    recorded: Recorded
    brain: Brain
    server: Endpoint
    mcp_notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> list[Any]:
        """Every output that the model got, in order."""
        turns = self.recorded.model.turns()
        return [json.loads(t.text) for t in turns if t.role == "function_call_output"]

    @property
    def asked(self) -> int:
        return self.recorded.commands.count("CreateResponse")


async def rendered(key: PhraseKey) -> bytes:
    return line(8, WORDS_MS).audio or b""


CALLS: dict[str, tuple[tuple[Sequence[Output], ...], tuple[Step, ...]]] = {
    "http": (([RESERVE], [DONE]), (*ASK, Wait(1_500))),
    "mcp": (([BOOK], [DONE]), (*ASK, Wait(1_500))),
    "parallel": (
        ([RESERVE, BOOK, CallFunction("note", {"text": "x"})], [DONE]),
        (*ASK, Wait(1_500)),
    ),
    "twice": (([RESERVE, RESERVE], [DONE]), (*ASK, Wait(1_500))),
    "topic": (
        ([CallFunction("load_tools", {"topic": "people"})], [SAY], [DONE]),
        (*ASK, Wait(2_000)),
    ),
    "cancel": (
        ([line(1, 500, "One moment."), CallFunction("search")], [DONE]),
        (*ASK, Wait(900), Say(INTERRUPTS.ulaw, INTERRUPTS.text), Wait(2_500)),
    ),
    "words": (
        ([line(1, 400, "One moment."), CallFunction("look_up")], [DONE]),
        (*ASK, Wait(round(TOOL_S * 1000) + 2_500)),
    ),
}


MCP_CALLS = ("mcp", "parallel", "topic")
"""Each has a server process of its own, which takes its time to come up."""


async def held(name: str, folder: Path) -> Held:
    answers, steps = CALLS[name]
    brain = Brain(*answers)
    notes = folder / "mcp_notes"
    notes.touch()
    answer = (
        slow(TOOL_S, says({"found": 1})) if name in ("cancel", "words") else says({"code": "4711"})
    )
    async with endpoint(slow(0.3, answer)) as server:
        text = AGENT + (WITH_MCP if name in MCP_CALLS else "")
        text = text.replace("URL", server.url).replace("NOTES_FILE", str(notes))
        path = folder / "host.toml"
        path.write_text(text, encoding="utf-8")
        (folder / "notes.py").write_text(NOTES, encoding="utf-8")
        phrases = PhraseBook(folder / "phrases", rendered)
        async with Stage(
            brain=lambda: brain,
            ear=KnowingEar(),
            mouth=NoMouth(),
            data_dir=folder,
            agent=str(path),
            beyond=Beyond(phrases=phrases),
        ) as stage:
            await stage.worker.answering.outside.ready(UP_S)
            stage.worker.answering.want_phrases()
            config = stage.worker.settings.model_for("")
            assert await phrases.ready(PhraseKey(WORDS, "marin", config, None), UP_S)
            recorded = await call(stage, Script((*steps, HangUp())), Impairments(delay_ms=40))
        await phrases.close()
    written = [json.loads(line) for line in notes.read_text("utf-8").splitlines()]
    return Held(recorded, brain, server, written)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Held]]:
    done = await asyncio.gather(*(held(name, tmp_path_factory.mktemp(name)) for name in CALLS))
    yield dict(zip(CALLS, done, strict=True))


@pytest.mark.parametrize("name", CALLS)
async def test_the_call_goes_as_scripted_and_replays(calls: dict[str, Held], name: str) -> None:
    recorded = calls[name].recorded
    assert recorded.report.as_scripted, recorded.report.unfinished
    assert recorded.report.errors == []
    assert recorded.model.errors == []
    assert replay(recorded.folder / EVENTS_FILE)[1] is None
    assert recorded.heard_ms(9) == 600


async def test_an_http_endpoint_does_it_and_the_model_is_told(calls: dict[str, Held]) -> None:
    one = calls["http"]
    assert [(seen.method, seen.path) for seen in one.server.seen] == [
        ("POST", "/tables/by%20the%20window")
    ]
    assert len(one.server.seen[0].headers["idempotency-key"]) == 36
    assert one.told == [{"code": "4711"}]


async def test_an_mcp_server_does_it_and_the_model_is_told(calls: dict[str, Held]) -> None:
    one = calls["mcp"]
    (booked,) = (note for note in one.mcp_notes if note.get("tool") == "book")
    assert len(booked["key"]) == 36
    assert one.told == [{"code": "4711", "people": 4}]


async def test_parallel_calls_of_every_kind_are_answered_once(calls: dict[str, Held]) -> None:
    one = calls["parallel"]
    assert len(one.told) == 3
    assert "noted x" in one.told
    (first, *_), asked = one.recorded.timeline["turns"], one.asked
    assert len([tool for turn in one.recorded.timeline["turns"] for tool in turn["tools"]]) == 3
    assert asked == 2, f"the caller's turn and the tools: {first}"


async def test_the_same_call_twice_at_a_time_is_done_once(calls: dict[str, Held]) -> None:
    one = calls["twice"]
    assert len(one.server.seen) == 1
    assert {"code": "4711"} in one.told
    (joined,) = (told for told in one.told if told != {"code": "4711"})
    assert joined["result"] == {"code": "4711"}


async def test_a_topics_tools_are_there_once_the_model_asked(calls: dict[str, Held]) -> None:
    one = calls["topic"]
    before, after, *_ = one.brain.offered
    assert {"load_tools", "reserve", "book"} <= before
    assert "say" not in before
    assert "say" in after
    assert "load_tools" not in after
    assert one.told == [{"loaded": ["say"], "note": "they can be called now"}, "known"]


async def test_who_interrupts_calls_a_search_off(calls: dict[str, Held]) -> None:
    one = calls["cancel"]
    assert one.recorded.commands.count("CancelTool") == 1
    assert one.told == [{"ok": False, "reason": "cancelled because the caller spoke"}]
    (tool,) = (tool for turn in one.recorded.timeline["turns"] for tool in turn["tools"])
    assert tool["ok"] is False


async def test_a_line_is_said_for_a_slow_tool(calls: dict[str, Held]) -> None:
    one = calls["words"]
    assert one.recorded.heard_ms(8) == WORDS_MS
    said = [x["text"] for x in one.recorded.timeline["transcript"] if x["speaker"] == "agent"]
    assert said == ["One moment.", WORDS, "Done."]
    assert one.told == [{"found": 1}]
