"""A caller who is handed to a colleague, or chooses another language, is not asked or greeted
twice; where the colleague cannot come the first agent goes on. Keys sound on the line as tones."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.beyond import ALONE, Beyond
from app.bridge.call_record import EVENTS_FILE, call_folder
from app.bridge.journal import replay
from app.demo.stage import Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Say, Script, Wait, WaitForBot
from app.lab.phone.report import CallReport
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.speech.coded import decode_coded
from app.speech.phrase_book import PhraseBook, PhraseKey
from telecodecs import DtmfDetector
from tests.lab_calls.cast import CodeEar, NoMouth, line, settled, shout
from tests.lab_calls.journeys import BRISK, agents, hold, said, verbs

pytestmark = pytest.mark.lab_call

DESK_PROMPT, DATES_PROMPT = "You are the front desk.", "You keep the dates."
DESK = f"""
instructions = "{DESK_PROMPT}"
greeting = ""
voice = "marin"
colleagues = ["dates"]
tools = ["hand_over"]
"""
DATES = f"""
instructions = "{DATES_PROMPT}"
description = "for appointments"
greeting = "Hello from the dates."
voice = "cedar"
colleagues = ["desk"]
tools = ["hand_over", "send_keys"]
"""
ASKS = Say(shout(), "I want an appointment.")
ASKS_AGAIN = Say(shout(1_901), "Something else.")
HEARS = WaitForBot.finished(said_ms=300)


class Brain:
    """Of each agent: who it is stands in its prompt. `words`: what it was told to say."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if "taken over this call" in instructions:
            return (line(3 if DATES_PROMPT in instructions else 4, 500),)
        if "could not be reached just now" in instructions or "Go on in de" in instructions:
            return (line(5, 500),)
        return self._first(instructions)

    def _first(self, instructions: str) -> Sequence[Output]:
        if DATES_PROMPT in instructions:
            return (line(2, 300), CallFunction("hand_over", {"to": "desk"}))
        return (line(1, 300), CallFunction("hand_over", {"to": "dates"}))


class Searches(Brain):
    """The colleague begins with a slow tool."""

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if "taken over this call" in instructions:
            return (line(3, 400), CallFunction("search"))
        if DATES_PROMPT in instructions:
            return (line(6, 600),)
        return self._first(instructions)


class Does(Brain):
    """An agent that calls one tool and then speaks."""

    def __init__(self, name: str, **arguments: object) -> None:
        self._answers: list[Sequence[Output]] = [
            (line(1, 300), CallFunction(name, arguments)),
            (line(6, 300),),
        ]

    def _first(self, instructions: str) -> Sequence[Output]:
        return self._answers.pop(0) if self._answers else ()


def stage(
    folder: Path,
    brain: type[Brain] | None = None,
    does: Does | None = None,
    beyond: Beyond = ALONE,
) -> Stage:
    return Stage(
        brain=(lambda: does) if does is not None else (brain or Brain),
        ear=CodeEar({1_900: "I want an appointment.", 1_901: "Something else."}),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        people={"+14155550100": Callee()},
        pace=BRISK,
        beyond=beyond,
    )


async def held(on: Stage, agent: str, script: Script) -> CallReport:
    report = await hold(on, agent, script)
    await settled(on, report)
    folder = call_folder(on.worker.settings.data_dir, report.identity.call_sid)
    assert replay(folder / EVENTS_FILE)[1] is None
    return report


def configured(session: SessionLog) -> tuple[str, str, list[str]]:
    """Prompt, voice and tools of a session, as it was set up."""
    [first, *_] = [e.event["session"] for e in session.received if e.type == "session.update"]
    output = first.get("audio", {}).get("output", {})
    tools = [tool["name"] for tool in first.get("tools", [])]
    return str(first["instructions"]), str(output.get("voice")), tools


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose agents know each other by name."""
    (tmp_path / "agents").mkdir()
    monkeypatch.chdir(tmp_path)
    agents(tmp_path / "agents", {"desk": DESK, "dates": DATES})
    return tmp_path


async def test_a_caller_goes_to_a_colleague_and_back(house: Path) -> None:
    script = Script((ASKS, HEARS, HEARS, ASKS_AGAIN, HEARS, HEARS, HangUp()), limit_ms=40_000)
    async with stage(house) as on:
        report = await held(on, "desk", script)
        first, second, third = [configured(session) for session in on.model.sessions]
        told = [str(session.received) for session in on.model.sessions]
    assert report.as_scripted, report.steps
    assert len(report.streams) == 1, "the caller's own line is the same all the time"
    assert first[1:] == ("marin", ["hand_over"])
    assert DATES_PROMPT in second[0]
    assert second[1:] == ("cedar", ["hand_over", "send_keys"])
    assert DESK_PROMPT in third[0]
    assert third[1] == "marin"
    assert "I want an appointment." in told[1], "the colleague knows what was said"
    assert "Something else." in told[2]
    assert not any("Hello from the dates" in one for one in told), "nobody is greeted again"


async def test_where_the_colleague_cannot_come_the_first_agent_goes_on(house: Path) -> None:
    agents(house / "agents", {"dates": f'model = "gpt-nowhere"\n{DATES}'})
    script = Script((ASKS, HEARS, HEARS, HangUp()), limit_ms=30_000)
    async with stage(house) as on:
        report = await held(on, "desk", script)
        told = str(on.model.sessions[0].received)
    assert report.as_scripted, report.steps
    assert "could not be reached just now" in told
    assert len(on.model.sessions) == 1


SEARCH = '''
import asyncio
from app.tools import tool


@tool(on_interruption="cancel", wait_words="Let me open the calendar.")
async def search() -> str:
    """Look for a free hour."""
    await asyncio.sleep(3)
    return "free at noon"
'''
WORDS, WORDS_MS = "Let me open the calendar.", 700
SEARCHES = f"""
instructions = "{DATES_PROMPT}"
description = "for appointments"
greeting = ""
voice = "cedar"
tools = ["search.py:search"]
"""


@pytest.fixture
def calendar(house: Path) -> Path:
    """The first agent knows nothing of the tool that the colleague has."""
    (house / "agents" / "search.py").write_text(SEARCH, encoding="utf-8")
    agents(house / "agents", {"dates": SEARCHES})
    return house


async def spoken(key: PhraseKey) -> bytes:
    return line(8 if key.voice == "cedar" else 9, WORDS_MS).audio or b""


async def test_a_colleague_says_its_own_words_while_its_tool_runs(calendar: Path) -> None:
    phrases = PhraseBook(calendar / "phrases", spoken)
    script = Script((ASKS, HEARS, HEARS, Wait(6_000), HangUp()), limit_ms=30_000)
    async with stage(calendar, Searches, beyond=Beyond(phrases=phrases)) as on:
        model = on.worker.settings.model_for("")
        assert await phrases.ready(PhraseKey(WORDS, "cedar", model, None), 5)
        report = await held(on, "desk", script)
        told = str(on.model.sessions[1].received)
    await phrases.close()
    assert report.as_scripted, report.steps
    [stream] = report.streams
    heard = {
        run.stream_id: run.end_ms - run.start_ms for run in decode_coded(stream.played.audio())
    }
    assert heard[8] == WORDS_MS, "in its own voice"
    assert heard[6] == 600
    assert "free at noon" in told


async def test_a_caller_calls_a_colleagues_search_off(calendar: Path) -> None:
    interrupts = Say(shout(1_901, 1_800), "Something else.")
    script = Script(
        (ASKS, HEARS, HEARS, Wait(400), interrupts, WaitForBot.finished(), HangUp()),
        limit_ms=30_000,
    )
    async with stage(calendar, Searches) as on:
        report = await held(on, "desk", script)
        told = str(on.model.sessions[1].received)
    assert report.as_scripted, report.steps
    assert "cancelled because the caller spoke" in told
    assert "free at noon" not in told


async def test_another_language_is_spoken_with_its_own_voice(house: Path) -> None:
    text = f"""
instructions = "{DESK_PROMPT}"
greeting = ""
language = "en"
tools = ["switch_language"]
[languages.de]
voice = "cedar"
instructions = "Sag du."
"""
    path = agents(house, {"languages": text})["languages"]
    script = Script((ASKS, HEARS, HEARS, HangUp()), limit_ms=30_000)
    does = Does("switch_language", language="de")
    async with stage(house, does=does) as on:
        report = await held(on, path, script)
        prompt, voice, _ = configured(on.model.sessions[1])
    assert report.as_scripted, report.steps
    assert "Sag du." in prompt
    assert "code de" in prompt
    assert voice == "cedar"


async def test_keys_are_tones_on_the_line(house: Path) -> None:
    path = agents(
        house, {"keys": f'instructions = "{DESK_PROMPT}"\ngreeting = ""\ntools = ["send_keys"]\n'}
    )
    script = Script((ASKS, HEARS, Wait(2_500), HangUp()), limit_ms=30_000)
    async with stage(house, does=Does("send_keys", keys="12w#")) as on:
        report = await held(on, path["keys"], script)
    [stream] = report.streams
    detector = DtmfDetector()
    pressed = [found.key for found in detector.push(stream.played.audio())]
    assert "".join(pressed) == "12#"


async def test_a_model_may_offer_the_menu_and_the_voicemail(house: Path) -> None:
    ways = "[voicemail]\n[menu]\nwait_s = 2\ntries = 1\n"
    base = f'instructions = "{DESK_PROMPT}"\ngreeting = ""\n{ways}'
    for name in ("offer_menu", "leave_voicemail"):
        path = agents(house, {name: f'tools = ["{name}"]\n{base}'})[name]
        script = Script((ASKS, HEARS, Wait(9_000), HangUp()), limit_ms=30_000)
        async with stage(house, does=Does(name)) as on:
            report = await held(on, path, script)
            told = " ".join(str(session.received) for session in on.model.sessions)
        if name == "offer_menu":
            assert verbs(report) == ["Connect", "Gather", "Connect"], "nothing was chosen"
            assert "The caller made no choice" in told
        else:
            assert verbs(report)[:3] == ["Connect", "Say", "Record"]
        assert "our assistant cannot be reached" not in said(report)
