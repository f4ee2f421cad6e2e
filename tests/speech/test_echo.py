"""Invariant: the bot's own voice, however late, weak or filtered it comes back, is an echo; whoever
speaks as loud or louder at the same time is not, nor is anybody before the bot has said a word."""

from collections.abc import Iterator

import numpy as np
import pytest

from app.lab.speech.voices import voice_clip
from app.speech.echo import (
    ECHO_SHARE,
    LEVEL_KEPT_MS,
    LONGEST_WINDOW_MS,
    SHORTEST_WINDOW_MS,
    WINDOW_MS,
    EchoJudge,
)
from app.speech.echo_reference import samples
from bench.echo_line import BEGINS_MS, Case, Condition, cases, to_samples, to_ulaw
from telecodecs import SILENCE_DBFS, ULAW_SILENCE, ulaw_dbfs

BOT = voice_clip("opening_hours_rms").ulaw
CALLER = voice_clip("stop_please_slt").ulaw
AT_MS = 1_000
"""When the bot begins in the tests that use `BOT`."""


def share(case: Case) -> float:
    return case.judge().judge(case.caller, case.at_ms).share


def of(condition: Condition, n: int = 12) -> Iterator[Case]:
    return cases(condition, WINDOW_MS, n, seed=3)


def returned(delay_ms: int, loss_db: float = 12.0) -> bytes:
    """What comes back of `BOT`, from `AT_MS` on."""
    weaker = to_samples(BOT) * 10 ** (-loss_db / 20)
    return ULAW_SILENCE * (delay_ms * 8) + to_ulaw(weaker)


def judge_of_bot() -> EchoJudge:
    judge = EchoJudge()
    for start in range(0, len(BOT), 160):
        judge.played(BOT[start : start + 160], AT_MS + start // 8)
    return judge


@pytest.mark.parametrize(
    "condition",
    [
        Condition("loud", (6.0, 12.0)),
        Condition("weak", (30.0, 40.0)),
        Condition("noise", noise_db=10.0),
        Condition("onset in noise", bot_spoke_ms=150, noise_db=4.0),
        Condition("crushed", crushed=True),
        Condition("cut", cut_ms=60),
        Condition("just begun", bot_spoke_ms=150),
    ],
    ids=lambda condition: condition.name,
)
def test_an_echo_is_one(condition: Condition) -> None:
    assert min(map(share, of(condition))) >= ECHO_SHARE


@pytest.mark.parametrize(
    "condition",
    [
        Condition("alone", None, caller_db=0.0),
        Condition("alone, bot just begun", None, caller_db=0.0, bot_spoke_ms=60),
        Condition("as loud", caller_db=0.0),
        Condition("louder", caller_db=6.0),
        Condition("louder, just begun", caller_db=6.0, caller_spoke_ms=120),
    ],
    ids=lambda condition: condition.name,
)
def test_a_caller_is_none(condition: Condition) -> None:
    assert max(map(share, of(condition))) < ECHO_SHARE


@pytest.mark.parametrize("delay_ms", [0, 20, 200, 800])
def test_the_delay_is_told(delay_ms: int) -> None:
    heard = returned(delay_ms)[: (delay_ms + 900) * 8][-WINDOW_MS * 8 :]
    verdict = judge_of_bot().judge(heard, AT_MS + delay_ms + 900)
    assert verdict.share >= ECHO_SHARE
    assert verdict.lag_ms == pytest.approx(delay_ms, abs=2)


def test_the_levels_are_of_the_caller_and_of_the_rest() -> None:
    heard = returned(200)[: 1_100 * 8][-WINDOW_MS * 8 :]
    verdict = judge_of_bot().judge(heard, AT_MS + 1_100)
    assert verdict.caller_dbfs == pytest.approx(ulaw_dbfs(heard), abs=0.1)
    assert verdict.residual_dbfs < verdict.caller_dbfs - 15


def test_what_was_cleared_was_never_played() -> None:
    """Where the judge knows of the cut, the same sound is no echo."""
    heard = returned(200)[: 1_300 * 8][-WINDOW_MS * 8 :]
    judge = judge_of_bot()
    judge.cleared(AT_MS + 700)
    assert judge.judge(heard, AT_MS + 1_300).share < ECHO_SHARE
    assert judge_of_bot().judge(heard, AT_MS + 1_300).share >= ECHO_SHARE


def test_the_tail_of_a_bot_that_was_cut_is_still_an_echo() -> None:
    judge = judge_of_bot()
    judge.cleared(AT_MS + 900)
    tail = returned(600)[: 1_500 * 8][-WINDOW_MS * 8 :]
    assert judge.judge(tail, AT_MS + 1_500).share >= ECHO_SHARE


def test_nothing_comes_back_louder_than_it_was_played() -> None:
    judge = EchoJudge()
    judge.played(to_ulaw(to_samples(BOT) * 0.1), AT_MS)
    assert judge.judge(returned(0)[: 900 * 8][-WINDOW_MS * 8 :], AT_MS + 900).share == 0.0
    assert judge_of_bot().judge(returned(0)[: 900 * 8][-WINDOW_MS * 8 :], AT_MS + 900).share > 0.9


def test_without_a_bot_nothing_is_an_echo() -> None:
    window = CALLER[1_600:4_000]
    verdict = EchoJudge().judge(window, 5_000)
    assert verdict.share == 0.0
    assert verdict.residual_dbfs == verdict.caller_dbfs


def test_too_little_to_tell_is_nobodys_echo() -> None:
    heard = returned(0)[: 900 * 8]
    judge = judge_of_bot()
    assert judge.judge(heard[-SHORTEST_WINDOW_MS * 8 + 8 :], AT_MS + 900).share == 0.0
    assert judge.judge(heard[-SHORTEST_WINDOW_MS * 8 :], AT_MS + 900).share >= ECHO_SHARE
    assert judge.judge(b"", AT_MS + 900).caller_dbfs == SILENCE_DBFS


def test_silence_is_nobodys_echo() -> None:
    verdict = judge_of_bot().judge(ULAW_SILENCE * 2_400, AT_MS + 900)
    assert (verdict.share, verdict.caller_dbfs) == (0.0, SILENCE_DBFS)


def test_of_a_long_window_the_newest_part_counts() -> None:
    heard = returned(0)[: 1_500 * 8]
    longest = heard[-LONGEST_WINDOW_MS * 8 :]
    assert judge_of_bot().judge(heard, AT_MS + 1_500) == judge_of_bot().judge(
        longest, AT_MS + 1_500
    )


def test_the_noise_between_the_bots_words_is_nobody_until_the_echo_is_long_past() -> None:
    """Noise that comes and goes, 12 dB below the echo, and nothing that explains it."""
    judge = judge_of_bot()
    now_ms = AT_MS + 1_100
    heard = returned(200, loss_db=6.0)[: 1_100 * 8][-WINDOW_MS * 8 :]
    found = judge.judge(heard, now_ms)
    assert found.share >= ECHO_SHARE
    rms = 10 ** ((found.caller_dbfs - 12.0) / 20)
    noise = np.random.default_rng(2).standard_normal(WINDOW_MS * 8) * rms
    noise[800:1_600] = 0.0
    assert judge.judge(to_ulaw(noise), now_ms + LEVEL_KEPT_MS).share >= ECHO_SHARE
    assert judge.judge(to_ulaw(noise), now_ms + LEVEL_KEPT_MS + 1).share < ECHO_SHARE


def test_a_caller_as_loud_as_the_echo_is_heard_right_after_it() -> None:
    judge = judge_of_bot()
    heard = returned(200)[: 1_100 * 8][-WINDOW_MS * 8 :]
    assert judge.judge(heard, AT_MS + 1_100).share >= ECHO_SHARE
    caller = samples(CALLER[1_600:4_000])
    caller *= np.sqrt(np.mean(samples(heard) ** 2) / np.mean(caller**2))
    assert judge.judge(to_ulaw(caller), AT_MS + 1_200).share < ECHO_SHARE


def test_a_line_whose_delay_changes_is_found_again() -> None:
    judge = judge_of_bot()
    for delay_ms in (100, 420):
        heard = returned(delay_ms)[: (delay_ms + 900) * 8][-WINDOW_MS * 8 :]
        verdict = judge.judge(heard, AT_MS + delay_ms + 900)
        assert verdict.share >= ECHO_SHARE
        assert verdict.lag_ms == pytest.approx(delay_ms, abs=2)


def test_the_cases_are_dated_on_the_call_clock() -> None:
    assert all(case.at_ms > BEGINS_MS for case in of(Condition("echo"), 2))
