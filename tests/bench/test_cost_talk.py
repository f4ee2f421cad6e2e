"""The made-up calls are the same each time, and a short call is the beginning of a longer one."""

import pytest

from bench.cost_model import SEEDS, TALK
from bench.cost_talk import talk_turns


def test_the_same_seed_gives_the_same_call_and_another_seed_another() -> None:
    assert talk_turns(TALK, 1) == talk_turns(TALK, 1)
    assert talk_turns(TALK, 1) != talk_turns(TALK, 2)


def test_time_goes_on_and_the_call_is_as_long_as_asked() -> None:
    turns = talk_turns(TALK, 0)
    assert [t.at_s for t in turns] == sorted({t.at_s for t in turns})
    assert 59 * 60 < turns[-1].at_s < 62 * 60


def test_only_facts_that_were_told_before_are_needed() -> None:
    for seed in SEEDS:
        turns = talk_turns(TALK, seed)
        asked = [(number, turn.asks) for number, turn in enumerate(turns) if turn.asks is not None]
        assert asked
        assert all(told < number and turns[told].fact for number, told in asked)


def test_audio_is_ten_tokens_a_second_from_the_caller_and_twenty_from_the_agent() -> None:
    turns = [turn for seed in SEEDS for turn in talk_turns(TALK, seed)]
    for turn in turns:
        assert turn.caller_audio_tokens == pytest.approx(10 * turn.caller_s, abs=0.5)
    spoken = sum(turn.agent_audio_tokens for turn in turns) / len(turns)
    words_s = TALK.agent_words / TALK.agent_words_per_s
    assert spoken == pytest.approx(20 * words_s, rel=0.1)


def test_the_shares_of_cuts_tools_and_facts_are_the_ones_assumed() -> None:
    turns = [turn for seed in SEEDS for turn in talk_turns(TALK, seed)]
    for happened, share in (
        (sum(turn.heard_share < 1 for turn in turns), TALK.cut_share),
        (sum(turn.result_tokens > 0 for turn in turns), TALK.tool_share),
        (sum(turn.fact for turn in turns), TALK.fact_share),
    ):
        assert happened / len(turns) == pytest.approx(share, abs=0.03)
