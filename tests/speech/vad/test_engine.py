"""Invariant: all streams that are due share one inference, none disturbs another, a closed one is
silent, and no run takes more than its rounds."""

from app.speech.vad.changes import VoiceChange, VoiceStarted
from app.speech.vad.engine import ROUNDS, VoiceEngine
from app.speech.vad.stream import VoiceStream
from tests.speech.vad.fake_scorer import VOICE, FakeScorer

WINDOW = FakeScorer.window_bytes
SPOKEN = VOICE * WINDOW


def test_what_is_complete_goes_in_one_batch_and_the_rest_waits() -> None:
    scorer = FakeScorer()
    engine = VoiceEngine(scorer)
    streams = [engine.open(lambda change: None) for _ in range(5)]
    for stream in streams[:3]:
        stream.feed(SPOKEN)
    streams[3].feed(SPOKEN[:-1])
    assert engine.due
    engine.run()
    assert scorer.batches == [3]
    assert not engine.due
    streams[3].feed(VOICE)
    engine.run()
    assert scorer.batches == [3, 1]
    assert (engine.inferred_windows, engine.batches) == (4, 2)


def test_feeding_infers_nothing_and_tells_nothing() -> None:
    scorer, told = FakeScorer(), list[VoiceChange]()
    engine = VoiceEngine(scorer)
    engine.open(told.append).feed(SPOKEN * 10)
    assert scorer.batches == []
    assert told == []


def test_each_listener_hears_of_its_own_stream() -> None:
    engine = VoiceEngine(FakeScorer())
    told = [list[VoiceChange]() for _ in range(3)]
    streams = [engine.open(changes.append) for changes in told]
    streams[1].feed(SPOKEN * 2)
    streams[2].feed(b"\xff" * 512)
    engine.run()
    assert [len(changes) for changes in told] == [0, 1, 0]


def test_a_backlog_is_worked_off_a_few_windows_a_run() -> None:
    scorer = FakeScorer()
    engine = VoiceEngine(scorer)
    engine.open(lambda change: None).feed(SPOKEN * (2 * ROUNDS + 1))
    engine.run()
    assert scorer.batches == [1] * ROUNDS
    assert engine.due
    engine.run()
    engine.run()
    assert scorer.batches == [1] * (2 * ROUNDS + 1)
    assert not engine.due


def test_a_closed_stream_is_forgotten_even_if_it_is_fed_again() -> None:
    scorer, told = FakeScorer(), list[VoiceChange]()
    engine = VoiceEngine(scorer)
    stream = engine.open(told.append)
    stream.feed(SPOKEN * 2)
    engine.close(stream)
    engine.close(stream)
    stream.feed(SPOKEN * 2)
    engine.run()
    assert (scorer.closed, scorer.batches, told, len(engine)) == ([stream.slot], [], [], 0)


def test_a_listener_may_close_streams_that_still_have_news() -> None:
    engine = VoiceEngine(FakeScorer())
    streams: list[VoiceStream] = []
    told: list[VoiceChange] = []

    def hang_up(change: VoiceChange) -> None:
        told.append(change)
        for stream in streams:
            engine.close(stream)

    streams += [engine.open(hang_up) for _ in range(2)]
    for stream in streams:
        stream.feed(SPOKEN * 2)
    engine.run()
    assert len(told) == 1


def test_a_reset_forgets_the_voice_and_keeps_the_axis() -> None:
    scorer, told = FakeScorer(), list[VoiceChange]()
    engine = VoiceEngine(scorer)
    stream = engine.open(told.append)
    stream.feed(SPOKEN * 2 + SPOKEN[:100])
    engine.run()
    engine.reset(stream)
    assert (stream.in_voice, scorer.resets) == (False, [stream.slot])
    stream.feed(SPOKEN * 2)
    engine.run()
    starts = [change for change in told if isinstance(change, VoiceStarted)]
    assert [start.axis_ms for start in starts] == [76, 140]
    assert starts[1].began_ms == (2 * WINDOW + 100) // 8
