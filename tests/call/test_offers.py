"""Another way is offered once, for a reason, in a calm moment; never where there is none."""

from app.call.call import Call
from app.call.commands import CreateResponse
from app.call.events import (
    CallerAudioBegan,
    CallerTranscribed,
    ModelReady,
    NoiseMeasured,
    Prompted,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
)
from app.call.offers_settings import OfferSettings
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from tests.call.handover_play import (
    LATE_MS,
    begins_to_answer,
    ends_answer,
    of,
    play,
    plays_out,
)

OFFER = "Offer the keys."


def call_with(**offers: object) -> Call:
    relay = RelaySettings(session_ms=LATE_MS, give_up_ms=LATE_MS, attempt_ms=LATE_MS, filler="")
    settings = CallSettings(relay=relay, offers=OfferSettings(say=OFFER, **offers))  # type: ignore[arg-type]
    call = Call(settings)
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    return call


def turn(call: Call, now_ms: int, number: int, text: str) -> list[str]:
    """A turn of the caller with its answer; what was asked for when that is over."""
    item = f"c{number}"
    play(call, now_ms, SpeechStarted(item, now_ms - 400, now_ms))
    play(call, now_ms + 400, SpeechStopped(item, now_ms + 400, now_ms + 400))
    play(call, now_ms + 500, CallerTranscribed(item, text))
    begins_to_answer(call, now_ms + 600, f"a{number}", "Pardon?", 200)
    commands = ends_answer(call, now_ms + 700, f"a{number}")
    asked = [c.instructions for c in of(CreateResponse, commands)]
    plays_out(call, now_ms + 800)
    return asked


def offers(call: Call) -> list[str]:
    return [n.text for n in call.timeline.notes if n.kind == "offer"]


def test_turns_without_a_word_in_a_row_bring_one_offer() -> None:
    call = call_with(misses=3)
    asked = [said for n in range(1, 6) for said in turn(call, n * 3_000, n, "...")]

    assert asked.count(OFFER) == 1
    assert offers(call) == ["the caller was not understood"]


def test_a_word_that_was_understood_begins_the_count_anew() -> None:
    call = call_with(misses=3)
    for number, text in enumerate(["", "?", "Two seats.", "", ""], 1):
        turn(call, number * 3_000, number, text)

    assert offers(call) == []


def test_noise_above_the_limit_brings_the_offer() -> None:
    call = call_with(noisy_dbfs=-30.0)
    assert of(CreateResponse, play(call, 100, NoiseMeasured(-35.0))) == []
    [asks] = of(CreateResponse, play(call, 200, NoiseMeasured(-25.0)))

    assert asks.instructions == OFFER


def test_nothing_is_offered_while_the_caller_speaks() -> None:
    call = call_with(noisy_dbfs=-30.0)
    play(call, 100, SpeechStarted("c1", 0, 100))
    assert of(CreateResponse, play(call, 200, NoiseMeasured(-25.0))) == []
    play(call, 600, SpeechStopped("c1", 600, 600))
    begins_to_answer(call, 700, "a1", "Yes?", 200)
    assert offers(call) == []
    ends_answer(call, 800, "a1")

    assert offers(call) == ["there is a lot of noise on the line"]


def test_where_there_is_no_other_way_nothing_is_offered() -> None:
    relay = RelaySettings(session_ms=LATE_MS, give_up_ms=LATE_MS, attempt_ms=LATE_MS, filler="")
    call = Call(CallSettings(relay=relay, offers=OfferSettings(noisy_dbfs=-30.0)))
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))

    assert play(call, 200, NoiseMeasured(-5.0)) == []


def test_somebody_outside_can_have_the_agent_say_something() -> None:
    call = call_with()
    [asks] = of(CreateResponse, play(call, 100, Prompted("emergency", "Say: call 112.")))

    assert asks.instructions == "Say: call 112."
    assert [n.text for n in call.timeline.notes if n.kind == "prompt"] == ["emergency"]
