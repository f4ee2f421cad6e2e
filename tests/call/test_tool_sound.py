"""While a slow tool runs the caller hears a sound: never beside words, gone at once when there is
something to be said or the caller speaks, and neither record nor memory knows of it.

In virtual time, byte by byte.
"""

import gc
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from app.call.commands import CreateResponse, SendClear, TruncateItem
from app.call.endings import EndReason
from app.call.events import CarrierClosed, HangUpRequested, RolloverRequested, ToolCall
from app.call.floor_settings import FloorSettings
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say
from tests.call.virtual_time import BYTES_PER_MS, SOUND

AFTER_MS = 3_000
BOOK = ToolCall("t1", "i1", "book", "{}")
BY_MODEL = CallSettings(
    language="en",
    tool_sound_after_ms=AFTER_MS,
    patience=PatienceSettings(after_ms=8_000),
    relay=RelaySettings(filler=""),
)
BY_VOICE = replace(
    BY_MODEL,
    floor=FloorSettings(by="voice"),
    responses=ResponseSettings(server_answers=False, server_cancels=False),
)
EITHER = pytest.mark.parametrize("settings", [BY_MODEL, BY_VOICE], ids=["by model", "by voice"])
SEEDS = pytest.mark.parametrize("seed", range(12))


def line_with(
    settings: CallSettings,
    tool_ms: float,
    *,
    seed: int = 1,
    delay_ms: float = 40,
    words: str = "",
    cancellable: bool = False,
) -> VirtualLine:
    """The caller has asked for something, and the agent has begun to book it at about 1.6 s."""
    line = VirtualLine(seed, Network(carrier_ms=delay_ms), settings)
    line.model.server_answers = line.model.server_cancels = settings.floor.by == "model"
    line.model.script.append(Answer((Say("moment", 500, text="One moment."),), (BOOK,)))
    answers = iter(range(1_000))
    line.model.endless = lambda: Answer((Say(f"a{next(answers)}", 4_000, text="word " * 16),))
    line.tool_ms["book"] = tool_ms
    if words or cancellable:
        line.manners["book"] = (words, cancellable)
    line.open()
    line.run_until(500)
    speaks(line, 900, "Book me a table.")
    line.run_until(3_000)
    return line


def speaks(line: VirtualLine, ms: float, text: str) -> None:
    if line.call.settings.floor.by == "voice":
        line.voice(ms, text)
    else:
        line.speak(ms, text)


def sounds(line: VirtualLine) -> list[tuple[float, float]]:
    """From when to when it was heard, each time."""
    times = [at for at, byte in line.carrier.frames if byte == SOUND]
    found: list[tuple[float, float]] = []
    for at in times:
        if found and at - found[-1][1] < 40:
            found[-1] = (found[-1][0], at + 20)
        else:
            found.append((at, at + 20))
    return found


def tool_times(line: VirtualLine) -> tuple[int, int | None]:
    (run,) = (run for turn in line.call.timeline.turns for run in turn.tools)
    return run.started_ms, run.finished_ms


def last_word_ms(line: VirtualLine) -> float:
    return line.frames_of("moment")[-1] + 20


@EITHER
@SEEDS
@pytest.mark.parametrize("delay_ms", [0, 40, 150])
def test_it_begins_after_a_while_of_silence_and_ends_with_the_tool(
    settings: CallSettings, seed: int, delay_ms: int
) -> None:
    line = line_with(settings, 9_000, seed=seed, delay_ms=delay_ms)
    line.run_until(18_000)

    ((began_ms, ended_ms),) = sounds(line)
    _, finished_ms = tool_times(line)
    assert finished_ms is not None
    assert AFTER_MS - 20 <= began_ms - last_word_ms(line) <= AFTER_MS + 2 * (delay_ms + 30) + 80
    assert ended_ms <= finished_ms + delay_ms + 30 + 20, "as soon as a clear can reach the carrier"
    assert line.heard("a0") == 4_000 * BYTES_PER_MS
    assert line.frames_of("a0")[0] >= ended_ms


@EITHER
def test_a_quick_tool_makes_no_sound(settings: CallSettings) -> None:
    line = line_with(settings, 2_500)
    line.run_until(12_000)
    assert sounds(line) == []
    assert not any(isinstance(c, SendClear) for c in line.commands())


def test_without_the_setting_there_is_none() -> None:
    line = line_with(replace(BY_MODEL, tool_sound_after_ms=0), 9_000)
    line.run_until(18_000)
    assert sounds(line) == []


@EITHER
@SEEDS
def test_who_speaks_over_it_just_speaks_and_is_answered(settings: CallSettings, seed: int) -> None:
    line = line_with(settings, 20_000, seed=seed)
    line.run_until(line.chance.uniform(6_000, 8_000))
    began_ms = line.heap.now_ms
    speaks(line, 1_200, "Are you still there?")
    line.run_until(30_000)

    first, second = sounds(line)
    assert began_ms < first[1] < began_ms + 700, "cut when the voice was heard"
    assert line.heard("a0") == 4_000 * BYTES_PER_MS, "answered while the tool runs"
    assert second[0] >= line.frames_of("a0")[-1] + AFTER_MS, "and it comes back"
    assert line.call.timeline.claims == [], "nothing was interrupted"
    assert [turn.interruption for turn in line.call.timeline.turns] == [None] * len(
        line.call.timeline.turns
    )
    assert line.model.refused == []


@EITHER
@SEEDS
def test_what_is_said_after_it_is_known_to_the_millisecond_when_cut(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(settings, 7_000, seed=seed)
    while "a0" not in line.model.items or len(line.frames_of("a0")) < 30:
        line.run_for(10)
    speaks(line, 1_500, "No, wait.")
    line.run_until(25_000)

    (cut,) = (c for c in line.commands() if isinstance(c, TruncateItem))
    assert cut.item_id == "a0"
    assert abs(cut.audio_end_ms - line.heard("a0") / BYTES_PER_MS) <= 40


@EITHER
def test_nobody_is_asked_whether_they_are_there_and_nothing_is_written_down(
    settings: CallSettings,
) -> None:
    line = line_with(settings, 60_000)
    line.run_until(50_000)

    ((began_ms, ended_ms),) = sounds(line)
    assert ended_ms - began_ms > 40_000
    assert sum(isinstance(c, CreateResponse) for c in line.commands()) <= 1
    assert [n for n in line.call.timeline.notes if n.kind == "silence"] == []
    assert [one.text for one in line.call.transcript.lines] == ["Book me a table.", "One moment."]
    assert [e.kind for e in line.call.snapshot().entries] == ["caller", "agent", "tool"]
    assert not line.call.snapshot().broke_off
    assert not line.call.playout.unplayed


def test_a_change_of_sessions_does_not_stop_it() -> None:
    line = line_with(BY_MODEL, 20_000)
    line.run_until(7_000)
    line.deliver(RolloverRequested())
    line.run_until(9_000)
    line.drop()
    line.run_until(18_000)

    ((began_ms, ended_ms),) = sounds(line)
    assert began_ms < 6_000
    assert ended_ms > 17_900


def test_a_phrase_of_ours_is_heard_in_its_place() -> None:
    relay = RelaySettings(filler="One moment.", attempt_ms=60_000, give_up_ms=60_000)
    line = line_with(replace(BY_MODEL, relay=relay), 30_000)
    line.phrases = {"One moment.": 1_000}
    line.ready_ms = 8_000
    line.run_until(7_000)
    line.drop()
    line.run_until(20_000)

    filler = line.heard_phrase("One moment.")
    assert [at for _, at in filler] == list(range(0, 8_000, 160))
    first, second = sounds(line)
    assert first[1] <= filler[0][0]
    assert second[0] >= filler[-1][0] + AFTER_MS


def test_a_call_that_ends_meanwhile_ends() -> None:
    line = line_with(BY_MODEL, 20_000)
    line.run_until(7_000)
    line.deliver(HangUpRequested("operator"))
    line.run_until(8_000)
    assert line.shell.ended is not None
    assert line.shell.ended.reason is EndReason.OPERATOR_HUNG_UP

    line = line_with(BY_MODEL, 20_000)
    line.run_until(7_000)
    line.deliver(CarrierClosed("hangup"))
    assert line.call.due_ms is None


def reachable(root: Any) -> int:
    """How many objects hang on it."""
    seen: dict[int, Any] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and not isinstance(one, type) and not callable(one):
            seen[id(one)] = one
            waiting += gc.get_referents(one)
    return len(seen)


def test_a_tool_that_takes_minutes_costs_no_memory() -> None:
    line = line_with(BY_MODEL, 700_000)
    held = []
    for end_ms in (60_000, 300_000, 600_000):
        line.run_until(end_ms)
        parts = (line.call.playout, line.call.timeline, line.call.transcript, line.call.history)
        held.append(sum(reachable(part) for part in parts))
    assert len(sounds(line)) == 1
    assert max(held) - min(held) <= 20, held
    assert all(b - a < 21 for a, b in pairwise(at for at, f in line.carrier.frames if f == SOUND))
