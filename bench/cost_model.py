"""What the simulation of a call's cost takes for given, each figure with where it comes from.

Tags: [api] the vendor's Realtime API, as in its cost guide and model pages; [bill] usage or a bill
that somebody published (threads 1060242 and 1285295 of the vendor's forum, issue 50 of its
realtime console); [us] how Earshot works; [assumed] a guess, to be replaced by your own calls.
"""

from dataclasses import dataclass

from app.call.prices import Prices

USER_AUDIO_TOKENS_PER_S = 10
"""[api]"""
AGENT_AUDIO_TOKENS_PER_S = 20
"""[api]"""


@dataclass(frozen=True, slots=True)
class Talk:
    """How people talk with the agent. Means, unless said otherwise."""

    minutes: int = 60
    caller_words: float = 13.0
    """[assumed] A turn; with the agent's it makes about 40 : 60 of the speech."""
    agent_words: float = 23.0
    """[assumed] An answer."""
    caller_words_per_s: float = 2.5
    """[assumed]"""
    agent_words_per_s: float = 3.0
    """[bill] 28 words were 188 audio tokens."""
    text_tokens_per_word: float = 1.85
    """[bill] The transcript of those 28 words was 52 text tokens; it is re-read with the audio."""
    padding_s: float = 0.8
    """[api] Sent with each caller turn: 300 ms before the speech, 500 ms of silence after it."""
    pause_s: float = 2.5
    """[assumed] Thinking, delay and reaction in each turn, both sides together."""
    cut_share: float = 0.1
    """[assumed] Answers that the caller interrupts. Half of such an answer is heard."""
    tool_share: float = 0.1
    """[assumed] Turns in which the agent calls a tool: one more response."""
    tool_call_tokens: int = 40
    """[assumed]"""
    tool_result_tokens: int = 400
    """[assumed] The mean; from half to one and a half of it."""
    tool_relevant_turns: int = 3
    """[assumed] Afterwards the result is irrelevant: what mattered of it was said aloud."""
    fact_share: float = 0.15
    """[assumed] Caller turns that plant a fact: a name, a number, a date."""
    ask_share: float = 0.15
    """[assumed] Turns that need a fact; any earlier one, each as likely."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is sent besides the talk, and how the vendor's cache works."""

    instructions_tokens: int = 1_200
    """[us] The shipped receptionist's are some 800; agents in use have more."""
    tools_tokens: int = 500
    """[assumed] Three or four function schemas."""
    item_tokens: int = 4
    """[assumed] Around each text item."""
    cache_least_tokens: int = 1_024
    """[api] Shorter prefixes are not cached. [bill] 640 of 789 were, so this is careful."""
    cache_step_tokens: int = 128
    """[api] Cached prefixes are a multiple of this."""
    cache_ttl_s: float = 300.0
    """[api] After so long without a response the cache is taken to be cold."""
    warm_start: bool = False
    """Whether a new session finds instructions and tools cached. [bill] It happens; we do not
    count on it."""
    summary_request_tokens: int = 330
    """[us] `app.call.summary.request`."""
    summary_tokens: int = 160
    """[assumed] A summary without facts."""
    summary_fact_tokens: int = 8
    """[assumed] Each fact in it."""
    summary_most_tokens: int = 2_000
    """[us]"""
    summary_keeps_prefix: bool = True
    """Whether the request for a summary leaves the cached prefix whole, as it does when it stands
    behind the conversation, and does not when it replaces the session's instructions."""
    keep_entries: int = 8
    """[us] Lines that a new session is told word for word."""
    window_tokens: int = 96_000
    """[api] What gpt-realtime-2.1 can read: 128,000 less 32,000 for the answer. Older: 28,224."""


TALK = Talk()
TERMS = Terms()

REALTIME_21 = Prices(4.00, 0.40, 32.00, 0.40, 24.00, 64.00)
"""[api] gpt-realtime-2.1, 2026-11-20."""
REALTIME_21_MINI = Prices(0.60, 0.06, 10.00, 0.30, 2.40, 20.00)
"""[api] gpt-realtime-2.1-mini, 2026-11-20."""
REALTIME = Prices(4.00, 0.40, 32.00, 0.40, 16.00, 64.00)
"""gpt-realtime, by copies of the pricing page."""
PREVIEW_DECEMBER = Prices(5.00, 2.50, 40.00, 2.50, 20.00, 80.00)
"""[bill] gpt-4o-realtime-preview-2024-12-17."""
TEXT_MODEL = Prices(0.40, 0.10, 0.0, 0.0, 1.60, 0.0)
"""[assumed] A small text model that writes summaries."""
TRANSCRIPTION_USD_PER_MINUTE = 0.0045
"""[api] gpt-transcribe, for each minute of caller audio; every policy pays it."""

MINUTES = (1, 5, 15, 30, 60)
SHARES = (0.0, 0.5, 0.9, 1.0)
"""How much of the unchanged prefix the vendor bills as cached."""
SHARE = 0.9
"""Where one figure must do: near what explains the published curve, see the calibration."""
SEEDS = range(6)
"""Calls of which every figure is the mean."""
PUBLISHED_USD = {1: 0.11, 5: 0.92, 15: 5.28}
"""The published curve: minutes and dollars. Whose prices and which talk is not said with it."""
