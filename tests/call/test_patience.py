"""A silent caller is asked, asked again and given up, each after a whole silence of its own; nobody
who speaks, holds or is spoken to is ever asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.patience import NOTHING, Lapse, Patience, PatienceSettings

SETTINGS = PatienceSettings(prompts=("ask", "ask again"), after_ms=8_000, hold_ms=180_000)
LIMITED = PatienceSettings(max_call_ms=600_000, warn_before_ms=60_000, after_ms=0)


def quiet_since(at_ms: int, settings: PatienceSettings = SETTINGS) -> Patience:
    patience = Patience(settings)
    patience.idle(at_ms, quiet=True)
    return patience


def speaks(patience: Patience, from_ms: int, to_ms: int) -> None:
    """The agent does, from one time to the other."""
    patience.idle(from_ms, quiet=False)
    patience.idle(to_ms, quiet=True)


def lapses(patience: Patience, *, until_ms: int, speech_ms: int = 2_000) -> list[tuple[int, str]]:
    """What happens on a line on which only the agent speaks, `speech_ms` each time."""
    found: list[tuple[int, str]] = []
    while (due_ms := patience.due_ms) is not None and due_ms <= until_ms:
        found.append((due_ms, patience.expire(due_ms).kind))
        speaks(patience, due_ms, due_ms + speech_ms)
    return found


def test_each_prompt_follows_a_whole_silence_after_the_one_before_was_played() -> None:
    assert lapses(quiet_since(1_000), until_ms=999_999) == [
        (9_000, "prompt"),
        (19_000, "prompt"),
        (29_000, "give_up"),
    ]


def test_the_prompts_come_in_their_order() -> None:
    patience = quiet_since(0)

    assert patience.expire(7_999) == NOTHING
    assert patience.expire(8_000) == Lapse("prompt", "ask", 1)
    assert patience.expire(16_000) == Lapse("prompt", "ask again", 2)
    assert patience.expire(24_000) == Lapse("give_up", SETTINGS.give_up)


def test_telling_of_a_quiet_line_again_does_not_put_the_prompt_off() -> None:
    patience = quiet_since(0)
    patience.idle(5_000, quiet=True)

    assert patience.due_ms == 8_000


def test_nothing_is_due_while_somebody_is_heard() -> None:
    patience = quiet_since(0)
    patience.idle(7_000, quiet=False)

    assert patience.due_ms is None
    assert patience.expire(60_000) == NOTHING


def test_a_prompt_that_is_never_spoken_is_not_asked_for_at_every_step() -> None:
    patience = quiet_since(0)
    patience.expire(8_000)
    patience.idle(8_000, quiet=True)

    assert patience.expire(8_001) == NOTHING
    assert patience.due_ms == 16_000


def test_an_answer_in_the_middle_of_a_prompt_begins_at_the_first_prompt_again() -> None:
    patience = quiet_since(0)
    patience.expire(8_000)
    patience.idle(8_000, quiet=False)
    patience.caller_spoke(9_000)
    patience.idle(12_000, quiet=True)

    assert patience.expire(20_000) == Lapse("prompt", "ask", 1)


def test_a_key_on_a_quiet_line_counts_from_the_key() -> None:
    patience = quiet_since(0)
    patience.caller_spoke(5_000)

    assert patience.due_ms == 13_000


def test_a_caller_who_answers_the_goodbye_is_not_given_up() -> None:
    patience = quiet_since(0)
    assert lapses(patience, until_ms=99_999)[-1][1] == "give_up"
    assert patience.due_ms is None
    patience.caller_spoke(100_000)

    assert patience.expire(108_000).kind == "prompt"


def test_without_prompts_the_first_silence_ends_the_call() -> None:
    patience = quiet_since(0, PatienceSettings(prompts=()))

    assert patience.expire(8_000).kind == "give_up"


def test_who_asked_for_a_moment_is_left_alone_until_it_is_over() -> None:
    patience = Patience(SETTINGS)
    patience.caller_holds(1_000)
    speaks(patience, 1_500, 3_000)

    assert patience.holding
    assert patience.expire(180_999) == NOTHING
    assert patience.expire(181_000) == Lapse("prompt", "ask", 1)


def test_the_silence_that_began_late_in_the_moment_is_a_whole_one() -> None:
    patience = Patience(SETTINGS)
    patience.caller_holds(0)
    patience.idle(178_000, quiet=True)

    assert patience.due_ms == 186_000


def test_talk_beside_the_telephone_does_not_end_the_moment_but_words_for_us_do() -> None:
    patience = quiet_since(0)
    patience.caller_holds(1_000)
    patience.caller_spoke(20_000)
    assert patience.due_ms == 181_000
    patience.caller_back(30_000)

    assert not patience.holding
    assert patience.due_ms == 38_000


def test_the_caller_is_warned_once_before_the_longest_call_is_over() -> None:
    patience = Patience(LIMITED)
    patience.begin(500)
    patience.begin(90_000)

    assert lapses(patience, until_ms=9_999_999) == [(540_500, "warn"), (600_500, "too_long")]


def test_a_warning_is_no_prompt_but_the_silence_counts_from_it() -> None:
    patience = quiet_since(0, PatienceSettings(max_call_ms=70_000, warn_before_ms=63_000))
    patience.begin(0)

    assert [patience.expire(7_000).kind, patience.due_ms] == ["warn", 15_000]


def test_what_comes_late_comes_one_at_a_time_with_the_end_first() -> None:
    patience = quiet_since(0, PatienceSettings(max_call_ms=70_000))
    patience.begin(0)

    assert patience.expire(80_000).kind == "too_long"
    assert patience.due_ms is None
    patience.caller_spoke(80_001)
    assert patience.due_ms is None


def test_no_warning_and_no_end_without_a_limit() -> None:
    patience = Patience(PatienceSettings(after_ms=0))
    patience.begin(0)
    patience.idle(0, quiet=True)

    assert patience.due_ms is None


def test_no_warning_where_none_is_wished_for() -> None:
    patience = Patience(PatienceSettings(max_call_ms=30_000, warn_before_ms=0))
    patience.begin(0)

    assert lapses(patience, until_ms=99_999) == [(30_000, "too_long")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"after_ms": -1},
        {"hold_ms": -1},
        {"max_call_ms": -1},
        {"warn_before_ms": -1},
        {"max_call_ms": 60_000, "warn_before_ms": 60_000},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        PatienceSettings(**wrong)  # type: ignore[arg-type]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 12_000),
        st.sampled_from(["quiet", "loud", "spoke", "holds", "back", "wait"]),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_a_prompt_follows_a_whole_silence_and_the_end_all_prompts(
    steps: list[tuple[int, str]],
) -> None:
    patience = Patience(PatienceSettings(prompts=("a", "b"), after_ms=8_000, hold_ms=30_000))
    now_ms, disturbed_ms, hold_until_ms, unanswered = 0, 0, 0, 0
    quiet = False
    for wait_ms, step in steps:
        now_ms += wait_ms
        lapse = patience.expire(now_ms)
        if lapse.kind != "nothing":
            assert quiet and now_ms - disturbed_ms >= 8_000 and now_ms >= hold_until_ms
            assert unanswered == {"prompt": lapse.stage - 1, "give_up": 2}[lapse.kind]
            unanswered, disturbed_ms = unanswered + 1, now_ms
        assert patience.due_ms is None or patience.due_ms > now_ms
        match step:
            case "quiet" | "loud":
                disturbed_ms = disturbed_ms if quiet and step == "quiet" else now_ms
                quiet = step == "quiet"
                patience.idle(now_ms, quiet=quiet)
            case "spoke" | "holds" | "back":
                getattr(patience, f"caller_{step}")(now_ms)
                unanswered, disturbed_ms = 0, now_ms
                hold_until_ms = {"spoke": hold_until_ms, "holds": now_ms + 30_000}.get(step, 0)
