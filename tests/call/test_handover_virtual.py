"""Through any change of legs a call in virtual time sounds as if there had been none.

A caller, a carrier and several model sessions; whether the caller was heard and what sounded is
known to the byte. Each case runs with many seeds: delays, jitter and the moment of the change.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, pairwise

import pytest

from app.call.call import Call
from app.call.commands import (
    CreateResponse,
    EndCall,
    KeepAudio,
    RewriteItem,
    SendClear,
    SendToolOutput,
)
from app.call.endings import EndReason
from app.call.events import AudioReceived, HangUpRequested, KeyPressed, RolloverRequested, ToolCall
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from app.call.summary import GO_ON
from tests.call.virtual_carrier import FRAME_MS
from tests.call.virtual_line import VirtualLine
from tests.call.virtual_model import Answer, Model, Say
from tests.call.virtual_time import BYTES_PER_MS

SEEDS = range(16)
QUICK = RelaySettings(quiet_wait_ms=1_200, force_wait_ms=2_000, session_ms=10**9)
"""A change of legs does not wait long for its moment."""
STORY = "one two three four five six seven eight nine ten"
BOOK = ToolCall("t1", "i1", "book", "{}")


def line_of(seed: int, relay: RelaySettings = QUICK) -> VirtualLine:
    """The agent has greeted, in item g."""
    line = VirtualLine(seed, settings=CallSettings(greeting="Greet.", relay=relay))
    numbers = count(1)

    def talks(model: Model, leg: int) -> None:
        model.endless = lambda: Answer((Say(f"a{next(numbers)}", 900, text=STORY),))

    line.on_open = talks
    talks(line.model, 1)
    line.model.script.append(Answer((Say("g", 600, text="Hello."),)))
    line.open()
    line.run_for(1_800)
    assert line.heard("g") == 600 * BYTES_PER_MS
    return line


def roll(line: VirtualLine) -> None:
    line.deliver(RolloverRequested())


def is_well(line: VirtualLine, greetings: int = 1) -> None:
    """Nothing was refused, lost or cut short, and the agent greeted once."""
    assert line.shell.ended is None
    assert [model.refused for model in line.legs.values() if model.refused] == []
    assert line.broken == []
    for speech in line.said:
        assert any(speech in model.heard for model in line.legs.values()), "nobody heard it"
    asked = [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]
    assert asked.count("Greet.") == greetings
    assert not line.call.playout.fenced


def has_no_gap(line: VirtualLine, item_id: str, since_ms: float = 0) -> None:
    """From then on the item sounded frame upon frame."""
    frames = [at for at in line.frames_of(item_id) if at >= since_ms]
    assert frames
    assert all(then - at < 1.01 * FRAME_MS for at, then in pairwise(frames))


def answers(line: VirtualLine) -> list[str]:
    """The items that were heard after the greeting, in order."""
    heard = {item_id: line.heard(item_id) for m in line.legs.values() for item_id in m.items}
    return [item_id for item_id, n_bytes in heard.items() if n_bytes and item_id != "g"]


def ask(line: VirtualLine, text: str = "A question?", ms: float = 700) -> None:
    line.speak(ms, text)


def answered(line: VirtualLine) -> int:
    """How many answers were heard, one that another leg went on with counted once."""
    asked = [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]
    return len(answers(line)) - asked.count(GO_ON)


def kept(line: VirtualLine, item_id: str) -> int:
    """Bytes of the item that came from its session while that carried the call."""
    return sum(
        command.n_bytes
        for _, event, commands in line.shell.log
        for command in commands
        if isinstance(event, AudioReceived)
        and event.item_id == item_id
        and isinstance(command, KeepAudio)
    )


Change = Callable[[VirtualLine], None]
CHANGES: Sequence[Change] = (roll, VirtualLine.drop)
both = pytest.mark.parametrize("change", CHANGES, ids=["rollover", "drop"])
seeded = pytest.mark.parametrize("seed", SEEDS)


@both
@seeded
def test_a_change_while_nobody_speaks_is_not_heard(seed: int, change: Change) -> None:
    line = line_of(seed)
    change(line)
    line.run_for(3_000)
    assert line.call.handover.relay.leg == 2
    assert answers(line) == []

    ask(line)
    line.run_for(4_000)
    is_well(line)
    assert len(answers(line)) == 1
    assert list(line.legs[2].items) == answers(line)


@both
@seeded
def test_a_change_while_the_caller_speaks_loses_and_doubles_no_word(
    seed: int, change: Change
) -> None:
    line = line_of(seed)
    ask(line, ms=4_000)
    line.run_for(line.chance.uniform(0, 3_900))
    change(line)
    line.run_for(9_000)

    is_well(line)
    assert len(answers(line)) == 1
    assert line.call.handover.relay.leg == 2
    (caller,) = [entry for entry in line.call.transcript.lines if entry.speaker == "caller"]
    told = [e.audio_end_ms for taken in line.shell.taken for e in taken.entries]
    assert str(caller) == "A question?" or caller.audio_end_ms in told, "its words or its voice"
    causes = [turn.cause for turn in line.call.timeline.turns]
    assert causes == ["greeting", "caller"]


@both
@seeded
def test_a_change_between_question_and_answer_and_the_question_is_answered_once(
    seed: int, change: Change
) -> None:
    line = line_of(seed)
    ask(line)
    line.run_for(700 + line.chance.uniform(0, 120))
    change(line)
    line.run_for(6_000)

    is_well(line)
    assert len(answers(line)) == 1
    (answered,) = [model for model in line.legs.values() if set(model.items) & {"a1", "a2"}][-1:]
    known = [entry.text for entry in answered.told.values()] + [s.text for s in answered.heard]
    voices = [entry for entry in answered.told.values() if entry.audio_end_ms is not None]
    assert "A question?" in known or len(voices) == 1


@seeded
def test_a_planned_change_while_the_bot_speaks_is_not_heard(seed: int) -> None:
    line = line_of(seed)
    line.model.script.append(Answer((Say("long", 6_000, text=STORY),)))
    ask(line)
    line.run_for(900 + line.chance.uniform(600, 2_500))
    changed_ms = line.heap.now_ms
    roll(line)
    line.run_for(9_000)

    is_well(line)
    has_no_gap(line, "long", changed_ms)
    assert line.heard("long") == 6_000 * BYTES_PER_MS
    assert answers(line) == ["long"]
    assert line.call.handover.relay.leg == 2


@seeded
def test_a_forced_change_while_the_bot_speaks_plays_on_without_a_gap(seed: int) -> None:
    line = line_of(seed)
    line.model.script.append(Answer((Say("long", 20_000, text=STORY, speed=2.5),)))
    ask(line)
    line.run_for(900 + line.chance.uniform(600, 2_500))
    changed_ms = line.heap.now_ms
    roll(line)
    while line.call.handover.relay.leg == 1:
        line.run_for(1)
    line.run_for(20_000)

    is_well(line)
    has_no_gap(line, "long", changed_ms)
    assert line.heard("long") == kept(line, "long") < 20_000 * BYTES_PER_MS
    asked = [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]
    assert asked == ["Greet.", GO_ON]
    assert answers(line) == ["long", "a1"]
    assert SendClear not in {type(command) for command in line.commands()}


@seeded
def test_a_drop_in_mid_answer_plays_out_what_came_and_goes_on(seed: int) -> None:
    line = line_of(seed)
    line.model.script.append(Answer((Say("long", 9_000, text=STORY, speed=3),)))
    ask(line)
    line.run_for(900 + line.chance.uniform(600, 2_500))
    dropped_ms = line.heap.now_ms
    assert line.item("long").generated < 9_000 * BYTES_PER_MS
    line.drop()
    line.run_for(9_000)

    is_well(line)
    assert line.heard("long") == kept(line, "long") > 0
    has_no_gap(line, "long", dropped_ms)
    asked = [c for c in line.commands() if isinstance(c, CreateResponse)]
    assert [c.instructions for c in asked] == ["Greet.", GO_ON]
    assert answers(line) == ["long", "a1"]


@seeded
def test_what_the_new_leg_believes_was_said_is_what_was_heard(seed: int) -> None:
    line = line_of(seed)
    line.model.script.append(Answer((Say("long", 5_000, text=STORY, speed=8),)))
    ask(line)
    line.run_for(2_400)
    line.drop()
    line.run_for(line.chance.uniform(100, 2_500))
    ask(line, "Stop.")
    line.run_for(6_000)

    is_well(line)
    heard = next(entry for entry in line.call.transcript.lines if entry.item_id == "long")
    assert heard.interrupted
    rewrites = [c for c in line.commands() if isinstance(c, RewriteItem)]
    believed = [e.text for e in line.model.told.values() if e.text in (STORY, str(heard))]
    if "long" in {e.item_id for taken in line.shell.taken for e in taken.entries}:
        assert [c.item_id for c in rewrites] == ["long"] or not rewrites
        assert STORY not in believed
    share = line.heard("long") / (5_000 * BYTES_PER_MS)
    assert abs(len(heard.text) - share * len(STORY)) <= len("seven") + 3


@both
@seeded
def test_a_tool_that_runs_through_a_change_is_run_once_and_answered_once(
    seed: int, change: Change
) -> None:
    line = line_of(seed)
    line.tool_ms = {"book": line.chance.uniform(500, 3_500)}
    line.model.script.append(Answer((Say("wait", 500, text="One moment."),), (BOOK,)))
    ask(line)
    line.run_for(1_500 + line.chance.uniform(0, 500))
    change(line)
    line.run_for(8_000)

    is_well(line)
    assert answers(line)[0] == "wait"
    assert answered(line) == 2
    outputs = [c for c in line.commands() if isinstance(c, SendToolOutput)]
    told = [e.output for taken in line.shell.taken for e in taken.entries if e.call_id == "t1"]
    known = len(outputs) + len([output for output in told if output is not None][:1])
    assert known >= 1
    assert len(outputs) <= 1
    assert line.call.handover.relay.leg == 2


@both
@seeded
def test_a_barge_in_during_a_change_is_heard_and_answered(seed: int, change: Change) -> None:
    line = line_of(seed)
    line.model.script.append(Answer((Say("long", 5_000, text=STORY),)))
    ask(line)
    line.run_for(1_800)
    line.ready_ms = line.chance.uniform(30, 700)
    change(line)
    line.run_for(line.chance.uniform(0, 900))
    ask(line, "Stop.")
    line.run_for(9_000)

    is_well(line)
    assert 0 < line.heard("long") < line.item("long").generated
    last = line.call.transcript.lines[-1]
    assert (last.speaker, last.interrupted) == ("agent", False)
    assert answers(line)[-1] == last.item_id
    assert line.call.handover.relay.leg == 2


@seeded
def test_a_drop_before_the_greeting_was_heard_and_it_is_said_once(seed: int) -> None:
    line = VirtualLine(seed, settings=CallSettings(greeting="Greet.", relay=QUICK))

    def greets(model: Model, leg: int) -> None:
        model.script.append(Answer((Say(f"g{leg}", 600, text="Hello."),)))

    line.on_open = greets
    greets(line.model, 1)
    line.open()
    while not line.model.responses:
        line.run_for(5)
    line.run_for(line.chance.uniform(0, 90))
    line.drop()
    line.run_for(3_000)

    is_well(line, greetings=2)
    assert answers(line) == ["g2"]
    assert str(line.call.transcript.lines[-1]) == "Hello."


@both
@seeded
def test_keys_that_are_pressed_during_a_change_are_known_and_answered_once(
    seed: int, change: Change
) -> None:
    line = line_of(seed)
    line.run_for(500)
    line.ready_ms = 300
    line.deliver(KeyPressed("4"))
    line.run_for(line.chance.uniform(1_300, 1_600))
    change(line)
    line.run_for(6_000)

    is_well(line)
    assert len(answers(line)) == 1


@seeded
def test_a_long_talk_through_many_changes_at_any_moment(seed: int) -> None:
    line = line_of(seed)
    chance, questions = line.chance, 12
    for number in range(questions):
        ask(line, f"Question {number}?", chance.uniform(300, 2_500))
        line.run_for(chance.uniform(0, 4_000))
        if line.call.handover.relay.leg:
            chance.choice(CHANGES)(line)
        line.ready_ms = chance.uniform(20, 600)
        line.run_for(6_500)

    is_well(line)
    callers = [str(entry) for entry in line.call.transcript.lines if entry.speaker == "caller"]
    assert len(callers) == questions
    for number, words in enumerate(callers):
        assert words in (f"Question {number}?", ""), "its leg may be gone before it wrote them"
    carried = [taken.leg for taken in line.shell.taken]
    assert len(carried) > questions // 2
    assert carried == sorted(set(carried))
    assert answered(line) == questions


@seeded
def test_a_barge_in_at_any_moment_of_a_talk_full_of_changes_breaks_nothing(seed: int) -> None:
    line = line_of(seed, replace(QUICK, fruitless=10**6))
    chance = line.chance
    for number in range(15):
        ask(line, f"Question {number}?", chance.uniform(200, 1_500))
        line.run_for(chance.uniform(1_600, 4_000))
        if chance.random() < 0.7 and line.call.handover.relay.leg:
            chance.choice(CHANGES)(line)
        line.ready_ms = chance.uniform(20, 600)
        line.run_for(chance.uniform(0, 1_500))
    line.run_for(8_000)

    is_well(line)
    last = line.call.transcript.lines[-1]
    assert (last.speaker, last.interrupted) == ("agent", False)
    assert line.call.due_ms is not None


@seeded
def test_the_journal_of_a_talk_full_of_changes_replays_to_the_same_commands(seed: int) -> None:
    line = line_of(seed)
    for number in range(6):
        ask(line, f"Question {number}?")
        line.run_for(line.chance.uniform(300, 3_000))
        if line.call.handover.relay.leg:
            line.chance.choice(CHANGES)(line)
        line.run_for(3_000)

    again = Call(line.call.settings)
    replayed = [again.handle(event, now_ms) for now_ms, event, _ in line.shell.log]
    assert replayed == [commands for _, _, commands in line.shell.log]


@seeded
def test_a_drain_moves_a_talk_in_its_next_quiet_moment(seed: int) -> None:
    line = line_of(seed)
    ask(line)
    line.run_for(line.chance.uniform(60, 2_000))
    line.deliver(HangUpRequested("drain"))
    line.run_for(5_000)

    assert line.shell.ended == EndCall(EndReason.DRAINED)
    assert len(answers(line)) == 1
    has_no_gap(line, answers(line)[0])
    snapshot = line.call.snapshot(moved=True)
    assert [(e.kind, e.text) for e in snapshot.entries] == [
        ("agent", "Hello."),
        ("caller", "A question?"),
        ("agent", STORY),
    ]
    assert not snapshot.unanswered
