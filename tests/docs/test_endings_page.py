"""Invariant: the page of endings holds every reason, its fault, and what the caller hears next."""

from app.call.endings import EndReason
from app.carriers.twilio import twiml
from app.carriers.twilio.webhooks import MOST_RESUMES, after_stream
from tests.docs.pages import codes, page, table

_WORDS = {"hang_up": "hang up", "apologise": "apologise", "resume": "resume"}


def test_every_reason_stands_with_its_fault_and_what_comes_next() -> None:
    rows = table(page("how-a-call-ends"), "<!-- endings:")
    told = {codes(reason)[0]: (fault, following) for reason, fault, following, _ in rows}
    expected = {reason.value: (reason.fault, _WORDS[after_stream(reason)]) for reason in EndReason}
    assert told == expected


def test_the_words_that_twilio_says_are_the_ones_of_the_documents() -> None:
    text = " ".join(page("how-a-call-ends").split())
    for document in (twiml.apology(twiml.Speech()), twiml.full(twiml.Speech())):
        said = document.split("<Say", 1)[1].split(">", 1)[1].split("<", 1)[0]
        assert said in text


def test_the_number_of_resumes_is_the_one_of_the_code() -> None:
    assert MOST_RESUMES == 3
    assert "After three of" in page("how-a-call-ends")


def test_every_reason_has_a_row_in_troubleshooting() -> None:
    rows = table(page("troubleshooting"), "## The call ended with")
    told = [name for row in rows for name in codes(row[0])]
    assert sorted(told) == sorted(reason.value for reason in EndReason)
