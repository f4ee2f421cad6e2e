"""The tables, for SQLite and PostgreSQL alike.

Times are whole milliseconds since 1970 UTC (`_at_ms`); lengths and call-clock times end in `_ms`.
Money is US dollars. Numbers (`caller`, `called`, `number`) are personal data, as are texts.
Whatever changes here needs a migration below `migrations/versions`.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up only what is called INTEGER."""


def _only(condition: str) -> dict[str, Any]:
    """For an index of the rows for which this holds."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


calls = Table(
    "calls",
    metadata,
    Column("call_id", String(64), primary_key=True),
    Column("direction", String(8), nullable=False),
    Column("agent", String(128), nullable=False),
    Column("agent_version", String(64), nullable=False, default=""),
    Column("caller", String(320), nullable=False, default=""),
    Column("called", String(320), nullable=False, default=""),
    Column("attempt_id", String(40), index=True),
    Column("started_at_ms", BigInteger, nullable=False, index=True),
    Column("ended_at_ms", BigInteger),
    Column("end_reason", String(40)),
    Column("end_fault", String(16)),
    Column("end_detail", Text),
    Column("disposition", String(64)),
    Column("summary", Text),
    Column("fields", Json),
    Column("after_at_ms", BigInteger),
    Column("cost_usd", Float),
    Index("ix_calls_caller", "caller"),
    Index("ix_calls_called", "called"),
)
"""One row a call; a call that went on on another worker or came back has several streams.
`after_at_ms`: when what its after-call work found was written; null: it was not, or not yet."""

streams = Table(
    "streams",
    metadata,
    Column("stream_id", String(64), primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("agent", String(128), nullable=False),
    Column("agent_version", String(64), nullable=False),
    Column("began_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),
    Column("end_reason", String(40)),
    Column("document", Json, nullable=False),
    comment="`document`: the timeline as it was written to disk (docs/records.md)",
)

turns = Table(
    "turns",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id", ondelete="CASCADE"), primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("cause", String(16), nullable=False),
    Column("caller_text", Text, nullable=False, default=""),
    Column("heard_text", Text, nullable=False, default=""),
    Column("unheard_text", Text, nullable=False, default=""),
    Column("perceived_latency_ms", Integer),
    Column("stamps_ms", Json, nullable=False),
    Column("ending", Json),
)
"""`heard_text`: what the caller heard of the answer. `stamps_ms`: every stamp of the timeline."""

interruptions = Table(
    "interruptions",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id", ondelete="CASCADE"), primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("heard_ms", Integer, nullable=False),
    Column("received_ms", Integer, nullable=False),
    Column("by", String(16), nullable=False),
)

tool_runs = Table(
    "tool_runs",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id", ondelete="CASCADE"), primary_key=True),
    Column("tool_call_id", String(128), primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("name", String(128), nullable=False),
    Column("started_ms", Integer, nullable=False),
    Column("finished_ms", Integer),
    Column("ok", Boolean),
)

model_legs = Table(
    "model_legs",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id", ondelete="CASCADE"), primary_key=True),
    Column("leg", Integer, primary_key=True),
    Column("model", String(128), nullable=False),
    Column("cause", String(16)),
    Column("opened_ms", Integer, nullable=False),
    Column("ready_ms", Integer),
    Column("taken_ms", Integer),
    Column("closed_ms", Integer),
    Column("closed_by", String(16)),
)

usage = Table(
    "usage",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("model", String(128), nullable=False, default=""),
    Column("tokens", Json, nullable=False),
    Column("cost_usd", Float),
)

evidence = Table(
    "evidence",
    metadata,
    Column("stream_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("call_id", String(64), nullable=False, index=True),
    Column("line", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The hash chain of a stream: `line` is the link as it stands in its evidence file. It outlives the
rows of its call (docs/database.md)."""

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("plan", Json, nullable=False),
    Column("plan_version", String(64), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
)
"""`plan`: what the operator wrote, as checked; `state`: app/campaigns/states.py."""

campaign_log = Table(
    "campaign_log",
    metadata,
    Column("entry_id", Id, primary_key=True, autoincrement=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("what", String(32), nullable=False),
    Column("detail", Json, nullable=False),
)
"""Only ever appended to."""

contacts = Table(
    "contacts",
    metadata,
    Column("contact_id", Id, primary_key=True, autoincrement=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("number", String(320), nullable=False),
    Column("numbers", Json, nullable=False),
    Column("zones", Json, nullable=False),
    Column("variables", Json, nullable=False),
    Column("consent", Json),
    Column("row", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("step", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("outcome", String(40)),
    Column("why_rule", String(64)),
    Column("why", Text),
    Column("why_at_ms", BigInteger),
    Column("worker", String(64)),
    Column("lease_until_ms", BigInteger),
    UniqueConstraint("campaign_id", "number"),
    Index(
        "ix_contacts_due", "campaign_id", "due_at_ms", "contact_id", **_only("state = 'waiting'")
    ),
    Index("ix_contacts_held", "worker", **_only("state = 'held'")),
)
"""`number`: the one to dial next; `numbers`: all of the person's. `state`: waiting, held (a worker
has its lease), done, never. `why…`: the newest answer to "why not dialled"."""

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", String(40), primary_key=True),
    Column("contact_id", ForeignKey("contacts.contact_id"), nullable=False, index=True),
    Column("campaign_id", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("number", String(320), nullable=False),
    Column("from_number", String(320), nullable=False),
    Column("state", String(12), nullable=False),
    Column("intended_at_ms", BigInteger, nullable=False),
    Column("requested_at_ms", BigInteger),
    Column("call_id", String(64), unique=True),
    Column("answered_at_ms", BigInteger),
    Column("first_audio_at_ms", BigInteger),
    Column("answered_by", String(24)),
    Column("ended_at_ms", BigInteger),
    Column("outcome", String(40)),
    Column("detail", Text),
    Column("abandoned", Boolean),
    Column("callback", Json),
    Column("worker", String(64), nullable=False),
    UniqueConstraint("contact_id", "ordinal"),
    Index("ix_attempts_number", "number", "intended_at_ms"),
    Index("ix_attempts_campaign", "campaign_id", "answered_at_ms"),
    Index(
        "uq_attempts_open",
        "number",
        unique=True,
        **_only("state IN ('intended', 'requested', 'placed')"),
    ),
)
"""One dial of one contact. The unique ordinal makes a second intent for it impossible, and the
unique open number makes it impossible to dial a person twice at once, whatever the campaigns.
`state`: intended, requested, placed, ended, given_up. `callback`: when the person wants to be
called back (app/campaigns/asked_times.py)."""

texts = Table(
    "texts",
    metadata,
    Column("text_id", Id, primary_key=True, autoincrement=True),
    Column("contact_id", ForeignKey("contacts.contact_id"), nullable=False),
    Column("campaign_id", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("number", String(320), nullable=False),
    Column("from_number", String(320), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("requested_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Column("why", Text),
    UniqueConstraint("contact_id", "ordinal", "step"),
    Index("ix_texts_open", "campaign_id", "due_at_ms", **_only("state IN ('due', 'requested')")),
)
"""Text messages that followed a dial: at most one for each step of each dial. `text`: as in the
plan. `state`: due, requested (Twilio may have it), sent, refused, opted_out, unknown (nobody knows
whether it was sent, and nobody sends it again), withdrawn."""

do_not_call = Table(
    "do_not_call",
    metadata,
    Column("number", String(320), primary_key=True),
    Column("source", String(24), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("call_id", String(64)),
    Column("campaign_id", String(64)),
    Column("note", Text),
)
"""Numbers that no campaign dials. `source`: own, imported, spoken, key, sms, api."""

abandonment = Table(
    "abandonment",
    metadata,
    Column("campaign_id", String(64), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("answered", Integer, nullable=False, default=0),
    Column("abandoned", Integer, nullable=False, default=0),
)
"""Live answers by day (days since 1970 UTC), for the 30-day meter."""
