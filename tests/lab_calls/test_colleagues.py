"""A caller who is handed to a colleague, or chooses another language, is not asked or greeted
twice; where the colleague cannot come the first agent goes on. Keys sound on the line as tones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.beyond import ALONE, Beyond
from app.bridge.call_record import EVENTS_FILE, call_folder
from app.bridge.journal import replay
from app.demo.stage import Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Say, Script, Wait, WaitForBot, WaitUntil
from app.lab.phone.report import CallReport
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.speech.coded import decode_coded
from app.speech.phrase_book import PhraseBook, PhraseKey
from telecodecs import DtmfDetector
from tests.lab_calls.cast import CodeEar, NoMouth, line, settled, shout
from tests.lab_calls.journeys import BRISK, agents, hold, said, verbs
from tests.lab_calls.together import at_once

pytestmark = pytest.mark.lab_call

DESK_PROMPT, DATES_PROMPT = "You are the front desk.", "You keep the dates."
LONELY_PROMPT = "You are the desk of a house that is out of order."
PLANNER_PROMPT = "You are a desk that knows nothing of the calendar's tool."
COLLEAGUES = {LONELY_PROMPT: "nowhere", PLANNER_PROMPT: "calendar"}
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
        to = next((to for prompt, to in COLLEAGUES.items() if prompt in instructions), "dates")
        return (line(1, 300), CallFunction("hand_over", {"to": to}))


class Searches(Brain):
    """The colleague begins with a slow tool."""

    tool = "search"

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if "taken over this call" in instructions:
            return (line(3, 400), CallFunction(self.tool))
        if DATES_PROMPT in instructions:
            return (line(6, 600),)
        return self._first(instructions)


class SearchesLong(Searches):
    tool = "search_everywhere"


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


SEARCH = '''
import asyncio
from app.tools import tool


@tool(on_interruption="cancel", wait_words="Let me open the calendar.")
async def search() -> str:
    """Look for a free hour."""
    await asyncio.sleep(3)
    return "free at noon"


@tool(on_interruption="cancel", wait_words="Let me open the calendar.")
async def search_everywhere() -> str:
    """Look for a free hour in every calendar."""
    await asyncio.sleep(60)
    return "free at noon"
'''
WORDS, WORDS_MS = "Let me open the calendar.", 700
SEARCHES = f"""
instructions = "{DATES_PROMPT}"
description = "for appointments"
greeting = ""
voice = "cedar"
tools = ["search.py:search", "search.py:search_everywhere"]
"""


LONELY_DESK = DESK.replace('"dates"', '"nowhere"').replace(DESK_PROMPT, LONELY_PROMPT)
NOWHERE = f'model = "gpt-nowhere"\n{DATES}'
PLANNER = DESK.replace('"dates"', '"calendar"').replace(DESK_PROMPT, PLANNER_PROMPT)
HOUSE = {
    "desk": DESK,
    "dates": DATES,
    "lonely": LONELY_DESK,
    "nowhere": NOWHERE,
    "planner": PLANNER,
    "calendar": SEARCHES,
}


def told(on: Stage) -> str:
    """All that the models were sent."""
    return " ".join(str(session.received) for session in on.model.sessions)


@pytest.fixture(scope="module", autouse=True)
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder whose agents know each other by name."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "agents").mkdir()
    agents(folder / "agents", HOUSE)
    (folder / "agents" / "search.py").write_text(SEARCH, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


@at_once
async def test_a_caller_goes_to_a_colleague_and_back(tmp_path: Path) -> None:
    script = Script((ASKS, HEARS, HEARS, ASKS_AGAIN, HEARS, HEARS, HangUp()), limit_ms=40_000)
    async with stage(tmp_path) as on:
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


@at_once
async def test_where_the_colleague_cannot_come_the_first_agent_goes_on(tmp_path: Path) -> None:
    script = Script((ASKS, HEARS, HEARS, HangUp()), limit_ms=30_000)
    async with stage(tmp_path) as on:
        report = await held(on, "lonely", script)
        told = str(on.model.sessions[0].received)
    assert report.as_scripted, report.steps
    assert "could not be reached just now" in told
    assert len(on.model.sessions) == 1


async def spoken(key: PhraseKey) -> bytes:
    return line(8 if key.voice == "cedar" else 9, WORDS_MS).audio or b""


@at_once
async def test_a_colleague_says_its_own_words_while_its_tool_runs(tmp_path: Path) -> None:
    phrases = PhraseBook(tmp_path / "phrases", spoken)
    script = Script((ASKS, HEARS, HEARS, Wait(6_000), HangUp()), limit_ms=30_000)
    async with stage(tmp_path, Searches, beyond=Beyond(phrases=phrases)) as on:
        model = on.worker.settings.model_for("")
        assert await phrases.ready(PhraseKey(WORDS, "cedar", model, None), 60)
        report = await held(on, "planner", script)
        told = str(on.model.sessions[1].received)
    await phrases.close()
    assert report.as_scripted, report.steps
    [stream] = report.streams
    heard: Counter[int] = Counter()
    for run in decode_coded(stream.played.audio()):
        heard[run.stream_id] += run.end_ms - run.start_ms
    assert heard[8] == WORDS_MS, "in its own voice"
    assert heard[6] == 600
    assert "free at noon" in told


@at_once
async def test_a_caller_calls_a_colleagues_search_off(tmp_path: Path) -> None:
    interrupts = Say(shout(1_901, 1_800), "Something else.")
    script = Script(
        (ASKS, HEARS, HEARS, Wait(400), interrupts, WaitForBot.finished(), HangUp()),
        limit_ms=30_000,
    )
    async with stage(tmp_path, SearchesLong) as on:
        report = await held(on, "planner", script)
        told = str(on.model.sessions[1].received)
    assert report.as_scripted, report.steps
    assert "cancelled because the caller spoke" in told
    assert "free at noon" not in told


@at_once
async def test_another_language_is_spoken_with_its_own_voice(tmp_path: Path) -> None:
    text = f"""
instructions = "{DESK_PROMPT}"
greeting = ""
language = "en"
tools = ["switch_language"]
[languages.de]
voice = "cedar"
instructions = "Sag du."
"""
    path = agents(tmp_path, {"languages": text})["languages"]
    script = Script((ASKS, HEARS, HEARS, HangUp()), limit_ms=30_000)
    does = Does("switch_language", language="de")
    async with stage(tmp_path, does=does) as on:
        report = await held(on, path, script)
        prompt, voice, _ = configured(on.model.sessions[1])
    assert report.as_scripted, report.steps
    assert "Sag du." in prompt
    assert "code de" in prompt
    assert voice == "cedar"


@at_once
async def test_keys_are_tones_on_the_line(tmp_path: Path) -> None:
    path = agents(
        tmp_path,
        {"keys": f'instructions = "{DESK_PROMPT}"\ngreeting = ""\ntools = ["send_keys"]\n'},
    )
    script = Script((ASKS, HEARS, Wait(2_500), HangUp()), limit_ms=30_000)
    async with stage(tmp_path, does=Does("send_keys", keys="12w#")) as on:
        report = await held(on, path["keys"], script)
    [stream] = report.streams
    detector = DtmfDetector()
    pressed = [found.key for found in detector.push(stream.played.audio())]
    assert "".join(pressed) == "12#"


AFTER_THE_CALL: dict[str, tuple[list[str], str]] = {
    "offer_menu": (["Connect", "Gather", "Connect"], "The caller made no choice"),
    "leave_voicemail": (["Connect", "Say", "Record"], ""),
}
"""What the call is told, and the next session's model."""


@pytest.mark.parametrize("name", AFTER_THE_CALL)
@at_once
async def test_a_model_may_offer_the_menu_and_the_voicemail(name: str, tmp_path: Path) -> None:
    ways = "[voicemail]\n[menu]\nwait_s = 2\ntries = 1\n"
    base = f'instructions = "{DESK_PROMPT}"\ngreeting = ""\n{ways}'
    path = agents(tmp_path, {name: f'tools = ["{name}"]\n{base}'})[name]
    then, tells = AFTER_THE_CALL[name]
    async with stage(tmp_path, does=Does(name)) as on:

        def done() -> bool:
            assert on.account is not None
            [call] = on.account.calls.values()
            over = verbs(call.live.report)
            return over == then[:2] and tells in told(on)

        report = await held(on, path, Script((ASKS, HEARS, WaitUntil(done), HangUp())))
    assert report.as_scripted, report.steps
    assert verbs(report)[:3] == then
    if name == "offer_menu":
        assert verbs(report) == then, "nothing was chosen"
        assert tells in told(on)
    assert "our assistant cannot be reached" not in said(report)
