"""Invariant: the answer follows from the conversation alone, whatever was cut, lost or misheard."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.ports import AsideBrain, CallFunction, Output, Say, Turn
from app.lab.speech.dialog import ScriptedBrain
from app.lab.speech.faults import DialogError
from app.lab.speech.script import load_dialog, parse_dialog

DIALOG = load_dialog()
GREETED = [Turn("assistant", DIALOG.greeting)]
OUTPUT = {"confirmation_code": "4071", "time": "19:00", "party_size": 4}


def user(text: str) -> Turn:
    return Turn("user", text)


def misheard() -> Turn:
    return Turn("user", "", understood=False)


def called(name: str, **arguments: object) -> Turn:
    return Turn("function_call", json.dumps(arguments), name)


def gave(output: object) -> Turn:
    return Turn("function_call_output", json.dumps(output))


def reply(*turns: Turn, instructions: str = "") -> list[Output]:
    return list(ScriptedBrain(DIALOG).reply(turns, instructions))


def spoken(outputs: list[Output]) -> str:
    return " ".join(output.text for output in outputs if isinstance(output, Say))


BOOKING = [
    Say("One moment, I check that."),
    CallFunction("book_table", {"party_size": 4, "time": "19:00"}),
]
BOOKED_TURNS = [
    *GREETED,
    user("a table for four at seven this evening"),
    Turn("assistant", "One moment, I check that."),
    called("book_table", party_size=4, time="19:00"),
]


def test_it_greets_when_the_conversation_is_empty() -> None:
    assert reply() == [Say(DIALOG.greeting)]


def test_it_says_exactly_what_it_is_told_to() -> None:
    told = 'Greet the caller now. Say exactly these words and nothing else: "Good day, "Ada" here."'
    assert reply(instructions=told) == [Say('Good day, "Ada" here.')]
    assert reply(*GREETED, user("goodbye"), instructions=told) == [Say('Good day, "Ada" here.')]


def test_it_greets_first_when_it_is_asked_to_greet_and_the_caller_was_faster() -> None:
    answer = reply(user("are you open on sunday"), instructions="Greet the caller warmly.")
    assert answer[0] == Say(DIALOG.greeting)
    assert "On Sunday" in spoken(answer[1:])
    assert reply(misheard(), instructions="Greet the caller.") == [Say(DIALOG.greeting)]


def test_instructions_to_greet_do_not_greet_twice() -> None:
    answer = reply(*GREETED, user("are you open on sunday"), instructions="Greet the caller.")
    assert "On Sunday" in spoken(answer)
    assert DIALOG.greeting not in spoken(answer)


def test_opening_hours_are_told_at_length_so_that_one_can_interrupt() -> None:
    (answer,) = reply(*GREETED, user("what are your opening hours"))
    assert isinstance(answer, Say)
    assert "from noon to ten" in answer.text
    assert 30 <= len(answer.text.split()) <= 60


def test_a_booking_in_one_sentence_is_a_preamble_and_a_call_with_typed_arguments() -> None:
    assert reply(*GREETED, user("a table for four at seven this evening")) == BOOKING


def test_a_booking_is_asked_for_piece_by_piece() -> None:
    turns = [*GREETED, user("sorry can i book a table")]
    assert spoken(reply(*turns)) == "Gladly. For how many people, and at what time?"
    turns += [Turn("assistant", ""), user("four people")]
    assert spoken(reply(*turns)) == "At what time would you like to come?"
    turns += [Turn("assistant", ""), user("at seven")]
    assert reply(*turns) == BOOKING


def test_pieces_may_come_in_any_order_and_be_corrected() -> None:
    turns = [*GREETED, user("i want to book a table at eight")]
    assert spoken(reply(*turns)) == "For how many people?"
    turns += [Turn("assistant", ""), user("at seven"), Turn("assistant", ""), user("for four")]
    assert reply(*turns) == BOOKING


def test_the_confirmation_says_what_the_tool_answered() -> None:
    answer = reply(*BOOKED_TURNS, gave(OUTPUT))
    assert spoken(answer) == (
        "Your table for 4 at seven is booked. Your confirmation code is 4, 0, 7, 1. "
        "Is there anything else?"
    )


@pytest.mark.parametrize(
    "output", ["Tables are given from noon to 9 pm.", {"error": "full"}, None, [], {"time": "7"}]
)
def test_a_tool_that_failed_is_not_called_a_booking(output: object) -> None:
    answer = reply(*BOOKED_TURNS, gave(output))
    assert spoken(answer) == "I am sorry, that did not work. What other time would you like?"


def test_after_a_failure_another_time_is_enough() -> None:
    turns = [*BOOKED_TURNS, gave({"error": "full"}), Turn("assistant", "I am sorry.")]
    assert reply(*turns, user("at eight")) == [
        Say("One moment, I check that."),
        CallFunction("book_table", {"party_size": 4, "time": "20:00"}),
    ]


def test_after_a_booking_the_next_one_begins_anew() -> None:
    turns = [*BOOKED_TURNS, gave(OUTPUT), Turn("assistant", "It is booked.")]
    assert "For how many people" in spoken(reply(*turns, user("can i book a table")))


def test_an_output_that_is_no_json_is_a_failure() -> None:
    assert "did not work" in spoken(reply(*BOOKED_TURNS, Turn("function_call_output", "{oops")))


def test_an_output_without_a_call_is_passed_over() -> None:
    assert reply(*GREETED, gave(OUTPUT)) == []


def test_an_output_and_a_word_of_the_caller_are_both_answered() -> None:
    answer = spoken(reply(*BOOKED_TURNS, gave(OUTPUT), user("are you open on monday")))
    assert answer.index("confirmation code") < answer.index("On Monday")


def test_goodbye_is_a_farewell_and_then_the_call_to_hang_up() -> None:
    assert reply(*GREETED, user("thank you goodbye")) == [
        Say("Thank you for calling. Goodbye."),
        CallFunction("hang_up"),
    ]
    assert reply(*GREETED, user("goodbye"), called("hang_up"), gave({"ok": True})) == []


def test_without_tools_nothing_is_called_and_the_caller_is_told() -> None:
    brain = ScriptedBrain(DIALOG)
    brain.offer([])
    booking = [*GREETED, user("a table for four at seven this evening")]
    assert brain.reply(booking, "") == [Say("I am sorry, I cannot book a table on this line.")]
    assert brain.reply([*GREETED, user("goodbye")], "") == [Say("Thank you for calling. Goodbye.")]
    brain.offer(None)
    assert brain.reply(booking, "") == BOOKING


def test_who_is_not_understood_is_asked_again_in_other_words() -> None:
    open_lines = DIALOG.states["open"].not_understood
    turns = [*GREETED, misheard()]
    assert reply(*turns) == [Say(open_lines[0])]
    turns += [Turn("assistant", open_lines[0]), user("the weather is lovely")]
    assert reply(*turns) == [Say(open_lines[1])]
    turns += [Turn("assistant", open_lines[1]), misheard()]
    assert reply(*turns) == [Say(open_lines[1])]
    turns += [Turn("assistant", ""), user("are you open today"), Turn("assistant", ""), misheard()]
    assert reply(*turns) == [Say(open_lines[0])]


def test_not_understood_within_a_booking_asks_for_the_booking() -> None:
    turns = [*GREETED, user("can i book a table"), Turn("assistant", ""), misheard()]
    assert reply(*turns) == [Say(DIALOG.states["booking"].not_understood[0])]


def test_silence_is_asked_whether_somebody_is_there() -> None:
    assert reply(*GREETED, user("")) == [Say(DIALOG.silence)]
    assert reply(*GREETED) == [Say(DIALOG.silence)]


def test_an_answer_that_was_deleted_unheard_leaves_the_last_word_to_answer() -> None:
    turns = [*GREETED, user("what are your opening hours"), user("can i book a table")]
    assert spoken(reply(*turns)) == "Gladly. For how many people, and at what time?"


def test_a_typed_sentence_may_hold_more_than_the_phrase() -> None:
    said = "Good evening! What are your opening hours, please?"
    assert "from noon to ten" in spoken(reply(*GREETED, user(said)))
    assert reply(*GREETED, user("there is no spider in the kitchen at all")) == [
        Say(DIALOG.states["open"].not_understood[0])
    ]


def test_the_hints_follow_the_state_and_hold_what_they_promise() -> None:
    brain = ScriptedBrain(DIALOG)
    assert tuple(brain.hints()) == DIALOG.hints("open")
    brain.reply([*GREETED, user("can i book a table")], "")
    assert tuple(brain.hints()) == DIALOG.hints("booking")


def test_a_new_session_seeded_with_the_turns_goes_on_where_the_old_one_stopped() -> None:
    old = [*GREETED, user("can i book a table for four"), Turn("assistant", "At what time?")]
    seeded = [Turn("system", "The caller wants a table."), *old]
    assert reply(*seeded, user("at seven")) == BOOKING


def test_an_aside_is_a_summary_and_moves_nothing() -> None:
    brain = ScriptedBrain(DIALOG)
    assert isinstance(brain, AsideBrain)
    hints = brain.hints()
    turns = [*BOOKED_TURNS, gave(OUTPUT), misheard()]
    (summary,) = brain.aside(turns, "Summarise.")
    assert isinstance(summary, Say)
    assert "a table for four at seven this evening" in summary.text
    assert "4071" in summary.text
    assert brain.hints() == hints


HOURS = reply(*GREETED, user("what are your opening hours"))
IN_PROGRESS = "You help callers.\nThe call is in progress. Do not greet the caller again."
GO_ON = "You were cut off in the middle of your answer. Continue from there, without greeting."
LINE_BROKE = (
    'The line broke. Say so, such as "Sorry, we were cut off.", and then go on: answer what the '
    "caller said last, else finish what you were saying. Do not greet the caller again."
)


def test_an_aside_keeps_what_an_earlier_summary_held() -> None:
    told = json.dumps({"facts": ["My name is Ada."], "who": "Ada, who wants a table"})
    (summary,) = ScriptedBrain(DIALOG).aside(BOOKED_TURNS, f"Summarise. So far:\n{told}")
    assert isinstance(summary, Say)
    written = json.loads(summary.text)
    assert written["facts"] == ["My name is Ada.", "a table for four at seven this evening"]
    assert written["who"] == "Ada, who wants a table"
    assert written["open"] == ["the result of book_table is awaited"]


def test_an_aside_can_be_asked_for_exact_words() -> None:
    told = 'Say exactly these words and nothing else: "One moment please."'
    assert ScriptedBrain(DIALOG).aside(GREETED, told) == [Say("One moment please.")]


@pytest.mark.parametrize(
    "turns", [(), (Turn("system", '{"facts": ["Ada"]}'),), (Turn("system", IN_PROGRESS),)]
)
def test_a_call_in_progress_is_not_greeted(turns: tuple[Turn, ...]) -> None:
    told = "" if turns else IN_PROGRESS
    assert reply(*turns, instructions=told) == [Say(DIALOG.silence)]
    assert reply(*turns, user("what are your opening hours"), instructions=told) == HOURS
    assert "catch that" in spoken(reply(*turns, misheard(), instructions=told))


@pytest.mark.parametrize("heard", ["", "We are open every day [interrupted]", "[interrupted]"])
def test_an_answer_that_was_cut_is_finished(heard: str) -> None:
    turns = [*GREETED, user("what are your opening hours"), Turn("assistant", heard)]
    assert reply(*turns, instructions=GO_ON) == HOURS
    answer = spoken(HOURS)
    later = answer.index("On Friday")
    turns[-1] = Turn("assistant", f"{answer[: later + 12]} [interrupted]")
    assert spoken(reply(*turns, instructions=GO_ON)) == answer[later:]
    turns.append(Turn("assistant", f"{answer[later : later + 20]} [interrupted]"))
    assert spoken(reply(*turns, instructions=GO_ON)) == answer[later:]


def test_a_greeting_that_was_cut_goes_on_without_greeting() -> None:
    turns = [Turn("assistant", "Hello, this is [interrupted]")]
    assert reply(*turns, instructions=GO_ON) == [Say("How can I help you?")]


def test_who_was_not_answered_is_answered_when_the_model_is_to_go_on() -> None:
    assert reply(*GREETED, user("what are your opening hours"), instructions=GO_ON) == HOURS


def test_a_function_is_not_called_again_when_the_answer_goes_on() -> None:
    assert reply(*BOOKED_TURNS, instructions=GO_ON) == [Say("One moment, I check that.")]


def test_the_line_is_excused_in_one_phrase_before_going_on() -> None:
    excuse = Say("Sorry, we were cut off.")
    asked = [*GREETED, user("what are your opening hours")]
    assert reply(*asked, instructions=LINE_BROKE) == [excuse, *HOURS]
    cut = [*asked, Turn("assistant", "We are open [interrupted]")]
    assert reply(*cut, instructions=LINE_BROKE) == [excuse, *HOURS]
    assert reply(*GREETED, instructions=LINE_BROKE) == [excuse, Say("How can I help you?")]
    assert reply(instructions=LINE_BROKE) == [excuse]


def test_instructions_to_go_on_do_not_repeat_an_answer_that_was_whole() -> None:
    told = f"{IN_PROGRESS} Go on where it stands."
    assert reply(*GREETED, instructions=told) == [Say(DIALOG.silence)]


@pytest.mark.parametrize("as_system_text", [True, False])
def test_a_form_that_is_open_goes_on_from_a_summary_alone(as_system_text: bool) -> None:
    turns = [*GREETED, user("can i book a table for four"), Turn("assistant", "At what time?")]
    (summary,) = ScriptedBrain(DIALOG).aside(turns, "Summarise.")
    assert isinstance(summary, Say)
    told = f"{IN_PROGRESS}\n{summary.text}"
    if as_system_text:
        assert reply(Turn("system", told), user("at seven")) == BOOKING
    else:
        assert reply(user("at seven"), instructions=told) == BOOKING
    again = ScriptedBrain(DIALOG).aside([], told)
    assert reply(user("at seven"), instructions=spoken(list(again))) == BOOKING


def test_a_form_that_was_completed_does_not_come_back_from_a_summary() -> None:
    turns = [*BOOKED_TURNS, gave(OUTPUT), Turn("assistant", "It is booked.")]
    told = spoken(list(ScriptedBrain(DIALOG).aside(turns, "Summarise.")))
    assert "For how many people" in spoken(reply(user("can i book a table"), instructions=told))


def test_a_foreign_summary_that_names_no_form_of_this_dialog_is_harmless() -> None:
    opened = ["tea is not complete yet: x=1", "booking is not complete yet: party=900, y=z", 7]
    told = json.dumps({"open": opened})
    assert "how many people" in spoken(reply(user("at seven"), instructions=told))


TURNS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    user(text)
                    for text in ("yes", "no", "goodbye", "can i book a table", "at seven")
                ),
                *(user(text) for text in ("for four", "wait", "what are your opening hours", "")),
                misheard(),
                Turn("assistant", ""),
                Turn("assistant", DIALOG.greeting),
                Turn("system", "Be kind."),
                called("book_table", party_size=4, time="19:00"),
                called("hang_up"),
                gave(OUTPUT),
                gave("no"),
            ]
        ),
        st.text(max_size=30).map(user),
    ),
    max_size=12,
)


@given(TURNS)
def test_any_conversation_gets_the_same_answer_each_time_it_is_read(turns: list[Turn]) -> None:
    brain = ScriptedBrain(DIALOG)
    first = brain.reply(turns, "")
    brain.reply([*GREETED, user("can i book a table")], "")
    assert brain.reply(turns, "") == first
    assert all(not isinstance(output, Say) or output.text for output in first)


CHAIN = """
start = "open"
greeting = "Hello."
silence = "Yes?"
[states.open]
not_understood = ["Pardon?"]
[slots.number]
one = "1"
[slots.day]
friday = "next:friday"
tomorrow = "next:day"
[[rules]]
name = "begin"
said = ["begin"]
call = "type"
[[rules]]
name = "come"
said = ["[on] <day>"]
form = "come"
[forms.look]
state = "open"
needs = ["number"]
say = ["I look."]
call = "look_up"
arguments = { n = "number" }
[[forms.look.ask]]
missing = ["number"]
say = "Which number?"
[forms.come]
state = "open"
needs = ["day"]
call = "look_up"
arguments = { day = "day" }
[[forms.come.ask]]
missing = ["day"]
say = "When?"
[[results]]
function = "type"
has = ["digits"]
say = ["Thanks."]
keep = { number = "digits" }
form = "look"
[[results]]
function = "type"
has = []
say = ["No number."]
[[results]]
function = "look_up"
has = []
say = ["Done."]
"""


def typed(output: str) -> list[Turn]:
    return [
        Turn("assistant", "Hello."),
        Turn("user", "begin"),
        Turn("function_call", "{}", "type"),
        Turn("function_call_output", output),
    ]


def test_what_a_function_gave_fills_the_form_that_goes_on() -> None:
    brain = ScriptedBrain(parse_dialog(CHAIN, "chain.toml"))
    look = CallFunction("look_up", {"n": "42"})
    assert brain.reply(typed('{"digits": "42"}'), "") == [Say("Thanks."), Say("I look."), look]
    assert brain.reply(typed("{}"), "") == [Say("No number.")]


@pytest.mark.parametrize(("said", "day"), [("on friday", "2026-11-27"), ("tomorrow", "2026-11-21")])
def test_a_day_is_the_next_one_that_is_not_today(said: str, day: str) -> None:
    friday = date(2026, 11, 20)
    brain = ScriptedBrain(parse_dialog(CHAIN, "chain.toml"), lambda: friday)
    asked = [Turn("assistant", "Hello."), Turn("user", said)]
    assert brain.reply(asked, "") == [CallFunction("look_up", {"day": day})]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('form = "look"', 'form = "lok"', "no form 'lok'"),
        ('{ number = "digits" }', '{ nmber = "digits" }', "no slot 'nmber'"),
        ('{ number = "digits" }', '{ number = "other" }', "no field 'other'"),
    ],
)
def test_what_a_result_goes_on_with_must_be_there(old: str, new: str, told: str) -> None:
    with pytest.raises(DialogError, match=told):
        parse_dialog(CHAIN.replace(old, new), "chain.toml")
