"""What a worker counts, for Prometheus. `Metrics` looks on at every step of every call.

Caller and model audio make nearly all steps, so a step looks up two types and is done; the rest is
done when something happened. Nothing that a person said, pressed or dialled, and no id of a call,
is ever a label: labels are closed lists, see metrics_families.py.
"""

import logging
from collections.abc import Callable, Collection
from typing import Any

from prometheus_client import CollectorRegistry

from app.call.call import Call
from app.call.commands import Command, EndCall
from app.call.endings import EndReason
from app.call.events import Event, LegCause, StreamStarted, ToolFinished, Usage
from app.observe import metrics_families as families
from app.observe.metrics_after import AfterMetrics, WebhookMetrics
from app.observe.metrics_exposition import exposition
from app.observe.metrics_families import Entry, Refusal
from app.observe.metrics_model import ModelMetrics
from app.observe.metrics_state import OpenCall
from app.observe.metrics_texts import TextMetrics
from app.observe.metrics_turns import TurnMetrics
from app.observe.prices import PriceTable, load_prices

logger = logging.getLogger(__name__)


class Metrics:
    """One per worker process. It is an observer of its calls (`app.bridge.ports.Observer`).

    `error_codes`: the model's error codes that are counted under their names, others are "other".
    `summary_model`: the text model that writes summaries, if one does.
    """

    def __init__(
        self,
        *,
        prices: PriceTable | None = None,
        error_codes: Collection[str] = (),
        summary_model: str = "",
    ) -> None:
        self.registry = registry = CollectorRegistry()
        self._turns = TurnMetrics(registry)
        self._model = ModelMetrics(registry, prices or load_prices(), error_codes, summary_model)
        self.texts = TextMetrics(registry)
        """What is counted of text messages."""
        self.after = AfterMetrics(registry)
        """What is counted of records that are written when a call is over."""
        self.webhooks = WebhookMetrics(registry)
        """What is counted of webhooks."""
        self._started = families.CALLS_STARTED.make(registry)
        self._ended = families.CALLS_ENDED.make(registry)
        self._in_progress = families.CALLS_IN_PROGRESS.make(registry)
        self._refused = families.CALLS_REFUSED.make(registry)
        self._duration = families.CALL_DURATION.make(registry)
        self._tool_runs = families.TOOL_RUNS.make(registry)
        self._tool_duration = families.TOOL_DURATION.make(registry)
        self._lag = families.LOOP_LAG.make(registry)
        self._worst_lag = families.LOOP_LAG_WORST.make(registry)
        self._malformed = families.MALFORMED_FRAMES.make(registry)
        self._dropped = families.AUDIO_DROPPED.make(registry)
        self._padded = families.AUDIO_PADDED.make(registry)
        self._lag_ms: Callable[[], int] | None = None
        self._worst_lag_ms: Callable[[], int] | None = None
        self._open: dict[Call, OpenCall] = {}
        self.faults: set[type[Exception]] = set()
        """Kinds of faults of ours that were told."""
        self._handlers: dict[type, Callable[[OpenCall, Any, int], None]] = {
            **self._turns.handlers,
            **self._model.handlers,
            ToolFinished: self._tool_finished,
            EndCall: self._end_call,
        }

    # Calls

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """Called for every event of every call. A fault of ours is logged, and not the call's."""
        handlers = self._handlers
        try:
            if type(event) is StreamStarted:
                self._begin(call, event)
            elif (handler := handlers.get(type(event))) is not None and call in self._open:
                handler(self._open[call], event, now_ms)
            for command in commands:
                if (handler := handlers.get(type(command))) is not None and call in self._open:
                    handler(self._open[call], command, now_ms)
        except Exception as error:
            self._fault(error)

    def stream_ended(
        self, call: Call, end: EndCall, *, malformed_frames: int, padded_ms: int, dropped_ms: int
    ) -> None:
        """A call's stream is closed. Ends that no step has told (a fault of ours) count here."""
        self._malformed.inc(malformed_frames)
        self._padded.inc(padded_ms / 1000)
        self._dropped.inc(dropped_ms / 1000)
        self._end(call, end.reason, call.timeline.ended_ms)

    def refused(self, why: Refusal) -> None:
        """A call was not let in."""
        self._refused.labels(why).inc()

    def new_prices(self, prices: PriceTable) -> None:
        """Costs are reckoned with this table from now on."""
        self._model.new_prices(prices)

    # The relay, for changes that no `TakeLeg` tells

    def rolled_over(self, cause: LegCause) -> None:
        """A planned change of a call's model session was made."""
        self._model.rolled_over(cause)

    def reconnected(self, ok: bool) -> None:
        """A lost session was replaced by one of the same model, or could not be."""
        self._model.reconnected(ok)

    def spent(self, model: str, usage: Usage) -> None:
        """A model read and wrote something that belongs to no call."""
        self._model.spent(model, usage)

    # The process

    def watch_loop(self, lag_ms: Callable[[], int], worst_lag_ms: Callable[[], int]) -> None:
        """Where `sample` reads how late the clock of all calls ticks, now and at worst."""
        self._lag_ms, self._worst_lag_ms = lag_ms, worst_lag_ms

    def sample(self) -> None:
        """Take a sample of the loop's lag. To be called about once a second."""
        if self._lag_ms is not None and self._worst_lag_ms is not None:
            self._lag.observe(max(0, self._lag_ms()) / 1000)
            self._worst_lag.set(self._worst_lag_ms() / 1000)

    def render(self) -> tuple[bytes, str]:
        """The text for Prometheus and its content type; of all workers where they share a folder.

        It takes milliseconds: call it outside the event loop (`asyncio.to_thread`).
        """
        return exposition(self.registry)

    # One step

    def _begin(self, call: Call, event: StreamStarted) -> None:
        if call in self._open:
            return
        self._open[call] = OpenCall(call)
        self._started.labels(event.direction, _entry(event)).inc()
        self._in_progress.inc()

    def _end_call(self, open_call: OpenCall, command: EndCall, now_ms: int) -> None:
        self._end(open_call.call, command.reason, now_ms)

    def _end(self, call: Call, reason: EndReason, ended_ms: int | None) -> None:
        open_call = self._open.pop(call, None)
        if open_call is None:
            return
        self._in_progress.dec()
        self._ended.labels(reason.value, reason.fault).inc()
        began_ms = call.timeline.started_ms
        if began_ms is not None and ended_ms is not None:
            self._duration.observe((ended_ms - began_ms) / 1000)
        self._turns.look(open_call)
        self._model.ended(open_call, reason)

    def _tool_finished(self, open_call: OpenCall, event: ToolFinished, now_ms: int) -> None:
        ok = "yes" if event.ok else "no"
        self._tool_runs.labels(ok).inc()
        run = open_call.call.timeline.tool(event.call_id)
        if run is not None:
            self._tool_duration.labels(ok).observe((now_ms - run.started_ms) / 1000)

    def _fault(self, error: Exception) -> None:
        """Told once for each kind: the next step would fail the same way."""
        if type(error) not in self.faults:
            self.faults.add(type(error))
            logger.error("a metric could not be counted", exc_info=error)


def _entry(event: StreamStarted) -> Entry:
    if event.resumed is None:
        return "new"
    return "moved" if event.resumed.moved else "rescued"
