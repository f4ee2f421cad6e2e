"""What an agent's file says of how it behaves, as the settings of its calls."""

from dataclasses import replace

from app.agents import Agent, AgentError, Local
from app.call.floor_settings import FloorSettings
from app.call.offers_settings import OfferSettings
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings
from app.call.playout_settings import PlayoutSettings
from app.call.prices import Prices
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from app.call.spending_settings import SpendSettings
from app.call.turn_end import TurnEndSettings
from app.settings import Settings


def call_settings(
    agent: Agent, settings: Settings, prices: tuple[Prices | None, ...]
) -> CallSettings:
    """Raises `AgentError` for values that contradict each other."""
    models = agent.barge_in.by == "model"
    call = CallSettings(
        language=agent.language,
        patience=_patience(agent),
        tool_sound_after_ms=round(agent.silence.tool_sound_after_s * 1000),
        wait_words_after_ms=round(agent.silence.tool_words_after_s * 1000),
        floor=_floor(agent),
        turn_end=_turn_end(agent, settings),
        playout=_playout(settings.lead_ms),
        relay=_relay(agent, settings),
        spend=_spend(agent),
        offers=_offers(agent),
        prices=prices,
        responses=ResponseSettings(server_answers=models, server_cancels=models),
    )
    return worded(call, agent)


def worded(call: CallSettings, agent: Agent) -> CallSettings:
    """The same settings with what the agent says, and is told to say, of its own accord."""
    greeting, silence = agent.greeting, agent.silence
    return replace(
        call,
        greeting=greeting_instructions(greeting) if greeting else "",
        greeting_words=greeting,
        late_greeting=late_greeting_instructions(greeting) if greeting else "",
        notices=agent.first_words,
        patience=replace(call.patience, prompts=silence.prompts, give_up=silence.goodbye),
    )


def _relay(agent: Agent, settings: Settings) -> RelaySettings:
    return RelaySettings(
        models=1 + len(agent.failover),
        session_ms=round(settings.session_minutes * 60_000),
        context_tokens=settings.session_context_tokens,
        spend_usd=settings.session_spend_usd,
        prune_tokens=settings.prune_audio_tokens,
        summary_by="text_model" if settings.summary_model else "session",
        attempt_ms=round(settings.model_connect_timeout_s * 1000),
        give_up_ms=round(settings.model_give_up_s * 1000),
        filler=agent.filler,
    )


def _spend(agent: Agent) -> SpendSettings:
    spend = agent.policy.spend
    return SpendSettings(spend.cap_usd, spend.warn_share, spend.at_cap)


OTHER_WAYS = {
    "offer_menu": "go on by the keys of their telephone",
    "continue_by_text": "go on by text message",
}
"""Tools that are another way to be served, and what that is."""


def _offers(agent: Agent) -> OfferSettings:
    """Where the agent has no tool for another way there is nothing to offer."""
    ways = [way for tool, way in OTHER_WAYS.items() if tool in agent.tools]
    if not ways:
        return OfferSettings()
    ladder = agent.ladder
    return OfferSettings(
        misses=ladder.offer_after_misses,
        slow_ms=round(ladder.offer_when_slower_s * 1000),
        noisy_dbfs=ladder.offer_when_noisy_dbfs,
        say=(
            "Speaking does not work well on this line. Offer the caller in one short sentence that "
            f"they can {' or '.join(ways)} instead, if they like; then wait for their answer."
        ),
    )


def _patience(agent: Agent) -> PatienceSettings:
    """Raises `AgentError` for times that contradict each other."""
    silence, limits = agent.silence, agent.limits
    longest_ms = round(limits.minutes * 60_000)
    try:
        return PatienceSettings(
            after_ms=round(silence.ask_after_s * 1000),
            hold_ms=round(silence.hold_s * 1000),
            max_call_ms=longest_ms,
            warn_before_ms=round(limits.warn_s * 1000) if longest_ms else 0,
        )
    except ValueError as error:
        raise AgentError(
            f"{agent.source}: limits: expected warn_s below the seconds of minutes, got "
            f"{limits.warn_s:g} s and {limits.minutes:g} min. A warn_s of 0 gives no warning."
        ) from error


JUDGE_SLACK_MS = 100
"""A verdict that came in time is on its way to the call for a moment."""


def _turn_end(agent: Agent, settings: Settings) -> TurnEndSettings | None:
    """Raises `AgentError` for waits that contradict each other, or without ears of our own."""
    turns = agent.turn_detection
    if not isinstance(turns, Local):
        return None
    if agent.barge_in.by == "model":
        raise AgentError(
            f'{agent.source}: barge_in.by: expected "voice" with turn_detection.type = "local", '
            f'which needs our own voice detection, got "model".'
        )
    try:
        return TurnEndSettings(
            min_silence_ms=turns.min_silence_ms,
            more_silence_ms=turns.more_silence_ms,
            max_silence_ms=turns.max_silence_ms,
            judge=turns.judge and bool(settings.judge_model and agent.transcription_model),
            ahead=turns.answer_ahead,
            judge_wait_ms=round(settings.judge_timeout_s * 1000) + JUDGE_SLACK_MS,
        )
    except ValueError as error:
        raise AgentError(f"{agent.source}: turn_detection: {error}.") from error


NOISE_HINT = (
    "Tell the caller in one short sentence that there is a lot of noise on the line, and that you "
    "may not hear everything. Then go on."
)


def _floor(agent: Agent) -> FloorSettings:
    """Raises `AgentError` for numbers that contradict each other."""
    barge_in, transcribed = agent.barge_in, bool(agent.transcription_model)
    try:
        return FloorSettings(
            by=barge_in.by,
            greeting=barge_in.greeting,
            speaking=barge_in.speaking,
            thinking=barge_in.thinking,
            yield_after_ms=barge_in.yield_after_ms,
            brief_ms=barge_in.brief_ms,
            words_wait_ms=barge_in.words_wait_ms if transcribed else 0,
            keys=barge_in.keys,
            noisy_hint=NOISE_HINT if barge_in.noise_hint else "",
        )
    except ValueError as error:
        raise AgentError(f"{agent.source}: barge_in: {error}.") from error


def _playout(lead_ms: int) -> PlayoutSettings:
    """A short lead is topped up in smaller steps, of whole 20 ms frames."""
    usual_ms = PlayoutSettings().step_ms
    return PlayoutSettings(lead_ms=lead_ms, step_ms=max(20, min(usual_ms, lead_ms // 40 * 20)))


def greeting_instructions(greeting: str) -> str:
    """What the model is told so that it says the greeting, and only that."""
    return f'Greet the caller now. Say exactly these words and nothing else: "{greeting}"'


def late_greeting_instructions(greeting: str) -> str:
    """... so that its answer brings the greeting in, where the caller was quicker."""
    return (
        "The caller spoke before they were greeted. Answer what they said, and greet them in the "
        "same breath, as this greeting does but without asking what they said already: "
        f'"{greeting}"'
    )
