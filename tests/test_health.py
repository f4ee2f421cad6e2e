"""A worker says that it lives, and whether it can take another call; if not, why."""

from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from app.bridge.switchboard import Switchboard
from app.health import health_pages, metrics_page
from app.observe.metrics import Metrics
from tests.asgi import ask


async def test_a_worker_is_alive_and_ready_until_it_is_full() -> None:
    lag_ms = 0.0
    board = Switchboard(1, lag_ms=lambda: lag_ms, max_lag_ms=200)
    app = Starlette(routes=health_pages(board))
    assert await ask(app, "/healthz") == (200, "ok")
    assert await ask(app, "/readyz") == (200, "ready")
    board.offer("CA1")
    full = "no room for another call: as many calls as it may carry"
    assert await ask(app, "/readyz") == (503, full)
    board.withdraw("CA1")
    lag_ms = 201.0
    late = "no room for another call: it cannot keep up with those it has"
    assert await ask(app, "/readyz") == (503, late)
    lag_ms = 0.0
    board.draining = True
    assert await ask(app, "/readyz") == (503, "no room for another call: draining")
    assert await ask(app, "/healthz") == (200, "ok")


async def test_the_figures_are_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.refused("full")
    status, text = await ask(Starlette(routes=[metrics_page(metrics)]), "/metrics")
    assert status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["earshot_calls_refused_total", "full"] == 1
