"""Invariant: the security page names every refusal that the code knows, with its limits, and says
for how long Redis holds what callers said."""

import re
from typing import get_args

from app.bridge import carrier_writer
from app.bridge.call_bridge import CARRIER_SILENCE_LIMIT_MS, KEPT_QUIET_MS
from app.bridge.caller_path import KEPT_LIMIT_MS
from app.bridge.media_socket import START_TIMEOUT_S
from app.bridge.switchboard import NoRoom
from app.carriers import body
from app.carriers.twilio import media, messages, stream_plans, tokens
from app.carriers.twilio.signature import Reason
from app.live import names
from app.live.outbox import MOST_WAITING
from app.models.openai_connect import Limits
from app.server import MAX_FRAME_BYTES
from tests.docs.pages import ROOT, codes, page, table

TEXT = page("security")


def test_every_refused_webhook_stands_with_its_status() -> None:
    told = {codes(reason)[0]: int(status) for status, reason, _ in table(TEXT, "<!-- refusals:")}
    files = ("app/carriers/twilio/intake.py", "app/carriers/body.py")
    source = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    errors = r'(?:RefusedError|NotReadError)\((\d+), "(\w+)"'
    raised = {reason: int(s) for s, reason in re.findall(errors, source)}
    bad = (Reason.BAD_FORM, Reason.BAD_URL)
    unsigned = {r.value: 400 if r in bad else 403 for r in Reason if r is not Reason.SIGNED}
    assert told == raised | unsigned


def test_every_refused_stream_has_its_reason() -> None:
    told = {name for row in table(TEXT, "The media socket:") for name in codes(row[2])}
    assert told >= {f"token_{refusal.value}" for refusal in tokens.Refusal}
    assert told >= {"no_start_in_time", "closed_before_start"}
    assert told >= {f"no_seat_{why}" for why in get_args(NoRoom) if why}


def test_every_kind_of_bad_frame_is_told_and_the_fatal_ones_are_marked() -> None:
    rows = {codes(kind)[0]: what for kind, what in table(TEXT, "marked as fatal")}
    assert set(rows) == {kind.value for kind in messages.ViolationKind}
    for kind in messages.ViolationKind:
        if messages.ProtocolViolation(kind, "").fatal:
            assert rows[kind.value].endswith("fatal")


def test_the_limits_are_the_ones_of_the_code() -> None:
    limits = {what: limit for what, limit in table(TEXT, "## Limits")}
    carrier = limits["what waits for Twilio to take it"]
    assert (
        carrier
        == f"{carrier_writer.SEND_TIMEOUT_S:g} s a message, {carrier_writer.QUEUE_LIMIT} messages"
    )
    model = limits["what waits for the model to take it"]
    assert model == f"{Limits().stall_s:g} s, {Limits().queue_limit_bytes} bytes"
    assert limits["a silent carrier"] == f"{CARRIER_SILENCE_LIMIT_MS // 1000} s"
    assert limits["streams opened anew for one call"].startswith(f"{stream_plans.MOST_RESUMES};")
    kept = limits["caller audio kept in memory"]
    assert kept.startswith(f"the last {KEPT_QUIET_MS // 1000} s;")
    assert f": {KEPT_LIMIT_MS // 1000} s at most" in kept
    assert limits["writes that wait for Redis"].startswith(f"{MOST_WAITING},")


def test_the_sizes_in_the_text_are_the_ones_of_the_code() -> None:
    assert f"more than {body.MOST_BODY_BYTES} bytes" in TEXT
    assert f"more than {media.MOST_CHARACTERS} characters" in TEXT
    assert f"{media.MOST_IN_A_ROW} in a row end the stream" in TEXT
    assert f"above {MAX_FRAME_BYTES // 1024} KiB" in TEXT
    assert f"no `start` within {START_TIMEOUT_S:g} s" in TEXT


def test_words_live_in_redis_for_as_long_as_is_told() -> None:
    told = " ".join(TEXT.split("## What Redis holds")[1].split())
    assert f"{names.ENDED_TTL_S // 60} minutes after the call's end" in told
    assert f"{names.STATE_TTL_S // 3600} hours after the last write" in told
    assert f"same answer for {names.ANSWER_TTL_S // 60} minutes" in " ".join(TEXT.split())
