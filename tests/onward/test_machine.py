"""Whatever happens to a call that no model carries, it comes to an end, rings nobody who is not in
the agent's file, and one that fell comes back to a model only if the caller wants it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.onward.choosing import chosen, offered
from app.onward.happenings import (
    Apologise,
    AskMenu,
    BackToAgent,
    Chose,
    DialEnd,
    Dialled,
    Fell,
    HangUp,
    Happening,
    NotAllowed,
    NotPlaced,
    PutThrough,
    Recorded,
    Referred,
    Step,
    TakeMessage,
    Text,
    Wanted,
)
from app.onward.journey import MOST_STEPS, Journey, Stop
from app.onward.machine import GOODBYE, NO_MESSAGE, NOT_UNDERSTOOD, TEXT_SENT, after
from app.onward.ways import How, MenuOption, MenuWays, Rung, VoicemailWays, Way, Ways

START = Journey("house")
REST = VoicemailWays("After the tone.", 60, "Thanks.")
DESK = Way("desk", otherwise="chef")
CHEF = Way("chef", how="warm", otherwise="voicemail")
PBX = Way("pbx", how="refer")
BACK = Way("back")
OPTIONS = (
    MenuOption("1", "the desk", ("the desk",), "transfer", "back"),
    MenuOption("2", "hours", ("hours",), "say", "We open at nine."),
    MenuOption("3", "a message", ("message",), "voicemail"),
    MenuOption("4", "a text", ("text",), "sms"),
    MenuOption("5", "the assistant", ("assistant",), "agent"),
    MenuOption("6", "the end", ("goodbye",), "hang_up"),
)
WAYS = Ways(
    transfers={way.key: way for way in (DESK, CHEF, PBX, BACK)},
    rungs=("menu", "person", "voicemail", "sms"),
    sorry="Sorry.",
    person="back",
    menu=MenuWays("The menu.", OPTIONS, wait_s=4, tries=2),
    voicemail=REST,
    text="Hello again.",
)
AT_MENU = Journey("house", stop=Stop.MENU)
FELL_AT_MENU = replace(AT_MENU, fell=True, rung=1)
DIAL_ENDS: tuple[DialEnd, ...] = ("busy", "no_answer", "declined", "failed")


def at(key: str, *, fell: bool = False) -> Journey:
    return Journey("house", stop=Stop.TRANSFER, to=key, fell=fell)


# People


@pytest.mark.parametrize(
    ("key", "stop"), [("back", Stop.TRANSFER), ("chef", Stop.HELD), ("pbx", Stop.REFER)]
)
def test_an_agent_puts_through_as_the_transfer_says(key: str, stop: Stop) -> None:
    step = after(WAYS, START, Wanted("transfer", key))
    assert isinstance(step, PutThrough)
    assert (step.journey.stop, step.journey.to, step.way.key) == (stop, key, key)


def test_a_name_that_there_is_not_brings_the_caller_back() -> None:
    step = after(WAYS, START, Wanted("transfer", "nobody"))
    assert isinstance(step, BackToAgent)
    assert step.status == "failed"


@pytest.mark.parametrize("happening", [Dialled("talked"), Referred(accepted=True)])
def test_who_has_talked_is_done(happening: Happening) -> None:
    for journey in (at("back"), at("desk"), at("back", fell=True)):
        assert isinstance(after(WAYS, journey, happening), HangUp)


@pytest.mark.parametrize(
    ("happening", "status"),
    [
        *((Dialled(end), end) for end in DIAL_ENDS),
        (NotAllowed("country", "Not there."), "refused"),
        (NotPlaced(), "failed"),
        (Referred(accepted=False), "failed"),
    ],
)
def test_nobody_who_takes_it_brings_the_caller_back_with_the_reason(
    happening: Happening, status: str
) -> None:
    step = after(WAYS, at("back"), happening)
    assert isinstance(step, BackToAgent)
    assert (step.status, step.journey.to) == (status, "back")


def test_otherwise_names_who_is_rung_next_and_then_the_voicemail() -> None:
    step = after(WAYS, at("desk"), Dialled("busy"))
    assert isinstance(step, PutThrough)
    assert step.way is CHEF
    step = after(WAYS, step.journey, Dialled("no_answer"))
    assert isinstance(step, TakeMessage)
    assert (step.max_s, step.words) == (60, "After the tone.")


def test_otherwise_a_voicemail_that_is_no_more_is_left_out() -> None:
    ways = replace(WAYS, voicemail=None)
    assert isinstance(after(ways, at("chef"), Dialled("busy")), BackToAgent)


def test_a_call_that_fell_goes_to_the_next_rung_when_nobody_takes_it() -> None:
    journey = replace(at("back", fell=True), rung=2)
    step = after(WAYS, journey, Dialled("busy"))
    assert isinstance(step, TakeMessage)
    assert step.journey.rung == 3


def test_what_was_not_said_with_a_step_that_could_not_be_taken_is_said_with_the_next() -> None:
    ways = replace(WAYS, rungs=("person", "voicemail"))
    first = after(ways, START, Fell())
    assert isinstance(first, PutThrough)
    for happening in (NotAllowed("country", "", first.words), NotPlaced(first.words)):
        step = after(ways, first.journey, happening)
        assert isinstance(step, TakeMessage)
        assert step.words == "Sorry. After the tone."


# The ladder


def test_the_ladder_is_gone_down_in_its_order_with_the_words_said_once() -> None:
    step: Step = after(WAYS, START, Fell())
    assert isinstance(step, AskMenu)
    assert step.words == "Sorry. The menu."
    step = after(WAYS, step.journey, Chose())
    assert isinstance(step, AskMenu)
    assert step.words == "", "only the choices are read again"
    step = after(WAYS, step.journey, Chose())
    assert isinstance(step, PutThrough)
    assert (step.way, step.words) == (BACK, "")
    step = after(WAYS, step.journey, Dialled("busy"))
    assert isinstance(step, TakeMessage)
    step = after(WAYS, step.journey, Recorded(0))
    assert isinstance(step, Text)
    assert step.words == TEXT_SENT
    assert isinstance(after(WAYS, step.journey, Fell()), Apologise)


@pytest.mark.parametrize(
    ("rungs", "kind"),
    [
        (("person", "menu"), PutThrough),
        (("voicemail",), TakeMessage),
        (("sms",), Text),
        ((), Apologise),
    ],
)
def test_the_operators_order_counts(rungs: tuple[Rung, ...], kind: type) -> None:
    ways = replace(WAYS, rungs=rungs)
    assert isinstance(after(ways, START, Fell()), kind)


def test_what_is_not_configured_is_left_out() -> None:
    bare = Ways(rungs=("menu", "person", "voicemail", "sms"))
    assert isinstance(after(bare, START, Fell()), Apologise)
    assert isinstance(after(replace(bare, voicemail=REST), START, Fell()), AskMenu)


# The menu


@pytest.mark.parametrize("journey", [AT_MENU, FELL_AT_MENU])
def test_every_choice_does_what_it_says(journey: Journey) -> None:
    def choose(key: str) -> Step:
        return after(WAYS, journey, Chose(key))

    put, said, message, text, agent, end = (choose(str(n)) for n in range(1, 7))
    assert isinstance(put, PutThrough)
    assert put.way is BACK
    assert isinstance(said, AskMenu)
    assert said.words == "We open at nine."
    assert isinstance(message, TakeMessage)
    assert isinstance(text, Text)
    assert text.text == "Hello again."
    assert isinstance(agent, BackToAgent)
    assert (agent.status, agent.journey.fell) == ("came_back", False)
    assert isinstance(end, HangUp)
    assert end.words == GOODBYE


def test_a_word_is_as_good_as_a_key() -> None:
    assert isinstance(after(WAYS, AT_MENU, Chose(words="The assistant, please.")), BackToAgent)


def test_who_is_not_understood_is_told_so_and_asked_again() -> None:
    for chose in (Chose("9"), Chose(words="what?")):
        step = after(WAYS, AT_MENU, chose)
        assert isinstance(step, AskMenu)
        assert (step.words, step.journey.tries) == (NOT_UNDERSTOOD, 1)


def test_an_agents_caller_who_chooses_nothing_comes_back_to_it() -> None:
    step = after(WAYS, replace(AT_MENU, tries=1), Chose())
    assert isinstance(step, BackToAgent)
    assert step.status == "no_choice"


def test_a_text_message_that_there_is_not_is_none() -> None:
    ways = replace(WAYS, text="")
    step = after(ways, AT_MENU, Chose("4"))
    assert isinstance(step, BackToAgent)
    assert isinstance(after(ways, FELL_AT_MENU, Chose("4")), PutThrough), "the next rung"


def test_a_menu_forgets_whom_the_caller_was_rung_for_before() -> None:
    ways = replace(WAYS, rungs=("person", "menu"), person="chef", text="")
    ways = replace(ways, transfers={**ways.transfers, "chef": Way("chef")})
    step = after(ways, at("chef", fell=True), Dialled("busy"))
    assert isinstance(step, PutThrough)
    menu = after(ways, replace(step.journey, rung=1), Dialled("busy"))
    assert isinstance(menu, AskMenu)
    assert menu.journey.to == ""


# A message


def test_a_message_ends_the_call_and_none_at_all_goes_on() -> None:
    journey = Journey("house", stop=Stop.VOICEMAIL)
    step = after(WAYS, journey, Recorded(3))
    assert isinstance(step, HangUp)
    assert step.words == "Thanks."
    step = after(WAYS, journey, Recorded(0))
    assert isinstance(step, HangUp)
    assert step.words == NO_MESSAGE
    step = after(WAYS, replace(journey, fell=True, rung=3), Recorded(0))
    assert isinstance(step, Text)


def test_an_agent_that_wants_what_there_is_not_gets_its_caller_back() -> None:
    for what in ("voicemail", "menu"):
        step = after(Ways(), START, Wanted(what))
        assert isinstance(step, BackToAgent)


# Any journey


@pytest.mark.parametrize(
    ("journey", "happening"),
    [(AT_MENU, Chose("2")), (at("round"), Dialled("busy")), (at("round"), NotAllowed("r", ""))],
)
def test_what_would_go_round_for_ever_ends_with_an_apology(
    journey: Journey, happening: Happening
) -> None:
    ways = replace(WAYS, transfers={"round": Way("round", otherwise="round")})
    for _ in range(MOST_STEPS):
        step = after(ways, journey, happening)
        assert isinstance(step, AskMenu | PutThrough)
        journey = step.journey
    assert isinstance(after(ways, journey, happening), Apologise)


KEYS = ("a", "b", "c")
HAPPENINGS: st.SearchStrategy[Happening] = st.one_of(
    st.builds(Wanted, st.sampled_from(["transfer", "menu", "voicemail"]), st.sampled_from(KEYS)),
    st.just(Fell()),
    st.just(NotAllowed("rule", "reason")),
    st.just(NotPlaced("Sorry.")),
    st.builds(Dialled, st.sampled_from(["talked", *DIAL_ENDS])),
    st.builds(Referred, st.booleans()),
    st.builds(
        Chose, st.sampled_from(["", "1", "2", "7", "*"]), st.sampled_from(["", "a", "again"])
    ),
    st.builds(Recorded, st.integers(0, 3)),
)


@st.composite
def some_ways(draw: st.DrawFn) -> Ways:
    hows: st.SearchStrategy[How] = st.sampled_from(["cold", "warm", "refer"])
    ends = st.sampled_from(["back", "voicemail", *KEYS])
    keys = draw(st.sets(st.sampled_from(KEYS)))
    does = st.sampled_from(["transfer", "say", "voicemail", "sms", "agent", "hang_up"])
    option = st.builds(
        MenuOption,
        st.sampled_from("123*"),
        st.just("it"),
        st.just(("a",)),
        does,
        st.sampled_from(KEYS),
    )
    every: tuple[Rung, ...] = ("menu", "person", "voicemail", "sms")
    return Ways(
        transfers={key: Way(key, how=draw(hows), otherwise=draw(ends)) for key in keys},
        rungs=tuple(draw(st.permutations(every)))[: draw(st.integers(0, 4))],
        person=draw(st.sampled_from(["", *KEYS])),
        menu=MenuWays(options=tuple(draw(st.lists(option, max_size=3))), tries=2),
        voicemail=draw(st.sampled_from([None, REST])),
        text=draw(st.sampled_from(["", "Hello."])),
    )


@given(
    some_ways(),
    st.lists(HAPPENINGS, min_size=MOST_STEPS + 1, max_size=MOST_STEPS + 1),
    st.sampled_from(list(Stop)),
    st.booleans(),
    st.sampled_from(["", *KEYS]),
)
def test_every_journey_ends_and_leads_only_where_the_file_says(
    ways: Ways, happenings: list[Happening], stop: Stop, fell: bool, to: str
) -> None:
    journey = Journey("house", stop=stop, fell=fell, to=to)
    for happening in happenings:
        step = after(ways, journey, happening)
        assert step.journey.steps == journey.steps + 1
        if isinstance(step, PutThrough):
            assert ways.transfers[step.journey.to] is step.way
        if isinstance(step, Text):
            assert step.text
        if isinstance(step, BackToAgent) and journey.fell:
            assert isinstance(happening, Chose)
            option = chosen(offered(ways), happening.key, happening.words)
            assert option is not None
            assert option.does == "agent"
        if isinstance(step, HangUp | Apologise | BackToAgent):
            return
        journey = step.journey
    raise AssertionError("it goes on and on")


def test_a_transfer_may_bring_the_caller_back_when_they_have_talked() -> None:
    ways = Ways(transfers={"ivr": Way("ivr", then="back"), "desk": Way("desk")})
    at = START.at(Stop.TRANSFER, to="ivr")
    back = after(ways, at, Dialled("talked"))
    assert isinstance(back, BackToAgent)
    assert back.status == "talked"
    assert isinstance(after(ways, replace(at, to="desk"), Dialled("talked")), HangUp)
    assert isinstance(after(ways, replace(at, fell=True), Dialled("talked")), HangUp), "no model"
