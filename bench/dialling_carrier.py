"""A carrier for `bench.dialling`, as a process of its own, with a log of its own.

It speaks lines of JSON over TCP, for speed: {"place": ...}, {"calls": ...}, {"call": ...}. News of
calls go to the listener that the order names, one line each, and nobody asks whether they arrived.
Its difficulties are drawn by number and by how often that number was called, so that a run repeats
them: refusals, 429, answers that are lost after the call was placed, requests that are lost before,
calls that cannot be found at first, news that are late, twice, out of order or never sent.
"""

import asyncio
import json
import random
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

Way: TypeAlias = Literal[
    "answered", "machine", "no_answer", "busy", "rejected", "wrong", "failed", "no_such_number",
    "too_many",
]  # fmt: skip
"""What becomes of an order. no_such_number and too_many: no call is placed."""
WAYS: Final[dict[Way, int]] = {
    "answered": 48, "machine": 13, "no_answer": 12, "busy": 10, "rejected": 4, "wrong": 3,
    "failed": 4, "no_such_number": 3, "too_many": 3,
}  # fmt: skip
Trouble: TypeAlias = Literal[
    "none", "answer_late", "answer_lost", "cut_after", "cut_before", "slow"
]
TROUBLES: Final[dict[Trouble, int]] = {
    "none": 87, "answer_late": 2, "answer_lost": 3, "cut_after": 3, "cut_before": 3, "slow": 2,
}  # fmt: skip
"""slow, answer_late: within the time that is given, and after it. answer_lost: never answered."""
_ENDS: Final[dict[Way, tuple[str, int]]] = {
    "answered": ("completed", 200),
    "machine": ("completed", 200),
    "no_answer": ("no-answer", 480),
    "busy": ("busy", 486),
    "rejected": ("busy", 603),
    "wrong": ("failed", 404),
    "failed": ("failed", 503),
}
AGAIN_MS: Final = 150
LATE_S: Final = 1.2
SILENT: Final = 0.04
"""Of calls nothing at all is told, and of half of those whose placing was in trouble."""
HIDDEN_S: Final = 0.8
"""For how long a new call may not be found by asking."""


@dataclass(slots=True)
class Call:
    call_id: str
    attempt_id: str
    to: str
    from_: str
    way: Way
    created_at_ms: int
    fate: str = "queued"


@dataclass(slots=True)
class Log:
    """`asked`: every order as it arrived: (attempt_id, to, at_ms)."""

    calls: dict[str, Call] = field(default_factory=dict)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    refused: dict[str, Way] = field(default_factory=dict)
    """By attempt."""


class StandIn:
    def __init__(self, seed: int, limit_s: float) -> None:
        """`limit_s`: how long its clients wait for an answer."""
        self._seed = seed
        self._limit_s = limit_s
        self._times: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: dict[int, asyncio.StreamWriter] = {}
        self.log = Log()

    async def serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._client, sock=listener)
        async with server:
            await server.serve_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                asked = json.loads(line)
                self._go(self._answer(asked, writer))
        except OSError:
            pass  # a worker was killed
        finally:
            writer.close()

    def _go(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match asked["what"]:
            case "place":
                await self._place(asked, writer)
            case "calls":
                found = [
                    _seen(call)
                    for call in self.log.calls.values()
                    if call.to == asked["to"]
                    and call.from_ == asked["from"]
                    and call.created_at_ms >= asked["since_ms"]
                    and _now_ms() - call.created_at_ms >= self._hidden_ms(call)
                ]
                _say(writer, asked, {"calls": found})
            case "call":
                call = self.log.calls.get(asked["call_id"])
                _say(writer, asked, {"call": None if call is None else _seen(call)})
            case "count":
                _say(writer, asked, {"count": len(self.log.asked)})
            case _:
                _say(writer, asked, {"log": _written(self.log)})

    def _hidden_ms(self, call: Call) -> float:
        return random.Random(call.call_id).random() * HIDDEN_S * 1_000

    async def _place(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        to, attempt_id = asked["to"], asked["attempt_id"]
        self.log.asked.append((attempt_id, to, _now_ms()))
        chance = self._chance(to)
        way, trouble = _drawn(chance, WAYS), _drawn(chance, TROUBLES)
        if trouble == "cut_before":
            writer.close()
            return
        if way in ("no_such_number", "too_many"):
            self.log.refused[attempt_id] = way
            _say(writer, asked, {"refused": way, "again_ms": AGAIN_MS})
            return
        call = Call(f"CA{len(self.log.calls):032x}", attempt_id, to, asked["from"], way, _now_ms())
        self.log.calls[call.call_id] = call
        silent = chance.random() < (SILENT if trouble in ("none", "slow") else 0.5)
        self._go(self._live(call, chance, [] if silent else asked["listeners"]))
        match trouble:
            case "cut_after":
                writer.close()
                return
            case "answer_lost":
                return
            case "answer_late":
                await asyncio.sleep(self._limit_s * 1.3)
            case "slow":
                await asyncio.sleep(self._limit_s * 0.5)
            case _:
                await asyncio.sleep(0.005)
        _say(writer, asked, {"call_id": call.call_id})

    def _chance(self, to: str) -> random.Random:
        self._times[to] = self._times.get(to, 0) + 1
        return random.Random(f"{self._seed} {to} {self._times[to]}")

    async def _live(self, call: Call, chance: random.Random, listeners: list[int]) -> None:
        """A call from its first ring to its end, with what is told of it."""
        await asyncio.sleep(chance.uniform(0.0, 0.05))
        self._news(call, "ringing", 1, chance, listeners)
        await asyncio.sleep(chance.uniform(0.05, 0.2))
        if call.way in ("answered", "machine"):
            self._news(call, "in-progress", 2, chance, listeners)
            await asyncio.sleep(chance.uniform(0.05, 0.4))
        self._news(call, _ENDS[call.way][0], 3, chance, listeners)

    def _news(
        self, call: Call, fate: str, sequence: int, chance: random.Random, listeners: list[int]
    ) -> None:
        call.fate = fate
        told = {
            "attempt_id": call.attempt_id,
            "call_id": call.call_id,
            "fate": fate,
            "sequence": sequence,
            "at_ms": _now_ms(),
            "answered_by": "machine_start" if call.way == "machine" and sequence > 1 else "",
            "sip_code": _ENDS[call.way][1] if sequence == 3 else None,
        }
        if not listeners or chance.random() < 0.04:
            return
        for _ in range(2 if chance.random() < 0.1 else 1):
            late_s = chance.uniform(0, LATE_S) if chance.random() < 0.15 else 0.0
            self._go(self._post(told, late_s, chance.choice(listeners)))

    async def _post(self, told: dict[str, Any], late_s: float, port: int) -> None:
        await asyncio.sleep(late_s)
        try:
            writer = self._listeners.get(port)
            if writer is None or writer.is_closing():
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                self._listeners[port] = writer
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
        except OSError:
            self._listeners.pop(port, None)  # nobody listens: the news are lost, as in life


def _drawn(chance: random.Random, shares: dict[Any, int]) -> Any:
    return chance.choices(list(shares), list(shares.values()))[0]


def _seen(call: Call) -> dict[str, Any]:
    """As Twilio's: it does not tell for which attempt it was."""
    return {"call_id": call.call_id, "fate": call.fate, "created_at_ms": call.created_at_ms}


def _written(log: Log) -> dict[str, Any]:
    calls = [
        {"call_id": c.call_id, "attempt_id": c.attempt_id, "to": c.to, "way": c.way,
         "created_at_ms": c.created_at_ms, "fate": c.fate}
        for c in log.calls.values()
    ]  # fmt: skip
    return {"calls": calls, "asked": log.asked, "refused": log.refused}


def _say(writer: asyncio.StreamWriter, asked: dict[str, Any], answer: dict[str, Any]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps({"id": asked["id"], **answer}).encode() + b"\n")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def run(seed: int, limit_s: float, port: int) -> None:
    """As a process of its own, until it is killed."""
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    asyncio.run(StandIn(seed, limit_s).serve(listener))


def ask(port: int, what: str) -> Any:
    """One question, by somebody who waits: "count" or "log"."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(json.dumps({"what": what, "id": 0}).encode() + b"\n")
        with line.makefile("rb") as answers:
            return json.loads(answers.readline())[what]
