"""Invariant: every call is fed all of its audio at the real pattern, half of the calls a tick."""

from app.speech.vad.engine import VoiceEngine
from bench.vad_cost import RUNS, cost
from tests.speech.vad.fake_scorer import FakeScorer


def test_all_windows_of_all_calls_are_counted() -> None:
    scorers: list[FakeScorer] = []

    def make() -> VoiceEngine:
        scorers.append(FakeScorer())
        return VoiceEngine(scorers[-1])

    found = cost(make, 4, 2, None)
    assert len(scorers) == RUNS
    windows = 2 * 8000 // FakeScorer.window_bytes
    for scorer in scorers:
        assert [len(asked) for asked in scorer.asked.values()] == [windows] * 4
        assert set(scorer.batches) == {2}
    assert found.calls == 4
    assert 0.98 < found.inferred_share <= 1.0
    assert found.batch == 2.0
    assert found.cpu_ms > 0
