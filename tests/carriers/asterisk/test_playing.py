"""Through a PBX's queue every mark comes back once and in its order, what was flushed before the
heart's fence; sound arrives whole and in its order; and silence never stands before it.

The queue is the lab's, which does as a real one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from app.carriers.asterisk.playing import MOST_MESSAGE_BYTES, XON_WAIT_MS, Playing
from app.carriers.line import Frame
from app.lab.pbx.channel import WebSocketChannel
from app.lab.pbx.queue import XOFF_FRAMES
from app.lab.pbx.wire import Teller
from app.lab.phone.impairments import Impairments
from telecodecs.g711 import FRAME_BYTES, ULAW_SILENCE

QUIET = ULAW_SILENCE * FRAME_BYTES


def frame(number: int) -> bytes:
    return bytes([number % 200]) * FRAME_BYTES


@dataclass
class Line:
    """Our side and the PBX's, without a network between."""

    playing: Playing = field(default_factory=lambda: Playing("json"))
    told: list[str] = field(default_factory=list)
    """Names of marks, as the heart is told."""
    held_back: bool = False
    """What the PBX tells is still on its way."""

    def __post_init__(self) -> None:
        self.events: list[str | bytes] = []
        self.now_ms = 0
        self.channel = WebSocketChannel(
            Teller("1.1", "bot", "json"),
            format_="json",
            impairments=Impairments(),
            origin_s=0.0,
            send=self.events.append,
            on_outcome=lambda outcome: None,
        )

    def sends(self, frames: list[Frame]) -> None:
        for one in frames:
            data = one.encode() if isinstance(one, str) else one
            self.channel.receive(data, binary=isinstance(one, bytes), at_s=self.now_ms / 1000)
        self.hear()

    def hear(self) -> None:
        """What the PBX has told so far."""
        while self.events and not self.held_back:
            event = self.events.pop(0)
            assert isinstance(event, str), "no caller speaks here"
            self._take(json.loads(event))

    def _take(self, event: dict[str, str]) -> None:
        match event["event"]:
            case "MEDIA_MARK_PROCESSED":
                self.told += self.playing.processed(event["correlation_id"])
            case "QUEUE_DRAINED":
                self.told += self.playing.drained()
            case "MEDIA_XOFF":
                self.playing.xoff()
            case "MEDIA_XON":
                self.sends(self.playing.xon())

    def tick(self, n: int = 1) -> None:
        for _ in range(n):
            self.channel.advance(self.now_ms / 1000)
            self.channel.caller_frame(None)
            self.now_ms += 20
            self.hear()

    @property
    def heard(self) -> list[bytes]:
        """What the caller heard, frames of silence left out."""
        return [one for one in self.channel.played.frames if one and one != QUIET]


def test_a_mark_comes_back_once_all_before_it_was_played() -> None:
    line = Line()
    line.sends(line.playing.mark("s0.0"))
    line.sends(line.playing.audio(frame(1) + frame(2)))
    line.sends(line.playing.mark("e0.320"))
    line.tick()
    assert line.told == ["s0.0"]
    line.tick(2)
    assert line.told == ["s0.0", "e0.320"]


def test_what_a_flush_drops_is_told_before_the_fence_and_at_the_flush() -> None:
    line = Line()
    for name in ("p0.160", "p0.320", "p0.480"):
        line.sends(line.playing.audio(frame(1)))
        line.sends(line.playing.mark(name))
    line.tick(2)
    line.sends(line.playing.mark("f0"))
    line.sends(line.playing.clear())
    line.tick()
    assert line.told == ["p0.160", "p0.320", "p0.480", "f0"]
    assert len(line.heard) == 2


def test_sound_that_follows_a_flush_at_once_is_not_dropped_with_it() -> None:
    line = Line()
    line.sends(line.playing.audio(frame(1)))
    line.sends(line.playing.mark("f0"))
    line.sends(line.playing.clear())
    line.sends(line.playing.mark("s1.0"))
    line.sends(line.playing.audio(frame(2)))
    line.tick(3)
    assert line.told == ["f0", "s1.0"]
    assert line.heard == [frame(2)]


def test_a_mark_that_was_played_while_the_flush_was_on_its_way_counts_as_played_then() -> None:
    line = Line()
    line.sends(line.playing.audio(frame(1)))
    line.sends(line.playing.mark("p0.160"))
    line.held_back = True
    line.tick(2)
    line.sends(line.playing.clear())
    line.held_back = False
    line.hear()
    assert line.told == ["p0.160"], "before the flush is known to be done"


def test_nothing_but_a_flush_goes_out_while_the_queue_is_full() -> None:
    line = Line()
    for number in range(XOFF_FRAMES + 30):
        line.sends(line.playing.audio(frame(number)))
    assert line.channel.queue.frames == XOFF_FRAMES
    assert line.playing.kept == 30
    assert line.playing.mark("e") == []
    assert line.playing.idle(line.now_ms) == []
    line.tick(XOFF_FRAMES + 40)
    assert line.heard == [frame(number) for number in range(XOFF_FRAMES + 30)]
    assert line.told == ["e"]
    assert line.channel.faults == []


def test_a_flush_while_the_queue_is_full_opens_it_again() -> None:
    line = Line()
    for number in range(XOFF_FRAMES + 5):
        line.sends(line.playing.audio(frame(number)))
    line.sends(line.playing.mark("f0"))
    line.sends(line.playing.clear())
    line.sends(line.playing.audio(frame(7)))
    line.sends(line.playing.mark("e1"))
    line.tick(3)
    assert line.heard == [frame(7)]
    assert line.told == ["f0", "e1"]


def test_sound_that_fills_no_frame_waits_for_its_rest_or_is_filled_at_a_mark() -> None:
    line = Line()
    line.sends(line.playing.audio(b"\x01" * 100))
    line.sends(line.playing.audio(b"\x01" * 100))
    line.sends(line.playing.mark("e"))
    line.tick(3)
    assert b"".join(line.heard) == b"\x01" * 200 + ULAW_SILENCE * 120
    assert line.channel.faults == []


def test_long_sound_goes_out_in_messages_that_a_pbx_takes() -> None:
    sent = Playing("json").audio(b"\x01" * 80_000)
    assert max(map(len, sent)) == MOST_MESSAGE_BYTES
    assert b"".join(one for one in sent if isinstance(one, bytes)) == b"\x01" * 80_000


def test_silence_keeps_the_line_alive_and_stands_before_nothing() -> None:
    line = Line()
    for _ in range(20):
        line.sends(line.playing.idle(line.now_ms))
        line.tick(5)
    assert line.channel.played.frames == [QUIET] * 100
    line.sends(line.playing.idle(line.now_ms))
    line.sends(line.playing.mark("s0.0"))
    line.sends(line.playing.audio(frame(1)))
    line.tick()
    assert line.channel.played.frames[-1] == frame(1)
    assert line.told == ["s0.0"]


def test_there_is_no_silence_until_all_that_was_said_is_known_to_be_over() -> None:
    line = Line()
    line.sends(line.playing.audio(frame(1)))
    assert line.playing.idle(10_000) == []
    line.sends(line.playing.mark("e"))
    assert line.playing.idle(10_000) == []
    line.tick(2)
    assert line.playing.idle(10_000) != []
    line.sends(line.playing.clear())
    assert line.playing.idle(20_000) == []
    line.tick(2)
    assert line.playing.idle(20_000) != []


Step = Callable[[Line, int], None]


def _says(line: Line, number: int) -> None:
    line.sends(line.playing.audio(frame(number)))


def _marks(line: Line, number: int) -> None:
    line.sends(line.playing.mark(f"m{number}"))


def _clears(line: Line, number: int) -> None:
    line.sends(line.playing.mark(f"m{number}"))
    line.sends(line.playing.clear())


def _ticks(line: Line, number: int) -> None:
    line.tick()


def _idles(line: Line, number: int) -> None:
    line.sends(line.playing.idle(line.now_ms))


def _late(line: Line, number: int) -> None:
    line.held_back = not line.held_back
    line.hear()


STEPS = st.lists(st.sampled_from((_says, _says, _marks, _clears, _ticks, _idles, _late)))


@given(STEPS)
def test_every_mark_comes_back_once_and_in_order_whatever_happens(steps: list[Step]) -> None:
    line = Line()
    sent = [f"m{n}" for n, step in enumerate(steps) if step in (_marks, _clears)]
    for number, step in enumerate(steps):
        step(line, number)
    line.held_back = False
    line.tick(len(steps) + 3)
    assert line.told == sent
    assert line.channel.faults == []
    said = [frame(n) for n, step in enumerate(steps) if step is _says]
    rest = iter(said)
    assert all(any(one == other for other in rest) for one in line.heard), "in their order"
    last_clear = max((n for n, step in enumerate(steps) if step is _clears), default=-1)
    after = [frame(n) for n, step in enumerate(steps) if step is _says and n > last_clear]
    assert line.heard[len(line.heard) - len(after) :] == after, "nothing later is lost"


def test_an_xon_that_never_comes_is_not_waited_for_for_ever() -> None:
    playing = Playing("json")
    playing.xoff()
    assert playing.audio(frame(1)) == []
    assert playing.idle(5_000) == []
    playing.xoff()
    assert playing.idle(6_000) == []
    assert playing.idle(5_900 + XON_WAIT_MS) == []
    assert playing.idle(6_000 + XON_WAIT_MS) == [frame(1)]
    assert playing.audio(frame(2)) == [frame(2)]
