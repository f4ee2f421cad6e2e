"""Form fields are read as Twilio reads them: repeated, blank, or refused with a reason."""

import pytest

from app.lab.phone.course import TwimlSource
from app.lab.phone.rest_form import fallback_source, one, seconds, status_callback, twiml_source
from app.lab.phone.rest_wire import RestError
from app.lab.phone.status import StatusCallback

URL = "http://bot.test/x"


def test_the_first_value_of_a_field_counts_and_a_missing_one_is_blank() -> None:
    assert one({"To": ["a", "b"]}, "To") == "a"
    assert one({}, "To") == ""


def test_a_url_beats_inline_twiml() -> None:
    form = {"Url": [URL], "Twiml": ["<Response/>"], "Method": ["GET"]}
    assert twiml_source(form) == TwimlSource(URL, "GET")
    assert twiml_source({"Twiml": ["<Response/>"]}) == TwimlSource(document="<Response/>")


def test_the_fallback_is_optional() -> None:
    assert fallback_source({}) is None
    assert fallback_source({"FallbackUrl": [URL]}) == TwimlSource(URL)


def test_status_events_come_repeated_or_in_one_value_and_default_to_completed() -> None:
    assert status_callback({}) is None
    assert status_callback({"StatusCallback": [URL]}) == StatusCallback(URL)
    for value in (["ringing", "answered"], ["answered ringing"]):
        form = {"StatusCallback": [URL], "StatusCallbackEvent": value}
        assert status_callback(form) == StatusCallback(URL, "POST", ("ringing", "answered"))


def test_seconds_are_whole_numbers() -> None:
    assert seconds({}, "Timeout", 60) == 60
    assert seconds({"Timeout": ["5"]}, "Timeout", 60) == 5
    with pytest.raises(RestError, match="Timeout"):
        seconds({"Timeout": ["soon"]}, "Timeout", 60)
