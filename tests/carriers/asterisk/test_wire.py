"""Both formats of chan_websocket say the same events, nothing that a peer sends raises anything but
a decoding error, and no command is longer than Asterisk reads."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.asterisk import wire
from app.lab.pbx.wire import Format, Teller

FORMATS: tuple[Format, ...] = ("json", "plain")


@pytest.mark.parametrize("format_", FORMATS)
def test_what_a_pbx_tells_is_read_in_either_format(format_: Format) -> None:
    tell = Teller("1795170608.1", "bot", format_).event
    told = {
        tell("DTMF_END", digit="#"): wire.DtmfEnd("#"),
        tell("MEDIA_XOFF"): wire.MediaXoff(),
        tell("MEDIA_XON"): wire.MediaXon(),
        tell("MEDIA_MARK_PROCESSED", correlation_id="12"): wire.MarkProcessed("12"),
        tell("MEDIA_MARK_PROCESSED", correlation_id=""): wire.MarkProcessed(""),
        tell("QUEUE_DRAINED"): wire.QueueDrained(),
        tell("STATUS", queue_length=3, queue_full=False): wire.Status(),
        tell("ERROR", error_text="no such thing"): wire.CommandError("no such thing"),
    }
    assert {text: wire.decode(text, format_) for text in told} == told


@pytest.mark.parametrize("format_", FORMATS)
def test_the_start_names_the_channel_and_the_sound(format_: Format) -> None:
    text = Teller("1795170608.1", "bot", format_).start({"__EARSHOT_FROM": "+15550100001"})
    assert wire.format_of(text) == format_
    start = wire.decode(text, format_)
    assert isinstance(start, wire.MediaStart)
    assert (start.channel_id, start.format, start.optimal_frame_size) == (
        "1795170608.1",
        "ulaw",
        160,
    )
    variables = {"__EARSHOT_FROM": "+15550100001"} if format_ == "json" else {}
    assert start.channel_variables == variables


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", "not_an_event"),
        ("[]", "bad_fields"),
        ("{}", "bad_fields"),
        ('{"event":"TELEPATHY"}', "unknown_event"),
        ('{"event":"DTMF_END","digit":"42"}', "bad_fields"),
        ('{"event":"MEDIA_START","channel_id":"a b","format":"ulaw"}', "bad_fields"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_by_kind(text: str, kind: str) -> None:
    with pytest.raises(msgspec.DecodeError) as wrong:
        wire.decode(text, "json")
    assert wire.malformed(text, "json", wrong.value)[0] == kind


@given(st.text(), st.sampled_from(FORMATS))
def test_no_text_raises_anything_else(text: str, format_: Format) -> None:
    try:
        wire.decode(text, format_)
    except msgspec.DecodeError as error:
        assert text == "" or wire.malformed(text, format_, error)[1]
    except UnicodeError:
        assert not text.isascii()


@given(st.integers(0, 10**30), st.sampled_from(FORMATS))
def test_a_command_is_never_too_long(number: int, format_: Format) -> None:
    for name in ("MARK_MEDIA", "FLUSH_MEDIA", "REPORT_QUEUE_DRAINED", "HANGUP", "ANSWER"):
        assert len(wire.command(name, format_, str(number)).encode()) <= wire.MOST_COMMAND_BYTES
