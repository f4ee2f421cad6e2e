"""Made-up calls: who says how much when, which tools run, which facts are told and needed later.

The same seed gives the same call; a shorter call is the beginning of a longer one.
"""

import random
from dataclasses import dataclass

from bench.cost_model import AGENT_AUDIO_TOKENS_PER_S, USER_AUDIO_TOKENS_PER_S, Talk


@dataclass(frozen=True, slots=True)
class Turn:
    """The caller says something, the agent answers."""

    at_s: float
    """When the answer is asked for."""
    caller_s: float
    """Of caller audio that was committed."""
    caller_audio_tokens: int
    caller_text_tokens: int
    """Its transcript, if it is put into a session as text."""
    agent_audio_tokens: int
    """Made, and paid for."""
    agent_text_tokens: int
    """The transcript that comes with it."""
    heard_share: float
    """What the caller heard of the answer; the rest is cut out of the session."""
    result_tokens: int
    """Of a tool's result; 0: no tool ran."""
    fact: bool
    """The caller's words hold a fact."""
    asks: int | None
    """The turn whose fact is needed for this answer."""


def talk_turns(talk: Talk, seed: int) -> tuple[Turn, ...]:
    """A call of `talk.minutes`, turn by turn."""
    chance = random.Random(seed)
    turns: list[Turn] = []
    facts: list[int] = []
    now_s = 0.0
    while now_s < talk.minutes * 60:
        turn = _turn(talk, chance, now_s, facts)
        if turn.fact:
            facts.append(len(turns))
        turns.append(turn)
        heard_s = turn.heard_share * turn.agent_audio_tokens / AGENT_AUDIO_TOKENS_PER_S
        now_s = turn.at_s + heard_s + talk.pause_s * chance.uniform(0.3, 0.7)
    return tuple(turns)


def _turn(talk: Talk, chance: random.Random, now_s: float, facts: list[int]) -> Turn:
    caller_words = _words(chance, talk.caller_words)
    agent_words = _words(chance, talk.agent_words)
    caller_s = caller_words / talk.caller_words_per_s
    agent_s = agent_words / talk.agent_words_per_s
    cut, tool = chance.random() < talk.cut_share, chance.random() < talk.tool_share
    result_tokens = round(talk.tool_result_tokens * chance.uniform(0.5, 1.5))
    asked = chance.choice(facts) if facts else None
    asks, fact = chance.random() < talk.ask_share, chance.random() < talk.fact_share
    return Turn(
        at_s=now_s + caller_s + talk.pause_s / 2,
        caller_s=caller_s + talk.padding_s,
        caller_audio_tokens=round((caller_s + talk.padding_s) * USER_AUDIO_TOKENS_PER_S),
        caller_text_tokens=round(caller_words * talk.text_tokens_per_word),
        agent_audio_tokens=round(agent_s * AGENT_AUDIO_TOKENS_PER_S),
        agent_text_tokens=round(agent_words * talk.text_tokens_per_word),
        heard_share=0.5 if cut else 1.0,
        result_tokens=result_tokens if tool else 0,
        fact=fact,
        asks=asked if asks else None,
    )


def _words(chance: random.Random, mean: float) -> float:
    """At least one; most turns are short, some are long."""
    return max(1.0, chance.gammavariate(2.0, mean / 2.0))
