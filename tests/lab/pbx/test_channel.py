"""The lab's WebSocket channel keeps to a real one's limits, and notes what it was told wrongly."""

import json

import pytest

from app.lab.pbx.channel import Outcome, WebSocketChannel
from app.lab.pbx.wire import Format, Teller
from app.lab.phone.impairments import Impairments


class Driven:
    def __init__(self, format_: Format = "json") -> None:
        self.sent: list[str | bytes] = []
        self.outcomes: list[Outcome] = []
        self.channel = WebSocketChannel(
            Teller("1.1", "bot", format_),
            format_=format_,
            impairments=Impairments(),
            origin_s=0.0,
            send=self.sent.append,
            on_outcome=self.outcomes.append,
        )

    def told(self, text: str) -> None:
        self.channel.receive(text.encode(), binary=False, at_s=0.0)


def test_a_caller_who_sends_no_rtp_is_not_heard() -> None:
    driven = Driven()
    driven.channel.caller_frame(None)
    driven.channel.caller_frame(b"\x7e" * 160)
    assert driven.sent == [b"\x7e" * 160]
    assert driven.channel.withheld_frames == 1


def test_a_text_of_more_than_128_bytes_is_dropped_without_a_word() -> None:
    driven = Driven("plain")
    driven.told("MARK_MEDIA " + "x" * 118)
    driven.channel.advance(0.0)
    assert driven.sent == []
    assert len(driven.channel.faults) == 1
    driven.told("MARK_MEDIA " + "x" * 117)
    driven.channel.advance(0.0)
    assert driven.sent == ["MEDIA_MARK_PROCESSED " + "x" * 117]


def test_a_message_of_more_sound_than_a_pbx_takes_ends_the_channel() -> None:
    driven = Driven()
    driven.channel.receive(b"\x01" * 65_500, binary=True, at_s=0.0)
    assert driven.outcomes == []
    driven.channel.receive(b"\x01" * 65_501, binary=True, at_s=0.0)
    assert driven.outcomes == ["too_big"]


@pytest.mark.parametrize("text", ["FLUSH", "flush_media", "MARK_MEDIAS 1"])
def test_a_command_that_there_is_none_gets_no_answer(text: str) -> None:
    driven = Driven("plain")
    driven.told(text)
    assert driven.sent == []
    assert len(driven.channel.faults) == 1


def test_json_that_is_none_is_answered() -> None:
    driven = Driven()
    driven.told("{")
    [answer] = driven.sent
    assert json.loads(answer)["error_text"] == "Unable to parse JSON command"


def test_the_status_says_how_it_stands() -> None:
    driven = Driven()
    driven.channel.receive(b"\x01" * 480, binary=True, at_s=0.0)
    driven.told('{"command":"GET_STATUS"}')
    [answer] = driven.sent
    status = json.loads(answer)
    assert (status["queue_length"], status["xon_level"], status["xoff_level"]) == (3, 800, 900)


def test_the_bot_answers_and_hangs_up() -> None:
    driven = Driven()
    driven.told('{"command":"ANSWER"}')
    driven.told('{"command":"HANGUP"}')
    assert driven.outcomes == ["answered", "hung_up"]
