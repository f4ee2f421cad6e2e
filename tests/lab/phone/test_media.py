"""A stream counts on the carrier's clock: 50 frames a second, echoes dated by the media around."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.lab.phone.impairments import Impairments, Window
from app.lab.phone.media import BACKLOG_BYTES, INVALID_MESSAGE, SLOW_READER, MediaStream
from app.lab.phone.wire import StreamIdentity

SID = "MZ" + "0" * 32
FRAME = b"\x10" * 160
ORIGIN_S = 100.0


class Bench:
    """A stream whose messages are collected, ticked by hand."""

    def __init__(self, impairments: Impairments | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.backlog_bytes = 0
        self.cleared_ms: list[float] = []
        self.stream = MediaStream(
            StreamIdentity(SID, "CA1", "AC1"),
            parameters={},
            impairments=impairments or Impairments(),
            origin_s=ORIGIN_S,
            send=lambda text: self.sent.append(json.loads(text)),
            backlog_bytes=lambda: self.backlog_bytes,
            on_clear=self.cleared_ms.append,
        )
        self.stream.open()

    def tick(self, times: int = 1, frame: bytes | None = FRAME) -> None:
        for _ in range(times):
            self.stream.advance(ORIGIN_S + self.stream.ticks * 0.02)
            self.stream.caller_frame(frame)

    def bot(self, event: str, at_s: float = ORIGIN_S, **body: object) -> None:
        text = json.dumps({"event": event, "streamSid": SID, **body})
        self.stream.receive(text.encode(), binary=False, at_s=at_s)

    def speak(self, audio: bytes) -> None:
        self.bot("media", media={"payload": base64.b64encode(audio).decode()})

    def media(self) -> list[dict[str, Any]]:
        return [message["media"] for message in self.sent if message["event"] == "media"]


def test_fifty_frames_a_second_with_exact_timestamps() -> None:
    bench = Bench()
    bench.tick(500)
    assert [int(media["timestamp"]) for media in bench.media()] == list(range(0, 10_000, 20))
    assert [int(media["chunk"]) for media in bench.media()] == list(range(1, 501))
    numbers = [int(message["sequenceNumber"]) for message in bench.sent[1:]]
    assert numbers == list(range(1, 502))


def test_the_first_timestamp_can_be_other_than_zero() -> None:
    bench = Bench(Impairments(first_timestamp_ms=59))
    bench.tick(2)
    assert [media["timestamp"] for media in bench.media()] == ["59", "79"]
    assert bench.stream.carrier_ms(ORIGIN_S + 0.5) == 559


def test_a_gap_makes_timestamps_jump_while_chunks_go_on() -> None:
    bench = Bench(Impairments(gaps=(Window(40, 40),)))
    bench.tick(2)
    bench.tick(4)
    bench.tick(2, frame=None)
    bench.tick()
    seen = [(media["timestamp"], media["chunk"]) for media in bench.media()]
    assert seen == [("0", "1"), ("20", "2"), ("80", "3"), ("100", "4"), ("160", "5")]
    assert (bench.stream.sent_frames, bench.stream.withheld_frames) == (5, 4)


def test_an_echo_leaves_before_the_caller_frame_of_the_tick_at_which_it_was_due() -> None:
    bench = Bench()
    bench.speak(b"a" * 320)
    bench.bot("mark", mark={"name": "end"})
    bench.tick(4)
    order = [
        message.get("media", {}).get("timestamp", message["event"]) for message in bench.sent[2:]
    ]
    assert order == ["0", "20", "mark", "40", "60"]


def test_a_clear_answers_with_the_pending_marks_before_anything_else() -> None:
    bench = Bench()
    bench.speak(b"a" * 1600)
    for name in ("one", "two"):
        bench.bot("mark", mark={"name": name})
    bench.tick()
    before = len(bench.sent)
    bench.bot("clear", at_s=ORIGIN_S + 0.007)
    bench.bot("mark", mark={"name": "fence"}, at_s=ORIGIN_S + 0.008)
    assert [message["mark"]["name"] for message in bench.sent[before:]] == ["one", "two", "fence"]
    assert [round(at_ms) for at_ms in bench.cleared_ms] == [7]
    assert bench.stream.unplayed_bytes == 0


def test_invalid_messages_and_binary_frames_are_recorded_and_the_stream_goes_on() -> None:
    bench = Bench()
    bench.stream.receive(b"{", binary=False, at_s=ORIGIN_S)
    bench.stream.receive(b"\x00", binary=True, at_s=ORIGIN_S)
    bench.speak(b"a" * 160)
    bench.tick(2)
    assert [fault.code for fault in bench.stream.faults] == [INVALID_MESSAGE] * 2
    assert bench.stream.played.position == 160


def test_a_slow_reader_loses_caller_audio_and_it_is_reported_once_a_spell() -> None:
    bench = Bench()
    bench.tick()
    bench.backlog_bytes = BACKLOG_BYTES + 1
    bench.tick(3)
    bench.backlog_bytes = 0
    bench.tick()
    assert [media["timestamp"] for media in bench.media()] == ["0", "80"]
    assert [fault.code for fault in bench.stream.faults] == [SLOW_READER]


def test_stop_is_sent_once_and_ends_the_hearing() -> None:
    bench = Bench()
    bench.stream.stop()
    bench.stream.stop()
    bench.speak(b"a" * 160)
    assert [message["event"] for message in bench.sent] == ["connected", "start", "stop"]
    assert bench.stream.unplayed_bytes == 0


@given(st.lists(st.integers(1, 1000), max_size=30))
def test_what_is_heard_does_not_depend_on_how_it_was_cut(sizes: list[int]) -> None:
    audio = bytes(i % 253 for i in range(sum(sizes)))
    bench = Bench()
    at = 0
    for size in sizes:
        bench.speak(audio[at : at + size])
        at += size
    bench.tick(-(-len(audio) // 160) + 1)
    assert b"".join(frame or b"" for frame in bench.stream.played.frames) == audio
