"""TwiML that Twilio would follow is read; TwiML that it would refuse is named with its fault."""

import pytest

from app.lab.phone.twiml import (
    CONTENT_TYPE_FAILURE,
    DOCUMENT_PARSE_FAILURE,
    TwimlError,
    read_twiml,
    stream_parameters,
)


def test_verbs_come_in_order_with_attributes_text_and_nouns() -> None:
    say, connect = read_twiml(
        '<?xml version="1.0" encoding="UTF-8"?><!-- hello --><Response>'
        '<Say voice="alice">Good <emphasis>morning</emphasis>\n caf&#233;</Say><!-- pause -->'
        '<Connect action="/after"><Stream url="wss://b/m"><Parameter name="a" value="b"/>'
        "</Stream></Connect></Response>"
    )
    assert (say.name, say.get("voice"), say.text) == ("Say", "alice", "Good morning café")
    assert connect.get("action") == "/after"
    assert stream_parameters(connect.children[0]) == {"a": "b"}


@pytest.mark.parametrize("empty", [b"", b"  \n", b"<Response/>", b"<Response></Response>"])
def test_an_empty_answer_is_a_document_without_verbs(empty: bytes) -> None:
    assert read_twiml(empty) == ()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<Response><Say></Response>", "well-formed"),
        ("hello", "well-formed"),
        ("<response/>", "root element"),
        ("<Response><say>x</say></Response>", "case sensitive"),
        ("<Response><Shout>x</Shout></Response>", "<Shout>"),
        ('<Response><Say Voice="x">x</Say></Response>', "no attribute 'Voice'"),
        ('<Response><Connect><Stream uri="wss://x"/></Connect></Response>', "'uri'"),
        ("<Response><Connect><Say>x</Say></Connect></Response>", "<Connect> cannot hold"),
        ("<Response><Pause><Say>x</Say></Pause></Response>", "<Pause> cannot hold"),
        ("<Response>" + " " * 70_000 + "</Response>", "64 KB"),
    ],
)
def test_a_wrong_document_is_error_12100(body: str, complaint: str) -> None:
    with pytest.raises(TwimlError, match=complaint) as error:
        read_twiml(body)
    assert error.value.code == DOCUMENT_PARSE_FAILURE


def test_a_page_that_is_no_xml_by_its_type_is_refused() -> None:
    with pytest.raises(TwimlError, match="text/plain") as error:
        read_twiml("<Response/>", "text/plain")
    assert error.value.code == CONTENT_TYPE_FAILURE


def test_what_the_telephone_does_not_perform_is_still_correct_twiml() -> None:
    verbs = read_twiml("<Response><Record maxLength='3'/><Enqueue>x</Enqueue></Response>")
    assert [verb.name for verb in verbs] == ["Record", "Enqueue"]


@pytest.mark.parametrize(
    ("parameter", "complaint"),
    [
        ('<Parameter value="x"/>', "needs a name"),
        (f'<Parameter name="n" value="{"v" * 499}"/>', "500 characters"),
    ],
)
def test_a_stream_parameter_beyond_its_limits_is_refused(parameter: str, complaint: str) -> None:
    connect = read_twiml(
        f'<Response><Connect><Stream url="wss://x">{parameter}</Stream></Connect></Response>'
    )[0]
    with pytest.raises(TwimlError, match=complaint):
        stream_parameters(connect.children[0])
