"""Invariant: commands are read and events written as `chan_websocket` in JSON does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sip_line.control import Channel, Command, CommandError, parse_command
from app.sip_line.out_queue import Status

CHANNEL = Channel("1795170608.1", "sip-line")


def test_a_command_with_and_without_its_fields() -> None:
    assert parse_command('{"command":"FLUSH_MEDIA"}') == Command("FLUSH_MEDIA")
    text = '{"command":"MARK_MEDIA","correlation_id":"g1:800"}'
    assert parse_command(text) == Command("MARK_MEDIA", "g1:800")
    text = '{"command":"SET_MEDIA_DIRECTION","direction":"in"}'
    assert parse_command(text) == Command("SET_MEDIA_DIRECTION", direction="in")


@pytest.mark.parametrize("text", ["", "ANSWER", "[]", '{"command":1}', '{"x":2}', "{"])
def test_what_is_no_command_is_called_as_asterisk_calls_it(text: str) -> None:
    with pytest.raises(CommandError, match="Unable to parse JSON command"):
        parse_command(text)


@given(st.text())
def test_no_text_does_more_than_raise(text: str) -> None:
    try:
        parse_command(text)
    except CommandError:
        return


def test_the_first_message_says_who_calls() -> None:
    assert json.loads(CHANNEL.start({"EARSHOT_TO": "100"})) == {
        "event": "MEDIA_START",
        "connection_id": "sip-line",
        "channel": "WebSocket/sip-line/1795170608.1",
        "channel_id": "1795170608.1",
        "format": "ulaw",
        "optimal_frame_size": 160,
        "ptime": 20,
        "channel_variables": {"EARSHOT_TO": "100"},
    }


def test_every_event_carries_the_channel() -> None:
    assert json.loads(CHANNEL.key("5")) == {
        "event": "DTMF_END",
        "channel_id": "1795170608.1",
        "digit": "5",
    }
    assert json.loads(CHANNEL.event("MEDIA_MARK_PROCESSED", "m1")) == {
        "event": "MEDIA_MARK_PROCESSED",
        "channel_id": "1795170608.1",
        "correlation_id": "m1",
    }
    assert "correlation_id" not in json.loads(CHANNEL.event("QUEUE_DRAINED"))
    assert json.loads(CHANNEL.error("no"))["error_text"] == "no"
    assert json.loads(CHANNEL.status(Status(3, True, False, True))) == {
        "event": "STATUS",
        "channel_id": "1795170608.1",
        "queue_length": 3,
        "xon_level": 800,
        "xoff_level": 900,
        "queue_full": True,
        "bulk_media": False,
        "media_paused": True,
    }
