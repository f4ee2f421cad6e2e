"""Invariant: the same seed makes the same call in any process, and every frame of the caller's line
is numbered and accounted for."""

from itertools import pairwise

from app.lab.phone.script import HangUp, Interrupt
from app.lab.speech.coded import coded_audio
from bench.relay_talk import BACKGROUND, Plan, Utterance, Voice, make_plan

PLAN = Plan(
    7,
    (
        Utterance(0, "the name is Bado", 600, 4),
        Utterance(1, "the number is 47-11", 600, 4, tool_ms=500),
        Utterance(2, "on 3 May at 10:15", 600, 4),
    ),
)


def test_the_same_seed_makes_the_same_call_and_every_fact_differs() -> None:
    plan = make_plan(5, 1, 12)
    assert plan == make_plan(5, 1, 12) != make_plan(5, 2, 12)
    assert len({said.fact for said in plan.utterances}) == 12
    assert not any(
        after.interrupts_ms for before, after in pairwise(plan.utterances) if before.tool_ms
    )


def test_a_script_says_everything_and_hangs_up() -> None:
    script, _ = make_plan(5, 1, 12).script(quiet_ms=500)
    spoken = [step for step in script.steps if getattr(step, "audio", None)]
    assert len(spoken) == 12
    assert any(isinstance(step, Interrupt) for step in spoken)
    assert isinstance(script.steps[-1], HangUp)


def test_the_line_numbers_every_frame_and_tells_what_met_no_stream() -> None:
    voice = Voice(PLAN)
    speech = coded_audio(PLAN.stream(0), 0, 40, quiet=False)
    voice(0, None)
    voice(1, speech[:160])
    voice(-1, speech[160:])
    voice(-1, None)
    voice(0, None)
    assert [frame[:2] for frame in voice.sent] == [
        (BACKGROUND + 7, 0),
        (PLAN.stream(0), 0),
        (BACKGROUND + 7, 20),
    ]
    assert [s.unsent_frames for s in voice.spoken] == [1]
