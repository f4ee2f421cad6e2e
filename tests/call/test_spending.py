"""A call that has cost its cap goes on as the operator wants, and says so in its record."""

from app.call.call import Call
from app.call.commands import CreateResponse, EndCall, OpenLeg
from app.call.endings import EndReason
from app.call.events import (
    CallerAudioBegan,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
    SummaryWritten,
    Usage,
)
from app.call.phases import CallSettings, Phase
from app.call.prices import Prices
from app.call.relay_settings import RelaySettings
from app.call.spending import GOODBYE
from app.call.spending_settings import SpendSettings
from tests.call.handover_play import LATE_MS, of, play, until

PRICES = Prices(1_000_000.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""A dollar for each token that is read."""


def call_with(then: str, models: int = 1) -> Call:
    relay = RelaySettings(
        models=models, session_ms=LATE_MS, give_up_ms=LATE_MS, attempt_ms=LATE_MS, filler=""
    )
    spend = SpendSettings(cap_usd=10.0, warn_share=0.5, then=then)  # type: ignore[arg-type]
    call = Call(CallSettings(relay=relay, spend=spend, prices=(PRICES,) * models))
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    return call


def answer(call: Call, now_ms: int, dollars: int) -> list[object]:
    usage = Usage(input_text_tokens=dollars)
    name = f"r{now_ms}"
    events = (ResponseCreated(name), ResponseFinished(name, "completed", usage=usage))
    return list(play(call, now_ms, *events))


def notes(call: Call) -> list[str]:
    return [note.text for note in call.timeline.notes if note.kind == "spend"]


def test_it_is_noted_once_at_its_share_and_once_at_the_cap() -> None:
    call = call_with("warn")
    for number in range(1, 15):
        answer(call, number * 100, 1)

    assert notes(call) == ["50 % of what the call may cost", "the call has cost its cap: warn"]
    assert call.phase is Phase.TALKING


def test_it_goes_on_with_the_last_model_of_the_list() -> None:
    call = call_with("downgrade", models=3)
    answer(call, 100, 11)
    [opened] = of(OpenLeg, play(call, 200, SummaryWritten(call.handover.summaries.awaited, "{}")))

    assert opened.model == 2


def test_it_ends_with_a_goodbye() -> None:
    call = call_with("end")
    commands = answer(call, 100, 11)

    assert [c.instructions for c in commands if isinstance(c, CreateResponse)] == [GOODBYE]
    assert of(EndCall, until(call, LATE_MS)) == [EndCall(EndReason.SPENT)]


def test_without_a_cap_a_call_may_cost_what_it_will() -> None:
    relay = RelaySettings(session_ms=LATE_MS, give_up_ms=LATE_MS, attempt_ms=LATE_MS, filler="")
    call = Call(CallSettings(relay=relay, prices=(PRICES,)))
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    answer(call, 100, 1_000)

    assert notes(call) == []
