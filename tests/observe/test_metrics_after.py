"""What is counted after a call has the values that those who tell it can have, and no other."""

from typing import get_args

from app.after.extraction import Status
from app.observe import metrics_families as families
from app.observe.metrics import Metrics
from app.outgoing.store import Backlog
from app.outgoing.watch import End, Outcome, Watch
from tests.observe.metered import samples


def test_the_labels_are_those_of_the_rooms_that_tell() -> None:
    assert families.EXTRACTIONS.labels["status"] == get_args(Status)
    assert families.WEBHOOK_ATTEMPTS.labels["outcome"] == get_args(Outcome)
    assert families.WEBHOOKS_ENDED.labels["end"] == get_args(End)


def test_extractions_are_counted_and_timed_where_a_model_was_asked() -> None:
    metrics = Metrics()
    metrics.after.extracted("ok", 2, 3.5)
    metrics.after.extracted("nothing_said", 0, 0.0)
    metrics.after.extracted("what a later version knows", 1, 1.0)
    assert samples(metrics) == {
        'earshot_extractions_total{status="ok"}': 1,
        'earshot_extractions_total{status="nothing_said"}': 1,
        "earshot_extraction_requests_total": 3,
        "earshot_extraction_seconds_count": 2,
        "earshot_extraction_seconds_sum": 4.5,
    }


def test_webhooks_are_counted_and_the_oldest_that_waits_has_its_age() -> None:
    metrics = Metrics()
    watch: Watch = metrics.webhooks
    watch.attempted("refused")
    watch.attempted("taken")
    watch.ended("delivered")
    watch.backlog(Backlog(waiting=2, dead=1, oldest_s=1_000.0), 1_090.0)
    assert samples(metrics) == {
        'earshot_webhook_attempts_total{outcome="refused"}': 1,
        'earshot_webhook_attempts_total{outcome="taken"}': 1,
        'earshot_webhooks_ended_total{end="delivered"}': 1,
        'earshot_webhooks_kept{state="waiting"}': 2,
        'earshot_webhooks_kept{state="dead"}': 1,
        "earshot_webhook_oldest_waiting_seconds": 90,
    }
    watch.backlog(Backlog(), 1_100.0)
    assert "earshot_webhook_oldest_waiting_seconds" not in samples(metrics)
