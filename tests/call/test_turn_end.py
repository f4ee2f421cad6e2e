"""A turn ends once, after the caller's voice and in time, and whatever was committed is in it."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.turn_end import TRANSITIONS, Commit, End, Judge, Step, TurnEnd, TurnEndSettings
from app.call.turn_end import TurnState as State

SILENCE = TurnEndSettings()
JUDGE = TurnEndSettings(judge=True)


def spoken(settings: TurnEndSettings = JUDGE) -> TurnEnd:
    """A voice from 0 to 1,000 ms, committed at 1,300 ms as the item a."""
    turn = TurnEnd(settings)
    turn.voice_started(0)
    turn.voice_stopped(1_000, 1_100)
    assert turn.expire(1_300) == (Commit(),)
    turn.committed("a")
    return turn


def asked() -> TurnEnd:
    """The judge was asked at 1,400 ms."""
    turn = spoken()
    assert turn.words("a", " When do you ", 1_400) == (Judge("turn-1", "When do you"),)
    return turn


def end(steps: tuple[Step, ...]) -> End:
    (step,) = steps
    assert isinstance(step, End)
    return step


def test_what_was_said_is_committed_at_the_least_silence_and_not_sooner() -> None:
    turn = TurnEnd()
    turn.voice_started(0)

    assert turn.voice_stopped(1_000, 1_100) == ()
    assert turn.due_ms == 1_300
    assert turn.expire(1_299) == ()
    assert turn.expire(1_300) == (Commit(),)


def test_a_voice_that_was_noticed_late_to_have_stopped_is_committed_at_once() -> None:
    turn = TurnEnd()
    turn.voice_started(0)

    assert turn.voice_stopped(1_000, 1_350) == (Commit(),)


def test_without_a_judge_silence_ends_the_turn_whatever_the_words_are() -> None:
    turn = spoken(SILENCE)

    assert turn.words("a", "When do you", 1_400) == ()
    assert turn.due_ms == 1_800
    assert end(turn.expire(1_800)) == End("silence", 800, 1, ("a",), 400, None, None)


def test_words_that_are_complete_end_the_turn_at_once() -> None:
    turn = asked()

    assert turn.judged("turn-1", True, 1_550) == (End("complete", 550, 1, ("a",), 400, True, 150),)
    assert turn.due_ms is None


def test_words_that_are_not_complete_are_waited_on_but_not_for_ever() -> None:
    turn = asked()

    assert turn.judged("turn-1", False, 1_550) == ()
    assert turn.due_ms == 3_000
    assert end(turn.expire(3_000)) == End("longest", 2_000, 1, ("a",), 400, False, 150)


def test_no_words_in_time_end_the_turn() -> None:
    assert end(spoken().expire(1_800)) == End("no_words", 800, 1, ("a",), None, None, None)


def test_an_item_without_words_is_not_judged() -> None:
    turn = spoken()

    assert turn.words("a", " ", 1_400) == ()
    assert end(turn.expire(1_800)).why == "no_words"


def test_a_judge_who_gives_no_verdict_is_not_waited_for() -> None:
    turn = asked()

    assert turn.judged("turn-1", None, 1_500) == ()
    assert end(turn.expire(1_800)) == End("silence", 800, 1, ("a",), 400, None, None)


def test_a_judge_who_was_asked_is_waited_for_beyond_the_usual_silence_but_not_for_ever() -> None:
    turn = asked()

    assert turn.due_ms == 1_900
    assert end(turn.expire(1_900)) == End("silence", 900, 1, ("a",), 400, None, None)
    assert turn.judged("turn-1", False, 1_950) == ()
    assert turn.due_ms is None


def test_the_longest_silence_holds_for_a_slow_judge_too() -> None:
    turn = spoken(TurnEndSettings(judge=True, judge_wait_ms=5_000))
    turn.words("a", "When do you", 1_400)

    assert end(turn.expire(3_000)).silence_ms == 2_000


def test_a_voice_before_the_end_goes_on_with_the_same_turn() -> None:
    turn = asked()
    turn.judged("turn-1", False, 1_550)
    turn.voice_started(2_000)
    assert turn.due_ms is None
    turn.voice_stopped(2_600, 2_700)
    assert turn.expire(2_900) == (Commit(),)
    turn.committed("b")

    assert turn.words("b", "open?", 3_000) == (Judge("turn-2", "When do you open?"),)
    assert end(turn.judged("turn-2", True, 3_050)).item_ids == ("a", "b")


def test_a_verdict_on_less_than_was_said_decides_nothing() -> None:
    turn = asked()
    turn.voice_started(1_500)

    assert turn.judged("turn-1", True, 1_550) == ()
    turn.voice_stopped(1_900, 2_000)
    turn.expire(2_200)
    turn.committed("b")
    turn.words("b", "open?", 2_250)
    assert turn.judged("turn-1", True, 2_300) == ()
    assert turn.state is State.JUDGING


def test_a_verdict_on_less_than_was_said_is_not_told_at_the_end() -> None:
    turn = asked()
    turn.judged("turn-1", False, 1_550)
    turn.voice_started(1_700)
    turn.voice_stopped(2_000, 2_100)
    turn.expire(2_300)
    turn.committed("b")

    assert end(turn.expire(2_800)) == End("no_words", 800, 2, ("a", "b"), None, None, None)


def test_the_judge_waits_for_the_words_of_every_piece() -> None:
    turn = spoken()
    turn.voice_started(1_500)
    turn.voice_stopped(2_000, 2_100)
    turn.expire(2_300)
    turn.committed("b")

    assert turn.words("b", "open?", 2_400) == ()
    assert turn.words("a", "When do you", 2_450) == (Judge("turn-1", "When do you open?"),)


def test_a_noise_after_judged_words_does_not_ask_again() -> None:
    turn = asked()
    turn.judged("turn-1", False, 1_550)
    turn.voice_started(1_700)
    turn.voice_stopped(1_800, 1_900)
    turn.expire(2_100)
    turn.committed("b")

    assert turn.words("b", "", 2_200) == ()
    assert (turn.state, turn.due_ms) == (State.PATIENT, 3_800)


def test_a_noise_too_short_to_be_committed_is_not_waited_for() -> None:
    turn = asked()
    turn.judged("turn-1", False, 1_550)
    turn.voice_started(1_700)
    turn.voice_stopped(1_710, 1_900)
    turn.expire(2_010)

    assert turn.not_committed(2_050) == ()
    assert (turn.state, turn.due_ms) == (State.PATIENT, 3_710)
    assert end(turn.expire(3_710)).pieces == 1


def test_words_of_an_older_turn_are_not_this_ones() -> None:
    turn = spoken()
    turn.expire(1_800)
    turn.voice_started(2_000)
    turn.voice_stopped(2_500, 2_500)
    turn.expire(2_800)

    assert turn.words("a", "When do you open?", 2_850) == ()
    assert turn.text == ""


def test_an_item_is_known_by_the_commit_that_made_it() -> None:
    turn = TurnEnd(JUDGE)
    turn.voice_started(0)
    turn.voice_stopped(500, 500)
    turn.expire(800)
    turn.expire(1_300)
    turn.voice_started(1_400)
    turn.voice_stopped(2_000, 2_000)
    turn.expire(2_300)

    turn.committed("a")
    turn.committed("b")
    assert turn.words("a", "Hello.", 2_350) == ()
    assert turn.words("b", "Bye.", 2_400) == (Judge("turn-1", "Bye."),)


def test_what_was_no_turn_does_not_end() -> None:
    turn = spoken()
    turn.voice_started(1_400)
    turn.voice_stopped(1_500, 1_600)
    turn.expire(1_800)

    turn.drop()
    turn.committed("b")

    assert (turn.due_ms, turn.text) == (None, "")
    assert turn.words("b", "I was there.", 2_000) == ()


@pytest.mark.parametrize("waits", [(0, 500, 2_000), (300, -1, 2_000), (300, 500, 799)])
def test_waits_that_contradict_each_other_are_refused(waits: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        TurnEndSettings(*waits)


def test_every_state_that_can_be_entered_can_be_left() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) == set(TRANSITIONS.values())


@dataclass(slots=True)
class World:
    """A caller, a transcriber and a judge of whom nothing can be relied on, in virtual time."""

    turn: TurnEnd
    now_ms: int = 0
    voice: bool = False
    voice_ended_ms: int = 0
    turn_open: bool = False
    pieces: int = 0
    """Committed and not part of a turn that ended."""
    uncommitted: bool = False
    unnamed: int = 0
    items: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    ends: int = 0

    def wait(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        while (due_ms := self.turn.due_ms) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.took(self.turn.expire(self.now_ms))
        self.now_ms = until_ms

    def speak(self) -> None:
        if self.voice:
            return
        steps = self.turn.voice_started(self.now_ms)
        self.took(steps)
        self.voice = self.turn_open = self.uncommitted = True

    def stop(self, noticed_ms: int) -> None:
        if not self.voice:
            return
        self.voice = False
        self.voice_ended_ms = self.now_ms
        self.now_ms += noticed_ms
        self.took(self.turn.voice_stopped(self.voice_ended_ms, self.now_ms))

    def name(self, *, refused: bool) -> None:
        if not self.unnamed:
            return
        self.unnamed -= 1
        if refused:
            self.pieces -= self.unnamed < self.pieces
            self.took(self.turn.not_committed(self.now_ms))
        else:
            self.items.append(f"i{len(self.items)}")
            self.turn.committed(self.items[-1])

    def transcribe(self, which: int, text: str) -> None:
        if self.items:
            item_id = self.items[which % len(self.items)]
            self.took(self.turn.words(item_id, text, self.now_ms))

    def judge(self, which: int, complete: bool | None) -> None:
        if self.questions:
            request_id = self.questions[which % len(self.questions)]
            self.took(self.turn.judged(request_id, complete, self.now_ms))

    def took(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            assert not self.voice, "nothing is decided while the caller speaks"
            match step:
                case Commit():
                    assert self.uncommitted, "there is something to commit"
                    self.uncommitted = False
                    self.pieces += 1
                    self.unnamed += 1
                case Judge():
                    assert step.text and step.request_id not in self.questions
                    self.questions.append(step.request_id)
                case End():
                    self.ended(step)

    def ended(self, end: End) -> None:
        settings = self.turn.settings
        assert self.turn_open, "one end for one turn"
        assert not self.uncommitted, "all that was said is in it"
        assert end.pieces == self.pieces
        assert end.silence_ms == self.now_ms - self.voice_ended_ms
        noticed_late = end.silence_ms > settings.max_silence_ms
        assert settings.min_silence_ms <= end.silence_ms and not noticed_late
        assert end.why != "longest" or end.silence_ms == settings.max_silence_ms
        assert (end.verdict is True) >= (end.why == "complete")
        self.turn_open, self.pieces = False, 0
        self.ends += 1


@st.composite
def worlds(draw: st.DrawFn) -> World:
    settings = TurnEndSettings(300, 500, draw(st.sampled_from([800, 2_000])), draw(st.booleans()))
    world = World(TurnEnd(settings))
    which = st.integers(0, 5)
    for _ in range(draw(st.integers(1, 40))):
        match draw(st.sampled_from(["wait", "speak", "stop", "name", "words", "judge"])):
            case "wait":
                world.wait(draw(st.sampled_from([10, 100, 299, 301, 500, 900, 2_500])))
            case "speak":
                world.speak()
            case "stop":
                world.stop(draw(st.sampled_from([0, 60, 250, 400])))
            case "name":
                world.name(refused=draw(st.booleans()))
            case "words":
                world.transcribe(draw(which), draw(st.sampled_from(["", "Yes.", "and"])))
            case "judge":
                world.judge(draw(which), draw(st.sampled_from([True, False, None])))
    return world


@given(worlds())
def test_every_turn_ends_once_and_in_time_and_holds_all_that_was_committed(world: World) -> None:
    world.stop(0)
    world.wait(world.turn.settings.max_silence_ms)

    assert not world.turn_open and not world.pieces and not world.uncommitted
    assert world.turn.due_ms is None
