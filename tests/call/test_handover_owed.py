"""What a lost leg owed, heard or was told of is asked of, handed to or mended in the next one."""

from dataclasses import replace

import pytest

from app.call.call import Call
from app.call.carried_speech import CARRIED_WAIT_MS
from app.call.commands import (
    AddUserText,
    Command,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendClear,
    SendToolOutput,
    TakeLeg,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    DeadlineReached,
    Entry,
    ItemAdded,
    KeyPressed,
    MarkEchoed,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    TextReceived,
    ToolFinished,
)
from app.call.summary import GO_ON
from tests.call.handover_play import (
    CALLER,
    answers,
    begins_to_answer,
    caller_says,
    comes_back,
    conversed,
    drops,
    of,
    one,
    play,
    plays_out,
    running_tool,
    stands_by,
    talking,
    until,
)

# What a lost leg owed


def test_a_drop_before_the_greeting_sounded_and_the_greeting_is_asked_again() -> None:
    for events in ((), (ResponseCreated("r1", "create-1"), ItemAdded("r1", "a1", "message"))):
        call = talking("Greet.")
        play(call, 100, *events)
        drops(call, 200)

        taken, asked = comes_back(call, 500)
        assert isinstance(taken, TakeLeg)
        assert taken.entries == ()
        assert asked == CreateResponse("create-2", "Greet.")


def test_a_drop_in_mid_answer_and_the_next_leg_goes_on_from_there() -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "We are open every day", 1_000)
    lost = drops(call, 1_200)
    assert of(SendClear, lost) == []
    assert call.playout.unplayed

    taken, asked = comes_back(call, 1_400)
    assert isinstance(taken, TakeLeg)
    said = Entry("agent", "a1", "We are open [interrupted]")
    assert taken.entries == (CALLER, said), "the text was ahead of its sound, which never came"
    assert (taken.heard_ms, taken.replay_ms, taken.cause) == (1_000, 1_000, "drop")
    assert asked == CreateResponse("create-1", GO_ON)


def test_the_record_of_an_answer_that_broke_off_has_the_words_that_came_to_sound() -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "We are open every day", 1_100)
    drops(call, 1_200)
    plays_out(call, 1_300)

    line = call.transcript.lines[-1]
    assert (str(line), line.unheard) == ("We are open [interrupted]", "every day")


@pytest.mark.parametrize("played", [False, True])
def test_a_drop_before_the_first_word_was_out_and_the_answer_is_asked_for_anew(
    played: bool,
) -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "Unfortunately not", 100)
    drops(call, 1_200)
    if played:
        plays_out(call, 1_250)

    taken, asked = comes_back(call, 1_400)
    assert isinstance(taken, TakeLeg)
    assert (taken.entries, asked) == ((CALLER,), CreateResponse("create-1"))


def test_an_answer_of_which_nothing_is_worth_mentioning_came_is_asked_for_anew() -> None:
    call = talking("Greet.")
    play(call, 100, ResponseCreated("r1", "create-1"), AudioReceived("r1", "a1", 159))
    drops(call, 200)

    assert of(CreateResponse, comes_back(call, 500)) == [CreateResponse("create-2", "Greet.")]


@pytest.mark.parametrize("words", ["Hello?", ""])
def test_a_drop_between_question_and_answer_and_the_question_is_answered(words: str) -> None:
    call = talking()
    caller_says(call, 1_000, text=words)
    drops(call, 1_100)

    taken, asked = comes_back(call, 1_400)
    voice = Entry("caller", "c1", audio_start_ms=500, audio_end_ms=1_000)
    assert isinstance(taken, TakeLeg)
    assert taken.entries == ((CALLER,) if words else (voice,))
    assert taken.heard_ms == 1_000, "or it would be heard and answered a second time"
    assert asked == CreateResponse("create-1")


def test_words_that_come_too_late_are_heard_of_as_a_voice_and_known_afterwards() -> None:
    call = talking()
    caller_says(call, 1_000, text="")
    drops(call, 1_100)
    comes_back(call, 1_400)
    play(call, 1_500, CallerTranscribed("c1", "Hello?"))
    drops(call, 1_600)

    assert one(TakeLeg, comes_back(call, 1_700)).entries == (CALLER,)


def test_a_drop_while_nobody_owes_anything_says_nothing() -> None:
    call, now_ms = conversed()
    drops(call, now_ms + 5_000)

    assert [type(c) for c in comes_back(call, now_ms + 5_300)] == [TakeLeg]
    assert of(CreateResponse, until(call, now_ms + 60_000)) == []


def test_an_answer_that_the_caller_interrupted_is_not_gone_on_with() -> None:
    call = talking()
    begins_to_answer(call, 100, "a1", "We are open", 2_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    drops(call, 600)

    assert [type(c) for c in comes_back(call, 900)] == [TakeLeg]


def test_the_agent_greets_once_however_often_its_sessions_change() -> None:
    call = talking("Greet.")
    play(call, 100, ResponseCreated("r1", "create-1"), AudioReceived("r1", "g", 1_600))
    play(call, 200, ResponseFinished("r1", "completed"))
    now_ms, commands = plays_out(call, 200), list[Command]()
    for n in range(20):
        now_ms += 3_000
        if n % 2:
            drops(call, now_ms)
            commands += comes_back(call, now_ms + 100)
        else:
            commands += stands_by(call, now_ms)
        play(call, now_ms + 200, CallerAudioBegan(0))

    assert [c.leg for c in of(TakeLeg, commands)] == list(range(2, 22))
    assert of(CreateResponse, commands) == []


def test_what_the_caller_says_during_a_drop_is_heard_from_its_first_byte() -> None:
    call = talking()
    play(call, 500, SpeechStarted("c1", 200, 500))
    drops(call, 600)
    taken = one(TakeLeg, comes_back(call, 900))

    assert (taken.heard_ms, taken.replay_ms) == (200, None)
    assert play(call, 1_000, SpeechStarted("n1", 200, 1_000)) == []
    assert [turn.cause for turn in call.timeline.turns] == ["caller"]


def test_speech_that_lasts_through_two_drops_is_still_handed_over() -> None:
    call = talking(give_up_ms=60_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    drops(call, 600)
    comes_back(call, 900)
    drops(call, 1_000)
    until(call, 900 + CARRIED_WAIT_MS + 500)

    taken = one(TakeLeg, comes_back(call, 900 + CARRIED_WAIT_MS + 600))
    assert (taken.heard_ms, taken.replay_ms) == (200, None)


# Keys and tools


def test_the_output_of_a_tool_goes_to_the_leg_that_was_told_of_its_call() -> None:
    call = running_tool()
    drops(call, 300)
    taken = one(TakeLeg, comes_back(call, 600))
    run = Entry("tool", "i1", call_id="t1", name="book", arguments='{"n": 2}')
    assert taken.entries == (run,)

    output, asked = play(call, 900, ToolFinished("t1", "booked"))
    assert output == SendToolOutput("output-t1", "t1", "booked")
    assert asked == CreateResponse("create-1")


def test_keys_and_outputs_of_a_gap_are_told_to_the_next_leg_and_answered_once() -> None:
    call = running_tool()
    drops(call, 300)
    assert play(call, 400, ToolFinished("t1", "booked"), KeyPressed("7")) == []
    assert until(call, 1_900) == []

    taken, asked = comes_back(call, 2_000)
    assert isinstance(taken, TakeLeg)
    tool, keys = taken.entries
    assert (tool.call_id, tool.output) == ("t1", "booked")
    assert (keys.kind, keys.text) == ("keys", "The caller pressed these keys: 7")
    assert asked == CreateResponse("create-1")
    assert of(AddUserText, until(call, 6_000)) == []


def test_keys_that_are_still_being_pressed_are_told_by_themselves() -> None:
    call = talking()
    play(call, 100, KeyPressed("4"))
    drops(call, 200)
    assert one(TakeLeg, comes_back(call, 500)).entries == ()

    told, asked = until(call, 1_600)
    assert isinstance(told, AddUserText)
    assert isinstance(asked, CreateResponse)


def test_a_tool_that_runs_longer_than_the_history_reaches_is_told_all_the_same() -> None:
    call = running_tool()
    call.handover.settings = replace(call.settings.relay, most_entries=2)
    now_ms = 1_000
    for n in range(4):
        caller_says(call, now_ms, f"c{n}")
        now_ms = answers(call, now_ms, f"a{n}") + 1_000
    drops(call, now_ms)

    told = one(TakeLeg, comes_back(call, now_ms)).entries
    assert [e.item_id for e in told] == ["i1", "c3", "a3"]


# What the new leg believes of what the old one said


def forced(*lines: tuple[str, str, int]) -> Call:
    """Leg 2 took over at 3 s while these items of leg 1 play: id, text, length in ms."""
    call = talking()
    play(call, 2_900, ResponseCreated("r1"))
    for item_id, text, ms in lines:
        play(
            call,
            2_900,
            ItemAdded("r1", item_id, "message"),
            TextReceived("r1", item_id, text),
            AudioReceived("r1", item_id, ms * 8),
        )
    play(call, 2_950, ResponseFinished("r1", "completed"))
    drops(call, 2_960)
    assert one(TakeLeg, comes_back(call, 3_000)).entries == tuple(
        Entry("agent", item_id, text) for item_id, text, _ in lines
    )
    return call


def interrupted(call: Call, now_ms: int, heard_ms: int) -> list[Command]:
    """The carrier has played `heard_ms` when the caller cuts in."""
    until(call, now_ms)
    start_ms = now_ms - heard_ms
    play(call, now_ms, MarkEchoed("s0.0", start_ms - 20, start_ms))
    assert of(SendClear, play(call, now_ms, SpeechStarted("c1", now_ms, now_ms)))
    return play(call, now_ms + 10, MarkEchoed("f0", now_ms, now_ms + 20))


def test_an_interruption_after_the_switch_corrects_what_the_new_leg_was_told() -> None:
    call = forced(("a0", "Yes.", 200), ("a1", "one two three four five six", 2_000))
    commands = interrupted(call, 4_220, 1_200)

    assert not [c for c in commands if isinstance(c, TruncateItem | DeleteItem)]
    rewrite = one(RewriteItem, commands)
    assert (rewrite.item_id, rewrite.speaker) == ("a1", "agent")
    assert rewrite.text == str(call.transcript.lines[1]) == "one two three [interrupted]"
    assert rewrite.new_id not in ("a0", "a1")


def test_what_was_told_and_never_heard_is_taken_back() -> None:
    call = forced(("a0", "Good day to you.", 1_000), ("a1", "Never heard.", 1_000))
    first, second = of(RewriteItem, interrupted(call, 3_400, 500))

    assert first.item_id == "a0"
    assert first.text.endswith("[interrupted]")
    assert (second.item_id, second.text) == ("a1", "")


def test_an_item_of_the_present_leg_is_cut_as_ever() -> None:
    call = forced(("a0", "Yes.", 200))
    now_ms = plays_out(call, 3_000)
    begins_to_answer(call, now_ms, "b1", "one two", 2_000)
    play(call, now_ms, SpeechStarted("c1", now_ms, now_ms))
    commands = play(call, now_ms + 510, DeadlineReached())

    assert of(RewriteItem, commands) == []
    assert [c.item_id for c in commands if isinstance(c, TruncateItem | DeleteItem)] == ["b1"]


def test_an_interruption_while_no_leg_is_there_is_told_to_the_next_one() -> None:
    call = talking()
    begins_to_answer(call, 100, "a1", "one two three four", 2_000)
    until(call, 1_000)
    play(call, 1_100, SpeechStarted("c1", 1_000, 1_100))
    drops(call, 1_150)
    play(call, 1_160, MarkEchoed("s0.0", 80, 100))
    assert play(call, 1_200, MarkEchoed("f0", 1_100, 1_120)) == []

    told = one(TakeLeg, comes_back(call, 1_500)).entries
    assert told == (Entry("agent", "a1", "one two three [interrupted]"),)
