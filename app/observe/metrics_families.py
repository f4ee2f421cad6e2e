"""Every metric that there is. Labels are closed lists: nothing that a person or a vendor wrote.

Durations are seconds, as Prometheus has them; the heart's milliseconds are divided on the way in.
"""

from typing import Literal, TypeAlias, get_args

from app.call.endings import EndReason, Fault
from app.call.events import CloseCause, Direction, FaultKind, LegCause, ResponseStatus
from app.call.generation import SettledBy
from app.call.timeline import Cause
from app.observe.metrics_kinds import CounterFamily, Family, GaugeFamily, HistogramFamily

Entry: TypeAlias = Literal["new", "moved", "rescued"]
Refusal: TypeAlias = Literal["full", "lagging", "draining", "no_model"]
Outcome: TypeAlias = Literal["ok", "failed"]
OTHER = "other"
"""The value of whatever is outside a label's list."""

NOT_ROLLOVERS: frozenset[LegCause] = frozenset({"start", "drop", "failover", "worker"})
"""Causes of a leg that have metrics of their own."""
LIMITS = ("requests", "tokens")
TOKEN_KINDS = (
    "text_in",
    "text_cached_in",
    "audio_in",
    "audio_cached_in",
    "text_out",
    "audio_out",
)
TURN_PARTS = ("vad", "model", "send", "play")

_LATENCY_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
_PART_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
_GAP_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
_TOOL_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_CALL_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
_EXTRACTION_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 45.0, 90.0, 180.0)
_TEXT_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 45.0, 90.0)
_LAG_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_SHARE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

# Calls

CALLS_STARTED = CounterFamily(
    "calls_started_total",
    "Calls whose stream began here: new ones, ones that another worker handed over, and ones that "
    "came back after their stream or worker was lost",
    {"direction": get_args(Direction), "entry": get_args(Entry)},
)
CALLS_ENDED = CounterFamily(
    "calls_ended_total",
    "Calls that ended here, by reason and by whose fault it was",
    {"reason": tuple(EndReason), "fault": get_args(Fault)},
    together=tuple((reason.value, reason.fault) for reason in EndReason),
)
CALLS_IN_PROGRESS = GaugeFamily("calls_in_progress", "Calls in progress")
CALLS_REFUSED = CounterFamily(
    "calls_refused_total",
    "Calls that were not let in: no seat, event loop too late, process ending, no model",
    {"why": get_args(Refusal)},
)
CALL_DURATION = HistogramFamily(
    "call_duration_seconds", "How long calls were carried here", buckets=_CALL_S
)

# What the caller perceives

TURN_LATENCY = HistogramFamily(
    "turn_latency_seconds",
    "From the end of the caller's speech to the first sound of the answer, both on the carrier's "
    "clock",
    buckets=_LATENCY_S,
)
TURN_PART = HistogramFamily(
    "turn_part_seconds",
    "What that time is made of, on our clock: speech end to the model's decision (vad), to its "
    "first audio (model, with tools that ran before it), to the first frame sent (send), to its "
    "start mark's return (play)",
    {"part": TURN_PARTS},
    buckets=_PART_S,
)
ANSWERS = CounterFamily(
    "answers_total",
    "Turns in which audio was sent to the caller, by what began the turn",
    {"cause": get_args(Cause)},
)
INTERRUPTIONS = CounterFamily(
    "interruptions_total",
    "Answers that the caller cut, by what the heard position rests on: the fence, our clock (an "
    "estimate: no fence came), nothing sent yet (unsent), no audio yet (thinking)",
    {"by": (*get_args(SettledBy), "thinking")},
)
INTERRUPTION_HEARD = HistogramFamily(
    "interruption_heard_ratio",
    "How much of what had been received of an interrupted answer was heard",
    buckets=_SHARE,
)
UNDERRUNS = CounterFamily(
    "underruns_total",
    "Times the carrier's buffer ran dry within an answer: the caller heard a gap. Pauses between "
    "two items of one answer count",
)

# The model

RESPONSES = CounterFamily(
    "responses_total",
    "Responses of the model by how they finished",
    {"status": get_args(ResponseStatus)},
)
MODEL_ERRORS = CounterFamily(
    "model_errors_total",
    "Errors that the model reported, and responses that failed (kind failed_response), by code; "
    "codes that the adapter's table does not have are other",
    {"code": (), "kind": (*get_args(FaultKind), "failed_response")},
)
MODEL_CLOSES = CounterFamily(
    "model_closes_total",
    "Model sessions that the other side ended, that could not be opened, or that were given up "
    "because they did not go on (stalled) or failed again and again (failed)",
    {"cause": get_args(CloseCause)},
)
RATE_LIMIT_REMAINING = GaugeFamily(
    "rate_limit_remaining",
    "What the vendor said last remains of a rate limit",
    {"model": (), "limit": LIMITS},
    combine="livemostrecent",
)
TOKENS = CounterFamily(
    "tokens_total",
    "Tokens by kind; cached input is not in the other input. Models that are not in the price "
    "table are other",
    {"model": (), "kind": TOKEN_KINDS},
)
COST = CounterFamily(
    "cost_usd_total",
    "What those tokens cost by the price table. Models without a price add nothing",
    {"model": ()},
)
PRICES_AS_OF = GaugeFamily(
    "prices_as_of_timestamp_seconds",
    "The day of the price table, in Unix time",
    combine="livemax",
)
TOOL_RUNS = CounterFamily("tool_runs_total", "Tool runs that came back", {"ok": ("yes", "no")})
TOOL_DURATION = HistogramFamily(
    "tool_duration_seconds", "How long tools ran", {"ok": ("yes", "no")}, buckets=_TOOL_S
)

# The relay

ROLLOVERS = CounterFamily(
    "rollovers_total",
    "Planned changes to a fresh model session",
    {"cause": tuple(cause for cause in get_args(LegCause) if cause not in NOT_ROLLOVERS)},
)
RECONNECTS = CounterFamily(
    "reconnects_total",
    "Calls whose model session was lost: got one of the same model again (ok), or ended without "
    "(failed)",
    {"outcome": get_args(Outcome)},
)
FAILOVERS = CounterFamily("failovers_total", "Calls that went on with the next model of the list")
TAKEOVERS = CounterFamily("takeovers_total", "Calls of another worker that went on here")
MODEL_GAP = HistogramFamily(
    "model_gap_seconds",
    "How long calls whose session was lost were without a model, until the next one took over",
    buckets=_GAP_S,
)

# Text messages

TEXTS_RECEIVED = CounterFamily(
    "texts_received_total",
    "Text messages that came in: ordinary ones, keywords, and ones that nobody answers because "
    "their sender has opted out or has no number",
    {"kind": ("message", "stop", "start", "help", "ignored")},
)
TEXTS_SENT = CounterFamily(
    "texts_sent_total",
    "Text messages that were to be sent: Twilio took them, they went to nobody because of an "
    "opt-out or of policy, they failed, or nobody knows",
    {"how": ("sent", "opted_out", "refused", "failed", "unknown")},
)
TEXTS_DELIVERED = CounterFamily(
    "texts_delivered_total",
    "What Twilio said of messages that it had taken",
    {"state": ("sent", "delivered", "undelivered", "failed")},
)
TEXT_TURNS = CounterFamily(
    "text_turns_total",
    "Messages of one person that were answered together, by what came of them: an answer, an "
    "apology because the model failed, nothing, an answer that was not sent",
    {"end": ("answered", "apologised", "silent", "not_sent")},
)
TEXT_TURN = HistogramFamily(
    "text_turn_seconds", "How long such a turn took, tools and sending included", buckets=_TEXT_S
)
TEXT_SILENCES = CounterFamily(
    "text_silences_total",
    "Turns without an answer, by why: a rest after a failure or a machine, an automatic reply, the "
    "same text again, faster than people write, too many in a day or a minute, the day's money",
    {"why": ("resting", "auto_reply", "repeats", "machine", "messages", "minute", "spend")},
)

# After the call

EXTRACTIONS = CounterFamily(
    "extractions_total",
    "Calls that were over and were to be written down, by what came of it: all that was asked for, "
    "a part of it, nothing, or nobody was asked because the caller had said nothing",
    {"status": ("ok", "partial", "failed", "nothing_said")},
)
EXTRACTION_REQUESTS = CounterFamily(
    "extraction_requests_total",
    "Requests to the text model for that. More than one for a call: it was busy or away, or its "
    "answer had to be mended",
)
EXTRACTION_DURATION = HistogramFamily(
    "extraction_seconds",
    "How long that took where the model was asked, waits included",
    buckets=_EXTRACTION_S,
)
WEBHOOK_ATTEMPTS = CounterFamily(
    "webhook_attempts_total",
    "Webhooks that were sent or were to be sent, each try: taken (2xx), refused (any other "
    "status), failed (no answer in time, no connection, no secret to sign with)",
    {"outcome": ("taken", "refused", "failed")},
)
WEBHOOKS_ENDED = CounterFamily(
    "webhooks_ended_total",
    "Webhooks that arrived, and such as became dead letters with their last try",
    {"end": ("delivered", "dead")},
)
WEBHOOKS_KEPT = GaugeFamily(
    "webhooks_kept",
    "Webhooks on disk that did not arrive: those that are tried again, and dead letters of the "
    "last 30 days, those to an endpoint that is gone included",
    {"state": ("waiting", "dead")},
    combine="livemax",
)
WEBHOOK_OLDEST = GaugeFamily(
    "webhook_oldest_waiting_seconds",
    "How long ago the oldest webhook happened that is tried again; 0: none waits",
    combine="livemax",
)

# The process and the line

LOOP_LAG = HistogramFamily(
    "loop_lag_seconds",
    "How late the clock of all calls ticked, sampled",
    buckets=_LAG_S,
)
LOOP_LAG_WORST = GaugeFamily(
    "loop_lag_worst_seconds", "The latest tick since the process began", combine="livemax"
)
MALFORMED_FRAMES = CounterFamily(
    "malformed_frames_total", "Messages of the carrier that broke its protocol, of calls that ended"
)
AUDIO_DROPPED = CounterFamily(
    "caller_audio_dropped_seconds_total",
    "Caller audio that no model ever heard, of calls that ended",
)
AUDIO_PADDED = CounterFamily(
    "caller_audio_padded_seconds_total",
    "Silence put in where the carrier sent nothing, of calls that ended",
)

SECTIONS: dict[str, tuple[Family, ...]] = {
    "Calls": (CALLS_STARTED, CALLS_ENDED, CALLS_IN_PROGRESS, CALLS_REFUSED, CALL_DURATION),
    "What the caller perceives": (
        TURN_LATENCY,
        TURN_PART,
        ANSWERS,
        INTERRUPTIONS,
        INTERRUPTION_HEARD,
        UNDERRUNS,
    ),
    "The model": (
        RESPONSES,
        MODEL_ERRORS,
        MODEL_CLOSES,
        RATE_LIMIT_REMAINING,
        TOKENS,
        COST,
        PRICES_AS_OF,
        TOOL_RUNS,
        TOOL_DURATION,
    ),
    "The relay": (ROLLOVERS, RECONNECTS, FAILOVERS, TAKEOVERS, MODEL_GAP),
    "Text messages": (
        TEXTS_RECEIVED,
        TEXTS_SENT,
        TEXTS_DELIVERED,
        TEXT_TURNS,
        TEXT_TURN,
        TEXT_SILENCES,
    ),
    "After the call": (
        EXTRACTIONS,
        EXTRACTION_REQUESTS,
        EXTRACTION_DURATION,
        WEBHOOK_ATTEMPTS,
        WEBHOOKS_ENDED,
        WEBHOOKS_KEPT,
        WEBHOOK_OLDEST,
    ),
    "The process and the line": (
        LOOP_LAG,
        LOOP_LAG_WORST,
        MALFORMED_FRAMES,
        AUDIO_DROPPED,
        AUDIO_PADDED,
    ),
}
"""As docs/metrics.md lists them."""
