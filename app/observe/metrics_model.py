"""What the model's sessions did and cost, and how a call moved from one to the next."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, time
from typing import Any

from prometheus_client import CollectorRegistry

from app.call.commands import CloseLeg, Summarise, TakeLeg
from app.call.endings import EndReason
from app.call.events import (
    LegCause,
    ModelClosed,
    ModelFault,
    ModelReady,
    RateLimits,
    ResponseFinished,
    SummaryWritten,
    Usage,
)
from app.call.prices import cost_usd
from app.observe import metrics_families as families
from app.observe.metrics_families import LIMITS, NOT_ROLLOVERS, OTHER, TOKEN_KINDS
from app.observe.metrics_state import LegsOfCall, OpenCall
from app.observe.prices import PriceTable


class ModelMetrics:
    """`error_codes`: those that have a name in a label; `summary_model`: whoever writes the
    summaries that are not written by the session."""

    def __init__(
        self,
        registry: CollectorRegistry,
        prices: PriceTable,
        error_codes: Collection[str],
        summary_model: str,
    ) -> None:
        self._codes = frozenset(error_codes)
        self._summarised_by = summary_model
        self._responses = families.RESPONSES.make(registry)
        self._errors = families.MODEL_ERRORS.make(registry)
        self._closes = families.MODEL_CLOSES.make(registry)
        self._remaining = families.RATE_LIMIT_REMAINING.make(registry)
        self._tokens = families.TOKENS.make(registry)
        self._cost = families.COST.make(registry)
        self._rollovers = families.ROLLOVERS.make(registry)
        self._reconnects = families.RECONNECTS.make(registry)
        self._failovers = families.FAILOVERS.make(registry)
        self._takeovers = families.TAKEOVERS.make(registry)
        self._gap = families.MODEL_GAP.make(registry)
        self._as_of = families.PRICES_AS_OF.make(registry)
        self.new_prices(prices)

    def new_prices(self, prices: PriceTable) -> None:
        self._prices = prices
        self._summary_model = prices.id_for(self._summarised_by) or OTHER
        self._as_of.set(_unix_s(prices))

    @property
    def handlers(self) -> Mapping[type, Callable[[OpenCall, Any, int], None]]:
        """By the type of an event or a command."""
        return {
            ModelReady: self._model_ready,
            ModelClosed: self._model_closed,
            ModelFault: self._model_fault,
            ResponseFinished: self._response_finished,
            RateLimits: self._rate_limits,
            SummaryWritten: self._summary_written,
            Summarise: self._summarise,
            TakeLeg: self._take_leg,
            CloseLeg: self._close_leg,
        }

    def rolled_over(self, cause: LegCause) -> None:
        """A planned change of the session was made."""
        self._rollovers.labels(cause).inc()

    def reconnected(self, ok: bool) -> None:
        """A lost session was replaced by one of the same model, or could not be."""
        self._reconnects.labels("ok" if ok else "failed").inc()

    def spent(self, model: str, usage: Usage) -> None:
        """`model`: its id, as the vendor has it."""
        self._spent(self._prices.id_for(model) or OTHER, usage)

    def ended(self, open_call: OpenCall, reason: EndReason) -> None:
        if open_call.legs.lost_ms is not None and reason.fault == "model":
            self.reconnected(ok=False)

    # Legs

    def _model_ready(self, open_call: OpenCall, event: ModelReady, _now_ms: int) -> None:
        open_call.legs.models[event.leg] = self._prices.id_for(event.model) or OTHER

    def _model_closed(self, open_call: OpenCall, event: ModelClosed, now_ms: int) -> None:
        self._closes.labels(event.cause).inc()
        _lose(open_call.legs, event.leg, now_ms)

    def _close_leg(self, open_call: OpenCall, command: CloseLeg, now_ms: int) -> None:
        """Where it carries the call: it lives, but was given up. The timeline says why."""
        if command.leg == open_call.legs.leg and open_call.legs.lost_ms is None:
            for leg in open_call.call.timeline.legs:
                if leg.number == command.leg and leg.closed_by is not None:
                    self._closes.labels(leg.closed_by).inc()
        _lose(open_call.legs, command.leg, now_ms)

    def _take_leg(self, open_call: OpenCall, command: TakeLeg, now_ms: int) -> None:
        legs = open_call.legs
        if legs.lost_ms is not None:
            self._gap.observe((now_ms - legs.lost_ms) / 1000)
        legs.leg, legs.lost_ms = command.leg, None
        legs.models = {leg: name for leg, name in legs.models.items() if leg >= command.leg}
        match command.cause:
            case "drop":
                self.reconnected(ok=True)
            case "failover":
                self._failovers.inc()
            case "worker":
                self._takeovers.inc()
            case cause if cause not in NOT_ROLLOVERS:
                self.rolled_over(cause)

    # Faults and limits

    def _model_fault(self, _open_call: OpenCall, event: ModelFault, _now_ms: int) -> None:
        self._errors.labels(self._code(event.code), event.kind).inc()

    def _code(self, code: str) -> str:
        """Close reasons and some errors write `type.code`."""
        bare = code.rsplit(".", 1)[-1]
        return bare if bare in self._codes else OTHER

    def _rate_limits(self, open_call: OpenCall, event: RateLimits, _now_ms: int) -> None:
        model = open_call.legs.label or OTHER
        for limit in LIMITS:
            if limit in event.remaining:
                self._remaining.labels(model, limit).set(event.remaining[limit])

    # Answers and what they cost

    def _response_finished(self, open_call: OpenCall, event: ResponseFinished, _now: int) -> None:
        self._responses.labels(event.status).inc()
        if event.status == "failed":
            self._errors.labels(self._code(event.error_code), "failed_response").inc()
        if event.usage is not None:
            self._spent(open_call.legs.label or OTHER, event.usage)

    def _summarise(self, open_call: OpenCall, command: Summarise, _now_ms: int) -> None:
        open_call.legs.text_summary = command.by == "text_model"

    def _summary_written(self, open_call: OpenCall, event: SummaryWritten, _now: int) -> None:
        if event.usage is not None:
            legs = open_call.legs
            model = self._summary_model if legs.text_summary else legs.label or OTHER
            self._spent(model, event.usage)

    def _spent(self, model: str, usage: Usage) -> None:
        text_cached = min(usage.cached_text_tokens, usage.input_text_tokens)
        audio_cached = min(usage.cached_audio_tokens, usage.input_audio_tokens)
        counts = (
            usage.input_text_tokens - text_cached,
            text_cached,
            usage.input_audio_tokens - audio_cached,
            audio_cached,
            usage.output_text_tokens,
            usage.output_audio_tokens,
        )
        for kind, n_tokens in zip(TOKEN_KINDS, counts, strict=True):
            if n_tokens > 0:
                self._tokens.labels(model, kind).inc(n_tokens)
        prices = self._prices.prices_for(model)
        if prices is not None:
            self._cost.labels(model).inc(max(0.0, cost_usd(prices, usage)))


def _lose(legs: LegsOfCall, leg: int, now_ms: int) -> None:
    """Only the leg that carries the call leaves a gap behind."""
    if leg == legs.leg and legs.lost_ms is None:
        legs.lost_ms = now_ms


def _unix_s(prices: PriceTable) -> float:
    """The day's first second in UTC."""
    return datetime.combine(prices.as_of, time.min, UTC).timestamp()
