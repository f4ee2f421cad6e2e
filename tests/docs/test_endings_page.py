"""Invariant: the page of endings holds every reason, its fault, what the caller hears next, and the
limits at which a call without a model is given up."""

import re

from app.bridge.legs import LAST_WORD_S
from app.call.attempts import FATAL_CAUSES
from app.call.endings import CARRIER_ENDINGS, MODEL_ENDINGS, EndReason
from app.call.leg_life import LIVED_MS, SHORT_LIFE_MS
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from app.carriers.twilio import twiml
from app.carriers.twilio.stream_ended import after_stream
from app.carriers.twilio.stream_plans import MOST_RESUMES
from app.carriers.twilio.voice import FULL_QUEUE_S
from app.front_door import WHEN_FULL
from app.live.breaker import BreakerSettings
from app.settings import Settings
from tests.docs.pages import ROOT, codes, page, table

TEXT = page("how-a-call-ends")
FLAT = " ".join(TEXT.split())
RELAY = RelaySettings()

_WORDS = {
    "hang_up": "hang up",
    "apologise": "apologise",
    "resume": "resume",
    "onward": "go on elsewhere",
}


def test_every_reason_stands_with_its_fault_and_what_comes_next() -> None:
    rows = table(TEXT, "<!-- endings:")
    told = {codes(reason)[0]: (fault, following) for reason, fault, following, _ in rows}
    expected = {reason.value: (reason.fault, _WORDS[after_stream(reason)]) for reason in EndReason}
    assert told == expected


def test_the_words_that_twilio_says_are_the_ones_of_the_documents() -> None:
    speech = twiml.Speech()
    queue = twiml.queue(speech, "https://bot.example.com/", 5, announce=True)
    for document in (twiml.apology(speech), twiml.full(speech), queue):
        said = document.split("<Say", 1)[1].split(">", 1)[1].split("<", 1)[0]
        assert f'"{said}"' in FLAT


def test_every_document_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(twiml/\S+?\.xml\.j2)`", TEXT))
    assert len(named) == 8
    assert all((ROOT / name).is_file() for name in named)


def test_the_number_of_resumes_is_the_one_of_the_code() -> None:
    assert MOST_RESUMES == 3
    assert "After three of these in one call the caller gets the apology" in FLAT


def test_the_limits_of_the_give_up_are_the_ones_of_the_relay() -> None:
    limits = {what: limit for what, limit in table(TEXT, "<!-- give-up:")}
    give_up_s = Settings.model_fields["model_give_up_s"].default
    assert limits["time without a model, all attempts together"] == (
        f"`EARSHOT_MODEL_GIVE_UP_S` ({give_up_s:g} s)"
    )
    fruitless = limits["sessions in a row that were lost fruitlessly"]
    assert fruitless.startswith(f"{RELAY.fruitless};")
    assert f"lasted {LIVED_MS // 1000} s at most" in FLAT
    assert f"or within {SHORT_LIFE_MS // 1000} s." in FLAT


def test_the_waits_of_the_relay_are_the_ones_of_the_code() -> None:
    first_s = RELAY.backoff_ms / 1000
    waits = f"up to {first_s:g} s, {first_s * 2:g} s, {first_s * 4:g} s and so on"
    assert f"{waits}, {RELAY.backoff_most_ms / 1000:g} s at most" in FLAT
    attempt_s = Settings.model_fields["model_connect_timeout_s"].default
    assert f"`EARSHOT_MODEL_CONNECT_TIMEOUT_S` ({attempt_s:g} s)" in FLAT
    assert f"If the gap lasts {RELAY.filler_after_ms / 1000:g} s" in FLAT
    assert f"the bot waits {LAST_WORD_S:g} s for it" in FLAT
    breaker = BreakerSettings()
    tripped = f"{breaker.failures} times within {breaker.window_s:g} s"
    assert f"{tripped} rests for {breaker.open_s:g} s" in FLAT


def test_the_models_that_are_out_are_the_ones_of_the_relay() -> None:
    assert {"refused", "wrong_format", "failed"} == FATAL_CAUSES
    assert "A model that refused, spoke the wrong format or failed for good is out" in FLAT


def test_the_times_of_a_silent_or_failing_model_are_the_ones_of_the_code() -> None:
    rows = {codes(row[0])[0]: row[3] for row in table(TEXT, "<!-- endings:")}
    s = ResponseSettings()
    assert s.max_stalls == 2
    assert f"no answer within {s.answer_timeout_ms // 1000} s" in rows["model_stalled"]
    assert f"in one for {s.stall_timeout_ms // 1000} s" in rows["model_stalled"]
    assert CallSettings().max_failures == 2
    assert rows["model_failed"].startswith("Two answers in a row failed")
    goodbye_s = CallSettings().goodbye_timeout_ms // 1000
    assert f"no later than {goodbye_s} s after it was due" in FLAT


def test_every_answer_to_a_call_without_a_place_is_told() -> None:
    rows = table(TEXT, "## Calls that never became a conversation")
    told = [name for row in rows for name in codes(row[0]) if name in WHEN_FULL]
    assert told == list(WHEN_FULL)
    assert f"after {FULL_QUEUE_S} s the words of `apologise`" in FLAT


def test_every_reason_has_a_row_in_troubleshooting() -> None:
    rows = table(page("troubleshooting"), "## The call ended with")
    told = [name for row in rows for name in codes(row[0])]
    assert sorted(told) == sorted(reason.value for reason in EndReason)


def test_carriers_and_models_reasons_come_from_their_causes() -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(TEXT, "<!-- endings:")}
    models = {reason.value for reason in MODEL_ENDINGS.values()}
    assert {reason for reason, fault in rows.items() if fault == "model"} == models
    carriers = {reason.value for reason in CARRIER_ENDINGS.values()} - {"caller_hung_up"}
    assert {reason for reason, fault in rows.items() if fault == "carrier"} == carriers
