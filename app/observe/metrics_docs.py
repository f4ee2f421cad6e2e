"""The page of metrics, in the metrics' own words: `python -m app.observe.metrics_docs`.

The words stand beside the metrics in metrics_families.py; here is what to ask of them.
"""

from collections.abc import Iterable

from app.observe.metrics_families import SECTIONS
from app.observe.metrics_kinds import CounterFamily, Family, GaugeFamily

__all__ = ["ALERTS", "QUERIES", "render_page"]

_HEAD = """\
# Metrics

<!-- Made by `python -m app.observe.metrics_docs > docs/metrics.md`. Change the code, not this. -->

Every worker answers `GET /metrics` in Prometheus' text format. Nothing has to be set.

- Durations are in seconds, whatever the log and the timelines say in milliseconds.
- Labels are closed lists. No number, word, key press or id of a call is ever in one.
- A call counts on the worker that carries it: one that moves to another worker ends here and starts
  there, told apart by the label `entry`.
- Several worker processes of one `--workers` share their figures: whichever is scraped answers for
  all. Several machines are several targets.

## Who may read it

The figures name no person, but they tell how busy you are and what you spend. There is no login.
Let your proxy pass the webhook and media paths to the public (see [security.md](security.md)) and
keep `/metrics` inside: Prometheus scrapes the worker's own port.
[`deploy/prometheus.yml`](../deploy/prometheus.yml) is a configuration to start from, and
[`deploy/grafana-earshot.json`](../deploy/grafana-earshot.json) a dashboard to import.
"""

_QUESTIONS = """\
## Questions

Sums over all workers; `[5m]` is how far back they look.
"""

_ALERTS_HEAD = """\
## Alerts

Each is true when somebody should look. The thresholds are a start: set them from your own weeks.
"""

_TAIL = """\
## What the figures rest on

- The latency of a turn is what the caller perceives: from the end of speech, as the model's voice
  detection dates it, to the instant at which the carrier began to play. Both are on the carrier's
  clock, so the network between the carrier and us is in it. A turn counts once, when its first
  frame was played; greetings and answers to keys have no such wait and are not in it.
- The parts are on our own clock and need not add up to it to the millisecond.
- `earshot_interruptions_total{by="clock"}` counts the truncations that rest on an estimate: no
  fence came back.
- An underrun is a start mark in the middle of an answer: what had been sent was played to its end
  before more came. Either the model's audio was late, or our loop by more than `EARSHOT_LEAD_MS`.
- Cost is reckoned from the model's own count of tokens, for answers, summaries and what is
  written down after calls, with the table in `app/observe/prices.toml` or the one that
  `EARSHOT_PRICES` names. Transcription is billed by the minute and is not in it. A model that is
  not in the table is `other` and costs nothing here: `earshot_tokens_total{model="other"}` shows
  that there is one.
- Error codes that the adapter has no name for are `other`; the log has them.

The same happenings stand in the log, redacted, with the ids by which a call is found again: see
[records.md](records.md#the-log).
"""

QUERIES: tuple[tuple[str, str], ...] = (
    (
        "Latency that callers perceive, p50 (0.9 and 0.99 alike)",
        "histogram_quantile(0.5, sum by (le) (rate(earshot_turn_latency_seconds_bucket[5m])))",
    ),
    (
        "p90",
        "histogram_quantile(0.9, sum by (le) (rate(earshot_turn_latency_seconds_bucket[5m])))",
    ),
    (
        "p99",
        "histogram_quantile(0.99, sum by (le) (rate(earshot_turn_latency_seconds_bucket[5m])))",
    ),
    (
        "Where that time goes: p90 of each part",
        "histogram_quantile(0.9, sum by (le, part) (rate(earshot_turn_part_seconds_bucket[5m])))",
    ),
    (
        "Interruption rate: of the answers that were begun, the share that callers cut",
        'sum(rate(earshot_interruptions_total{by=~"fence|clock"}[5m])) '
        "/ sum(rate(earshot_answers_total[5m]))",
    ),
    (
        "Truncations that rest on an estimate",
        'sum(rate(earshot_interruptions_total{by="clock"}[5m])) '
        '/ sum(rate(earshot_interruptions_total{by=~"fence|clock"}[5m]))',
    ),
    (
        "Gaps per answer",
        "sum(rate(earshot_underruns_total[5m])) / sum(rate(earshot_answers_total[5m]))",
    ),
    ("Calls in progress", "sum(earshot_calls_in_progress)"),
    (
        "Calls that ended by a fault, by whose",
        'sum by (fault) (rate(earshot_calls_ended_total{fault!="nobody"}[5m]))',
    ),
    (
        "US dollars for a minute of call",
        "60 * sum(rate(earshot_cost_usd_total[1h])) "
        "/ sum(rate(earshot_call_duration_seconds_sum[1h]))",
    ),
    (
        "Share of input tokens read from the cache",
        'sum(rate(earshot_tokens_total{kind=~".*_cached_in"}[1h])) '
        '/ sum(rate(earshot_tokens_total{kind=~".*_in"}[1h]))',
    ),
    (
        "Time without a model after a loss, p95",
        "histogram_quantile(0.95, sum by (le) (rate(earshot_model_gap_seconds_bucket[1h])))",
    ),
    (
        "Tries per webhook that arrived",
        "sum(rate(earshot_webhook_attempts_total[1h])) "
        '/ sum(rate(earshot_webhooks_ended_total{end="delivered"}[1h]))',
    ),
    ("Sessions changed, by cause", "sum by (cause) (rate(earshot_rollovers_total[1h]))"),
)
"""A question, and PromQL that answers it."""

ALERTS: tuple[tuple[str, str], ...] = (
    (
        "Callers wait: p90 above 1.5 s",
        "histogram_quantile(0.9, "
        "sum by (le) (rate(earshot_turn_latency_seconds_bucket[10m]))) > 1.5",
    ),
    (
        "One call in fifty ends by a fault",
        'sum(rate(earshot_calls_ended_total{fault!="nobody"}[10m])) '
        "/ sum(rate(earshot_calls_ended_total[10m])) > 0.02",
    ),
    (
        "A fault of ours",
        'increase(earshot_calls_ended_total{reason="internal_error"}[10m]) > 0',
    ),
    ("Callers are turned away", "sum by (why) (increase(earshot_calls_refused_total[10m])) > 0"),
    (
        "A loop lags: 1 % of its ticks are 50 ms late",
        "histogram_quantile(0.99, "
        "sum by (le, instance) (rate(earshot_loop_lag_seconds_bucket[5m]))) > 0.05",
    ),
    (
        "Answers have gaps",
        "sum(rate(earshot_underruns_total[10m])) / sum(rate(earshot_answers_total[10m])) > 0.02",
    ),
    (
        "The carrier returns no fences",
        'sum(rate(earshot_interruptions_total{by="clock"}[30m])) '
        '/ sum(rate(earshot_interruptions_total{by=~"fence|clock"}[30m])) > 0.05',
    ),
    (
        "Lost sessions are not replaced",
        'sum(increase(earshot_reconnects_total{outcome="failed"}[10m])) > 0',
    ),
    ("Calls fall over to another model", "sum(increase(earshot_failovers_total[10m])) > 5"),
    (
        "A rate limit is near",
        'min by (model) (earshot_rate_limit_remaining{limit="requests"}) < 20',
    ),
    (
        "Tokens are spent on a model without a price",
        'sum(increase(earshot_tokens_total{model="other"}[1h])) > 0',
    ),
    (
        "Calls are not written down: one in ten",
        'sum(rate(earshot_extractions_total{status="failed"}[1h])) '
        "/ sum(rate(earshot_extractions_total[1h])) > 0.1",
    ),
    (
        "A webhook was given up",
        'sum(increase(earshot_webhooks_ended_total{end="dead"}[1h])) > 0',
    ),
    (
        "Webhooks do not arrive: one has waited for half an hour",
        "max(earshot_webhook_oldest_waiting_seconds) > 1800",
    ),
    (
        "The prices are half a year old",
        "time() - max(earshot_prices_as_of_timestamp_seconds) > 182 * 86400",
    ),
)
"""What is wrong, and PromQL that is true then."""


def render_page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for title, families in SECTIONS.items():
        parts += [f"## {title}\n", _table(families)]
    parts += [_QUESTIONS, _asked("Question", QUERIES), _ALERTS_HEAD, _asked("Alert", ALERTS), _TAIL]
    return "\n".join(parts)


def _table(families: Iterable[Family]) -> str:
    lines = ["| Metric | Kind | Labels | Meaning |", "| --- | --- | --- | --- |"]
    for family in families:
        cells = (f"`{family.full_name}`", _kind(family), _labels(family), f"{family.words}.")
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def _asked(kind: str, pairs: Iterable[tuple[str, str]]) -> str:
    rows = [_row((words, f"`{query}`")) for words, query in pairs]
    return "\n".join([f"| {kind} | PromQL |", "| --- | --- |", *rows]) + "\n"


def _kind(family: Family) -> str:
    if isinstance(family, CounterFamily):
        return "counter"
    return "gauge" if isinstance(family, GaugeFamily) else "histogram"


def _labels(family: Family) -> str:
    told = [
        f"`{label}`: {', '.join(values)}" if values else f"`{label}`"
        for label, values in family.labels.items()
    ]
    return "; ".join(told)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    print(render_page(), end="")
