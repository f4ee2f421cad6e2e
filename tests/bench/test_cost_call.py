"""A call's tally is what the vendor would count, and a fact is known only where it still stands."""

from dataclasses import replace

import pytest

from app.call.prices import Prices
from bench.cost_call import Tally, tallies
from bench.cost_model import REALTIME_21, TALK, TERMS, TRANSCRIPTION_USD_PER_MINUTE
from bench.cost_policy import NOTHING, Policy
from bench.cost_talk import Turn, talk_turns

BARE = replace(
    TERMS, instructions_tokens=80, tools_tokens=20, cache_least_tokens=0, cache_step_tokens=1
)
TURNS = talk_turns(TALK, 3)


def turn(at_s: float, *, fact: bool = False, asks: int | None = None, tool: int = 0) -> Turn:
    return Turn(at_s, 5.0, 50, 20, 160, 40, 1.0, tool, fact, asks)


def after(turns: list[Turn], policy: Policy = NOTHING, minutes: int = 60) -> Tally:
    return tallies(turns, policy, TALK, BARE, (minutes,))[minutes]


def test_two_turns_are_counted_token_by_token() -> None:
    tally = after([turn(10), turn(30)])
    assert (tally.audio_in, tally.text_in) == (50 + (50 + 160 + 50), 100 + (100 + 40))
    assert (tally.same_audio, tally.same_text) == (50, 100)
    assert (tally.audio_out, tally.text_out, tally.responses) == (320, 80, 2)


def test_a_tool_is_one_more_response_and_its_result_stays() -> None:
    tally = after([turn(10, tool=400), turn(30)])
    assert tally.responses == 3
    result = TALK.tool_call_tokens + 400 + 2 * BARE.item_tokens
    assert tally.text_in == 100 + (100 + result) + (100 + result + 40)


def test_of_an_interrupted_answer_the_heard_audio_stays_and_no_transcript() -> None:
    cut = replace(turn(10), heard_share=0.5)
    tally = after([cut, turn(30)])
    assert tally.audio_out == 320
    assert (tally.audio_in, tally.text_in) == (50 + 50 + 80 + 50, 200)


def test_the_cost_is_the_tokens_at_their_prices_and_the_transcription() -> None:
    prices = Prices(1.0, 0.1, 10.0, 1.0, 2.0, 20.0)
    tally = Tally(100, 1_000, 40, 600, 30, 200, caller_s=90.0)
    tokens = 60 * 1 + 40 * 0.1 + 400 * 10 + 600 * 1 + 30 * 2 + 200 * 20
    heard = TRANSCRIPTION_USD_PER_MINUTE * 1.5
    assert tally.usd(prices, 1.0) == pytest.approx(tokens / 1e6 + heard)
    assert tally.usd(prices, 1.0, transcription=False) == pytest.approx(tokens / 1e6)
    assert tally.usd(prices, 0.0) == pytest.approx((100 + 10_000 + 60 + 4_000) / 1e6 + heard)


def test_a_shorter_call_is_the_beginning_of_a_longer_one() -> None:
    both = tallies(TURNS, NOTHING, TALK, TERMS, (5, 60))
    until = [t for t in TURNS if t.at_s <= 300]
    assert both[5] == tallies(until, NOTHING, TALK, TERMS, (5,))[5]
    assert both[5].responses < both[60].responses


def test_a_new_session_begins_with_a_summary_and_the_last_lines_as_text() -> None:
    turns = [turn(10.0 * n, fact=n == 0) for n in range(1, 21)]
    once = after(turns, Policy(context_tokens=3_000))
    assert once.sessions == 2
    assert once.responses == 21
    longest = after(turns).most_read
    assert once.most_read < longest
    assert once.audio_out == after(turns).audio_out


def test_sessions_change_by_the_clock_when_that_is_asked_for() -> None:
    turns = [turn(30.0 * n) for n in range(120)]
    assert after(turns, Policy(minutes=15)).sessions == 4
    assert after(turns, NOTHING).sessions == 1


def test_a_text_model_reads_the_words_and_the_session_reads_nothing_more() -> None:
    turns = [turn(10.0 * n) for n in range(1, 21)]
    tally = after(turns, Policy(context_tokens=3_000, summary_by="text model"))
    assert (tally.responses, tally.sessions) == (20, 2)
    assert 0 < tally.text_model_in < after(turns, Policy(context_tokens=3_000)).audio_in
    assert tally.text_model_out == BARE.summary_tokens


def test_a_fact_told_long_ago_is_as_good_as_the_summaries_it_went_through() -> None:
    turns = [replace(turn(30.0 * n), fact=n == 0) for n in range(120)]
    turns[-1] = replace(turns[-1], asks=0)
    tally = after(turns, Policy(minutes=15))
    assert tally.sessions == 4
    assert tally.recall(1.0) == 1.0
    assert tally.recall(0.9) == pytest.approx(0.9**3)
    assert after(turns, NOTHING).recall(0.5) == 1.0


def test_a_fact_among_the_last_lines_is_known_word_for_word_after_a_change() -> None:
    turns = [replace(turn(30.0 * n), fact=n == 29) for n in range(32)]
    turns[31] = replace(turns[31], asks=29)
    tally = after(turns, Policy(minutes=15))
    assert tally.sessions == 2
    assert tally.recall(0.0, 1.0) == 1.0
    assert tally.recall(0.0, 0.0) == 0.0


def test_pruned_audio_is_known_by_its_transcript() -> None:
    turns = [replace(turn(10.0 * n), fact=n == 0) for n in range(6)]
    turns[5] = replace(turns[5], asks=0)
    tally = after(turns, Policy(audio_turns=2))
    assert tally.recall(0.0) == 1.0
    assert tally.recall(0.0, transcript_keeps=0.97) == pytest.approx(0.97)
    assert tally.audio_in < after(turns).audio_in


def test_pruning_waits_until_the_batch_is_full() -> None:
    turns = [turn(10.0 * n) for n in range(8)]
    assert after(turns, Policy(audio_turns=2, batch_tokens=10_000)) == after(turns)
    batch = after(turns, Policy(audio_turns=2, batch_tokens=500))
    assert after(turns, Policy(audio_turns=2)).audio_in < batch.audio_in < after(turns).audio_in


def test_irrelevant_tool_results_go_and_relevant_ones_stay() -> None:
    turns = [turn(10.0, tool=900), *(turn(10.0 * n) for n in range(2, 9))]
    kept, gone = after(turns), after(turns, Policy(tools="at once"))
    first_without = TALK.tool_relevant_turns + 1
    responses_without = len(turns) - first_without
    item = TALK.tool_call_tokens + 900 + 2 * BARE.item_tokens
    assert kept.text_in - gone.text_in == responses_without * item


def test_the_vendors_truncation_forgets_what_it_drops() -> None:
    turns = [replace(turn(10.0 * n), fact=n == 0) for n in range(12)]
    turns[11] = replace(turns[11], asks=0)
    tally = after(turns, Policy(limit_tokens=1_000, retention=0.5))
    assert tally.recall(1.0) == 0.0
    assert tally.most_read <= 1_000 + 100


@pytest.mark.parametrize("policy", [NOTHING, Policy(minutes=15), Policy(audio_turns=2)])
def test_more_from_the_cache_is_never_dearer(policy: Policy) -> None:
    tally = tallies(TURNS, policy, TALK, TERMS, (60,))[60]
    costs = [tally.usd(REALTIME_21, share / 10) for share in range(11)]
    assert costs == sorted(costs, reverse=True)
