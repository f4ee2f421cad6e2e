"""A line ticks by deadlines: late ticks are made up for, and no lag ever shifts the schedule."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp, TwimlSource
from app.lab.phone.identity import CallIdentity
from app.lab.phone.impairments import Band, Clipping, Echo, Impairments, KeyLeak, Noise
from app.lab.phone.media import MediaStream
from app.lab.phone.report import LineEvent
from app.lab.phone.script import HangUp, Press, Say, Script, Silence, Wait
from app.lab.phone.wire import StreamIdentity
from app.lab.speech.coded import coded_audio
from telecodecs.levels import ulaw_dbfs, ulaw_peak
from tests.lab.phone.virtual import VirtualClock


class Bench:
    """A call on a clock of its own, with a stream whose messages are collected."""

    def __init__(self, script: Script, impairments: Impairments | None = None) -> None:
        self.clock = VirtualClock()
        self.events: list[LineEvent] = []
        self.sent: list[dict[str, Any]] = []
        self.call = LiveCall(
            CallIdentity("CA1", "AC1", "+1", "+2", "inbound"),
            script,
            self.clock,
            impairments or Impairments(),
            self.events.append,
        )

    def attach(self) -> MediaStream:
        stream = MediaStream(
            StreamIdentity("MZ1", "CA1", "AC1"),
            parameters={},
            impairments=Impairments(),
            origin_s=self.call.next_tick_s,
            send=lambda text: self.sent.append(json.loads(text)),
        )
        self.call.stream = stream
        return stream

    def timestamps(self) -> list[int]:
        media = [message["media"] for message in self.sent if message["event"] == "media"]
        return [int(each["timestamp"]) for each in media]

    def payloads(self) -> bytes:
        media = [message["media"] for message in self.sent if message["event"] == "media"]
        return b"".join(base64.b64decode(each["payload"]) for each in media)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 300)), max_size=10))
def test_the_count_of_frames_depends_on_time_alone(lags: list[tuple[int, int]]) -> None:
    bench = Bench(Script())
    bench.call.answer()
    bench.attach()
    for run_ms, frozen_ms in lags:
        bench.clock.advance(run_ms)
        bench.clock.freeze(frozen_ms)
    bench.clock.advance(30)
    total_ms = sum(run_ms + frozen_ms for run_ms, frozen_ms in lags) + 30
    count = len(bench.timestamps())
    assert abs(count - (total_ms // 20 + 1)) <= 1  # a tick on the very edge may fall either way
    assert bench.timestamps() == [20 * tick for tick in range(count)]


def test_lag_is_reported() -> None:
    bench = Bench(Script())
    bench.call.answer()
    bench.clock.advance(100)
    bench.clock.freeze(75)
    bench.clock.advance(1)
    assert 40 <= bench.call.report.max_lag_ms <= 75


def test_what_the_caller_says_reaches_the_stream_and_the_recording() -> None:
    bench = Bench(Script((Say(b"s" * 320), Silence(40)), background="silence"))
    bench.call.answer()
    bench.attach()
    bench.clock.advance(119)
    assert bench.timestamps() == [0, 20, 80, 100]
    assert bench.call.report.recording.caller == b"s" * 320 + b"\xff" * 640
    assert len(bench.call.report.recording.heard) == 960


def test_keys_go_to_the_stream_or_else_to_whoever_gathers() -> None:
    bench = Bench(Script((Press("1", gap_ms=100), Press("2", gap_ms=100))))
    bench.call.answer()
    bench.attach()
    bench.clock.advance(90)
    bench.call.stream = None
    bench.clock.advance(100)
    dtmf = [message["dtmf"]["digit"] for message in bench.sent if message["event"] == "dtmf"]
    assert (dtmf, bench.call.keys.get_nowait()) == (["1"], "2")


def test_a_line_of_ones_own_audio_replaces_the_scripts() -> None:
    slots: list[tuple[int, bytes | None]] = []

    def audio(tick: int, speech: bytes | None) -> bytes | None:
        slots.append((tick, speech))
        return None if tick == 1 else b"x" * 160

    bench = Bench(Script((Say(b"s" * 160),), line_audio=audio))
    bench.call.answer()
    bench.clock.advance(10)
    bench.attach()
    bench.clock.advance(60)
    assert slots == [(-1, b"s" * 160), (0, None), (1, None), (2, None)]
    assert bench.timestamps() == [0, 40]


def test_the_line_has_its_sound_all_the_time_and_the_recording_has_it_too() -> None:
    noisy = Impairments(noise=Noise("white", 10), key_leak=KeyLeak(-20.0))
    script = Script((Wait(100), Say(b"\xff" * 320), Press("5", gap_ms=200)), background="silence")
    bench = Bench(script, noisy)
    bench.call.answer()
    bench.clock.advance(40)
    bench.attach()
    bench.clock.advance(400)
    caller = bytes(bench.call.report.recording.caller)
    levels = [ulaw_dbfs(caller[at : at + 160]) for at in range(0, len(caller), 160)]
    assert all(level == pytest.approx(-30, abs=1.5) for level in levels[:7])
    assert all(level == pytest.approx(-19.6, abs=1.5) for level in levels[7:12])
    assert bench.payloads() == caller[-len(bench.payloads()) :]
    assert len(bench.payloads()) > 2_000


def test_the_echo_is_of_what_the_bot_is_heard_to_say() -> None:
    bench = Bench(Script(background="silence"), Impairments(echo=Echo(50, 6.0)))
    bench.call.answer()
    bench.clock.advance(50)
    stream = bench.attach()
    words = {"payload": base64.b64encode(b"\x10" * 320).decode()}
    message = json.dumps({"event": "media", "streamSid": "MZ1", "media": words}).encode()
    stream.receive(message, binary=False, at_s=bench.clock.now_s())
    bench.clock.advance(300)
    played = stream.played
    back = bench.payloads()
    assert played.heard_at(0) == 0
    assert back[: 50 * 8] == b"\xff" * 50 * 8
    assert ulaw_peak(back[50 * 8 : 90 * 8]) > 2_000
    assert back[95 * 8 :] == b"\xff" * (len(back) - 95 * 8)


def test_a_line_of_ones_own_audio_stays_as_it_is() -> None:
    audio = coded_audio(3, 0, 200, quiet=False)

    def line(tick: int, speech: bytes | None) -> bytes | None:
        return audio[tick * 160 : tick * 160 + 160] if 0 <= tick < 10 else None

    every = Impairments(
        noise=Noise("white", 0),
        clipping=Clipping(),
        echo=Echo(0, 0),
        band=Band(),
        key_leak=KeyLeak(),
    )
    bench = Bench(Script((Press("1"),), line_audio=line), every)
    bench.call.answer()
    bench.attach()
    bench.clock.advance(300)
    assert bench.payloads() == audio


def test_the_report_tells_what_was_said_and_when_also_if_the_call_ended_meanwhile() -> None:
    words = b"\xff" * 80 + b"\x10" * 800
    script = Script((Wait(100), Say(words, "one"), Wait(40), Say(words, "two", kind="hold")))
    for impairments, later_ms in ((Impairments(), 0), (Impairments(band=Band()), 4)):
        bench = Bench(script, impairments)
        bench.call.answer()
        bench.clock.advance(319)
        bench.call.finish("caller", "completed")
        one, two = bench.call.report.spoken
        assert (one.kind, one.text, two.kind, two.text) == ("speech", "one", "hold", "two")
        assert (one.onset_ms, one.end_ms) == (110 + later_ms, 210 + later_ms)
        assert (two.onset_ms, two.end_ms) == (270 + later_ms, 320)


def test_the_first_hang_up_counts_and_beats_a_redirect() -> None:
    bench = Bench(Script())
    bench.call.redirect(TwimlSource("http://x/"))
    bench.call.hang_up("rest", "canceled")
    bench.call.hang_up("caller")
    bench.call.redirect(TwimlSource("http://x/"))
    assert bench.call.interruption == HungUp("rest", "canceled")
    assert bench.call.take_redirect() is None


async def test_a_redirect_is_taken_once() -> None:
    bench = Bench(Script())
    bench.call.redirect(TwimlSource("http://x/"))
    await bench.call.interrupted()
    assert bench.call.take_redirect() == TwimlSource("http://x/")
    assert bench.call.take_redirect() is None
    assert bench.call.interruption is None


def test_a_finished_call_ticks_no_more() -> None:
    bench = Bench(Script((Wait(40), HangUp())))
    bench.call.answer()
    bench.clock.advance(100)
    assert bench.call.interruption == HungUp("caller")
    bench.call.finish("caller", "completed")
    length = len(bench.call.report.recording.caller)
    bench.clock.advance(1000)
    assert len(bench.call.report.recording.caller) == length
    assert (bench.call.report.status, bench.call.report.duration_ms) == ("completed", 100)
    assert not bench.call.report.unfinished
