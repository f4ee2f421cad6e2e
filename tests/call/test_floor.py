"""Every claim of the caller's is decided once and in time, in whatever order the witnesses speak.

What was no interruption is resumed, never forgotten.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.barge_in import Decision, Situation, Words
from app.call.floor import Floor, FloorSettings, FloorState

SPEAKING = Situation.SPEAKING
HOLD, YIELD, RESUME, NOTHING = Decision.HOLD, Decision.YIELD, Decision.RESUME, Decision.NOTHING
VOICE = FloorSettings(by="voice")


def listening(settings: FloorSettings = VOICE) -> Floor:
    return Floor(settings)


def expired(floor: Floor) -> tuple[int, Decision]:
    """When the floor decides by itself, and what."""
    due_ms = floor.due_ms
    assert due_ms is not None
    assert floor.expire(due_ms - 1) is NOTHING
    return due_ms, floor.expire(due_ms)


# On the model's word


def test_the_agent_yields_when_the_model_hears_the_caller() -> None:
    floor = Floor()
    assert floor.caller_started(agent_has_floor=True) is YIELD
    assert floor.caller_speaking
    floor.caller_stopped()
    assert not floor.caller_speaking
    assert floor.caller_started(agent_has_floor=False) is NOTHING


# By our own ears


def test_a_voice_that_lasts_takes_the_floor() -> None:
    floor = listening()
    assert floor.voice_started(SPEAKING, 1_000, 1_130) is HOLD
    assert expired(floor) == (1_000 + VOICE.yield_after_ms, YIELD)
    assert floor.state is FloorState.TAKEN


def test_a_short_voice_that_nobody_else_hears_is_dismissed_soon() -> None:
    floor = listening()
    floor.voice_started(SPEAKING, 1_000, 1_130)
    assert floor.voice_stopped(300, 1_500) is NOTHING
    assert expired(floor) == (1_500 + VOICE.deaf_wait_ms, RESUME)
    assert floor.state is FloorState.FREE


@pytest.mark.parametrize(
    ("words", "decision"),
    [(Words.SPEECH, YIELD), (Words.BACKCHANNEL, RESUME), (Words.NOTHING, RESUME)],
)
def test_words_decide_about_a_short_voice(words: Words, decision: Decision) -> None:
    floor = listening()
    floor.voice_started(SPEAKING, 1_000, 1_130)
    assert floor.claim is not None
    floor.claim.words_expected = True
    floor.voice_stopped(400, 1_600)
    assert floor.words(words, 2_000) is decision


@pytest.mark.parametrize(("voiced_ms", "decision"), [(699, RESUME), (700, YIELD)])
def test_without_words_its_length_decides(voiced_ms: int, decision: Decision) -> None:
    floor = listening()
    floor.voice_started(SPEAKING, 1_000, 1_130)
    floor.voice_stopped(voiced_ms, 1_800)
    assert expired(floor)[1] is decision


def test_voices_one_after_the_other_are_one_claim() -> None:
    floor = listening()
    floor.voice_started(SPEAKING, 1_000, 1_130)
    floor.voice_stopped(500, 1_700)
    assert floor.voice_started(SPEAKING, 1_750, 1_840) is NOTHING
    assert expired(floor) == (1_750 + VOICE.yield_after_ms - 500, YIELD)


def test_words_that_come_too_late_still_take_the_floor() -> None:
    floor = listening()
    floor.voice_started(SPEAKING, 1_000, 1_130)
    floor.voice_stopped(300, 1_500)
    assert expired(floor)[1] is RESUME
    assert floor.words(Words.SPEECH, 3_000) is YIELD
    assert floor.words(Words.SPEECH, 3_100) is NOTHING, "once"


def test_a_voice_in_the_callers_own_turn_interrupts_nobody() -> None:
    floor = listening()
    assert floor.voice_started(Situation.WAITING, 0, 130) is NOTHING
    assert floor.state is FloorState.TAKEN
    assert floor.due_ms is None


@pytest.mark.parametrize("situation", [Situation.GREETING, SPEAKING, Situation.THINKING])
def test_each_situation_has_a_strategy_of_its_own(situation: Situation) -> None:
    strict = FloorSettings(by="voice", greeting="yield", speaking="yield", thinking="yield")
    assert listening(strict).voice_started(situation, 0, 130) is YIELD
    deaf = FloorSettings(by="voice", greeting="deaf", speaking="deaf", thinking="deaf")
    assert listening(deaf).voice_started(situation, 0, 130) is NOTHING
    assert listening().voice_started(situation, 0, 130) is HOLD


def test_a_notice_is_never_interrupted_and_a_voice_that_goes_on_claims_what_follows() -> None:
    floor = listening()
    assert floor.voice_started(Situation.NOTICE, 0, 130) is NOTHING
    assert floor.due_ms is None
    assert floor.passage_over(SPEAKING, 3_000) is HOLD

    silent = listening()
    silent.voice_started(Situation.NOTICE, 0, 130)
    silent.voice_stopped(500, 800)
    assert silent.passage_over(SPEAKING, 3_000) is NOTHING
    assert silent.state is FloorState.FREE


def test_on_a_noisy_line_a_voice_must_last_and_the_caller_is_told_once() -> None:
    floor = listening()
    now_ms = 0
    for _ in range(3):
        assert floor.voice_started(SPEAKING, now_ms, now_ms + 130) is HOLD
        floor.voice_stopped(200, now_ms + 400)
        now_ms, decision = expired(floor)
        assert decision is RESUME
    assert floor.take_hint()
    assert not floor.take_hint()
    assert floor.voice_started(SPEAKING, now_ms, now_ms + 130) is NOTHING
    assert expired(floor) == (now_ms + VOICE.wary_ms, YIELD)


def test_after_a_while_without_false_alarms_the_line_is_quiet_again() -> None:
    floor = listening()
    for at_ms in (0, 1_000, 2_000):
        floor.voice_started(SPEAKING, at_ms, at_ms + 130)
        floor.voice_stopped(200, at_ms + 400)
        expired(floor)
    later_ms = 3_000 + VOICE.noisy_within_ms
    assert floor.voice_started(SPEAKING, later_ms, later_ms + 130) is HOLD


happenings = st.lists(
    st.tuples(st.sampled_from(["start", "stop", "words", "time", "over"]), st.integers(10, 900)),
    max_size=40,
)


@given(happenings, st.sampled_from(list(Words)), st.sampled_from(list(Situation)))
def test_a_claim_is_always_decided_within_the_longest_hold(
    script: list[tuple[str, int]], words: Words, situation: Situation
) -> None:
    floor, now_ms, held_ms = listening(), 0, 0
    holding = False

    def follow(decision: Decision) -> None:
        nonlocal holding, held_ms
        if decision is HOLD:
            assert not holding
            holding, held_ms = True, now_ms
        elif decision in (YIELD, RESUME):
            holding = False

    for what, after_ms in script:
        until_ms = now_ms + after_ms
        while floor.due_ms is not None and floor.due_ms <= until_ms:
            now_ms = max(now_ms, floor.due_ms)
            follow(floor.expire(now_ms))
            assert floor.due_ms is None or floor.due_ms > now_ms
        now_ms = until_ms
        if what == "start" and not floor.voice:
            follow(floor.voice_started(situation, now_ms - 120, now_ms))
        elif what == "stop" and floor.voice:
            follow(floor.voice_stopped(after_ms, now_ms))
        elif what == "words":
            follow(floor.words(words, now_ms))
        elif what == "over":
            floor.caller_stopped()
        assert not holding or now_ms - held_ms <= VOICE.longest_hold_ms
        assert holding <= (floor.state is FloorState.CLAIMED)
        assert floor.state is FloorState.CLAIMED or floor.due_ms is None


@pytest.mark.parametrize(
    "wrong",
    [{"brief_ms": 0}, {"brief_ms": 1_200}, {"yield_after_ms": 3_000}, {"noisy_after": 0}],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        FloorSettings(**wrong)  # type: ignore[arg-type]
