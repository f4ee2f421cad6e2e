"""The lab's queue does as a real chan_websocket was seen to: whole frames, marks that cost no time,
flushes without a word, XOFF at 900 and XON below 800, and nothing above 1,000."""

from typing import Any

import pytest

from app.lab.pbx.queue import MediaQueue
from app.lab.phone.truth import Played

FRAME = b"\x01" * 160


class Watched:
    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.played = Played()
        self.queue = MediaQueue(self.played, lambda event, **fields: self.tell(event, fields))
        self.ticks = 0

    def tell(self, event: str, fields: dict[str, Any]) -> None:
        self.told.append((event, fields))

    def tick(self, n: int = 1) -> list[bytes | None]:
        frames = []
        for _ in range(n):
            frames.append(self.queue.tick(20 * self.ticks, self.ticks / 50))
            self.ticks += 1
        return frames

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.told]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_one_frame_a_tick_and_none_when_there_is_none(watched: Watched) -> None:
    watched.queue.push(FRAME * 2, 0.0)
    assert watched.tick(3) == [FRAME, FRAME, None]


def test_a_tail_that_fills_no_frame_is_dropped_unless_media_is_buffered(watched: Watched) -> None:
    watched.queue.push(FRAME + b"\x01" * 80, 0.0)
    watched.queue.push(b"\x01" * 80, 0.0)
    assert watched.tick(2) == [FRAME, None]
    watched.queue.begin_buffering()
    watched.queue.push(b"\x01" * 100, 0.0)
    watched.queue.push(b"\x01" * 100, 0.0)
    watched.queue.end_buffering("b1", 0.0)
    assert watched.tick(3) == [FRAME, b"\x01" * 40, None]
    assert watched.told[-1] == ("MEDIA_BUFFERING_COMPLETED", {"correlation_id": "b1"})


def test_marks_are_told_in_front_of_the_next_frame_and_cost_no_time(watched: Watched) -> None:
    watched.queue.push(FRAME, 0.0)
    watched.queue.mark("1", 0.0)
    watched.queue.mark("2", 0.0)
    watched.queue.push(FRAME, 0.0)
    watched.tick()
    assert watched.events == []
    assert watched.tick() == [FRAME]
    assert [fields["correlation_id"] for _, fields in watched.told] == ["1", "2"]


def test_a_flush_drops_frames_and_marks_without_a_word(watched: Watched) -> None:
    watched.queue.push(FRAME * 5, 0.0)
    watched.queue.mark("1", 0.0)
    watched.queue.report_drained()
    watched.tick()
    watched.queue.flush(25.0)
    watched.tick(2)
    assert watched.events == ["QUEUE_DRAINED"]
    [clear] = watched.played.clears
    assert (clear.dropped_bytes, clear.flushed) == (640, ("1",))


def test_the_wish_to_be_told_of_an_empty_queue_is_granted_once(watched: Watched) -> None:
    watched.queue.push(FRAME, 0.0)
    watched.queue.report_drained()
    watched.tick(5)
    assert watched.events == ["QUEUE_DRAINED"]


def test_the_levels_at_which_sound_is_refused_and_taken_again(watched: Watched) -> None:
    queue = watched.queue
    queue.push(FRAME * 899, 0.0)
    assert watched.events == []
    queue.push(FRAME * 121, 0.0)
    assert (queue.frames, watched.events) == (1_020, ["MEDIA_XOFF"])
    queue.push(FRAME, 0.0)
    assert (queue.frames, queue.dropped_bytes) == (1_020, 160)
    watched.tick(221)
    assert watched.events == ["MEDIA_XOFF"]
    watched.tick()
    assert watched.events == ["MEDIA_XOFF", "MEDIA_XON"]


def test_a_pause_holds_the_queue_and_a_flush_does_not_end_it(watched: Watched) -> None:
    watched.queue.push(FRAME, 0.0)
    watched.queue.paused = True
    assert watched.tick(2) == [None, None]
    watched.queue.flush(30.0)
    assert watched.queue.status()["media_paused"] is True
