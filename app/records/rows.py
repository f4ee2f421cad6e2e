"""Rows from a stream's timeline (docs/records.md), and nothing else: no I/O.

What a database cannot hold is made fit: PostgreSQL takes no NUL in a text, and cuts nothing that
is too long for its column.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias

from sqlalchemy import String, Table, Text

from app.call.events import Usage
from app.call.prices import Prices, cost_usd
from app.records.chain import last_hash
from app.records.spool import Entry, UnreadableError
from app.records.tables import evidence, interruptions, model_legs, streams, tool_runs, turns, usage

Row: TypeAlias = dict[str, Any]
PricesOf: TypeAlias = Callable[[str], Prices | None]
"""By the model's name; None: not known."""
_COUNTS: Final = {field.name for field in fields(Usage)}
_REPLACED: Final = "\ufffd"


def no_prices(model: str) -> Prices | None:
    """Costs are not known."""
    return None


@dataclass(frozen=True, slots=True)
class StreamRows:
    """All rows of one stream, by table; parents first."""

    stream: Row
    parts: tuple[tuple[Table, list[Row]], ...]


def stream_rows(
    entry: Entry, document: object, prices_of: PricesOf = no_prices, chain: bytes = b""
) -> StreamRows:
    """`document`: the timeline as decoded; `chain`: the stream's evidence. Raises `UnreadableError`
    where it is none of this stream."""
    try:
        return _stream_rows(entry, plain(document), prices_of, chain)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableError(f"expected a timeline, got {type(error).__name__} in it") from error


def _stream_rows(entry: Entry, timeline: Any, prices_of: PricesOf, chain: bytes) -> StreamRows:
    if (timeline["call_id"], timeline["stream_id"]) != (entry.call_id, entry.stream_id):
        raise ValueError("another stream's")
    told = timeline["turns"]
    said = words_by_turn(told, timeline["transcript"])
    parts = (
        (turns, [_turn(turn, said[n]) for n, turn in enumerate(told)]),
        (interruptions, [_interruption(turn) for turn in told if turn["interruption"]]),
        (tool_runs, _tool_runs(told)),
        (model_legs, [_leg(leg) for leg in timeline["legs"]]),
        (usage, _usage(told, timeline["legs"], prices_of)),
        (evidence, evidence_rows(entry, chain)),
    )
    stream_id = entry.stream_id
    return StreamRows(
        fit(streams, _stream(entry, timeline)),
        tuple((t, [fit(t, {"stream_id": stream_id, **row}) for row in rows]) for t, rows in parts),
    )


def evidence_rows(entry: Entry, chain: bytes) -> list[Row]:
    """A row for each link of a stream's evidence, byte for byte."""
    return [
        {
            "stream_id": entry.stream_id,
            "call_id": entry.call_id,
            "number": number,
            "line": link.decode("utf-8", "replace"),
            "hash": last_hash(link),
        }
        for number, link in enumerate(chain.split(b"\n"), 1)
        if link
    ]


def _stream(entry: Entry, timeline: Any) -> Row:
    length_ms = (timeline["ended_ms"] or 0) - (timeline["started_ms"] or 0)
    return {
        "stream_id": entry.stream_id,
        "call_id": entry.call_id,
        "agent": timeline.get("agent", entry.agent),
        "agent_version": timeline.get("agent_version", entry.agent_version),
        "began_at_ms": entry.at_ms,
        "ended_at_ms": entry.at_ms + max(0, length_ms),
        "end_reason": timeline["end_reason"],
        "document": timeline,
    }


@dataclass(slots=True)
class Words:
    """Of one turn."""

    caller: str = ""
    heard: str = ""
    unheard: str = ""

    def add(self, line: Mapping[str, Any]) -> None:
        if line["speaker"] == "caller":
            self.caller = f"{self.caller} {line['text']}".strip()
        else:
            self.heard = f"{self.heard} {line['text']}".strip()
            self.unheard = f"{self.unheard} {line['unheard']}".strip()


def words_by_turn(
    told: Sequence[Mapping[str, Any]], transcript: Sequence[Mapping[str, Any]]
) -> list[Words]:
    """Each line goes to the turn in whose answer it began, or else to the one that had begun last.

    Every word lands in some turn, unless there is none at all.
    """
    words = [Words() for _ in told]
    if not words:
        return words
    begins = _begins(told)
    for line in transcript:
        at_ms, of_agent = line["at_ms"], line["speaker"] == "agent"
        answering = [n for n, turn in enumerate(told) if of_agent and _answers(turn, at_ms)]
        begun = [n for n, begin_ms in enumerate(begins) if begin_ms <= at_ms]
        words[(answering or begun or [0])[-1]].add(line)
    return words


def _begins(told: Sequence[Mapping[str, Any]]) -> list[int]:
    """When each turn began; a turn without stamps begins with the one before."""
    begins: list[int] = []
    for turn in told:
        first_ms = min(turn["stamps_ms"].values(), default=0)
        begins.append(max([first_ms, *begins[-1:]]))
    return begins


def _answers(turn: Mapping[str, Any], at_ms: int) -> bool:
    stamps = turn["stamps_ms"]
    created_ms, done_ms = stamps.get("response_created"), stamps.get("response_done")
    return created_ms is not None and created_ms <= at_ms <= (done_ms or created_ms)


def _turn(turn: Mapping[str, Any], words: Words) -> Row:
    return {
        "turn": turn["turn"],
        "cause": turn["cause"],
        "caller_text": words.caller,
        "heard_text": words.heard,
        "unheard_text": words.unheard,
        "perceived_latency_ms": turn["perceived_latency_ms"],
        "stamps_ms": turn["stamps_ms"],
        "ending": turn["ending"],
    }


def _interruption(turn: Mapping[str, Any]) -> Row:
    cut = turn["interruption"]
    kept = {key: cut[key] for key in ("heard_ms", "received_ms", "by")}
    return {"turn": turn["turn"], **kept}


def _tool_runs(told: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A model that gives one id twice has run two tools."""
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for turn in told:
        for run in turn["tools"]:
            times = seen[run["call_id"]] = seen.get(run["call_id"], 0) + 1
            name = run["call_id"] if times == 1 else f"{run['call_id'][:120]}#{times}"
            kept = {key: run[key] for key in ("name", "started_ms", "finished_ms", "ok")}
            rows.append({"tool_call_id": name, "turn": turn["turn"], **kept})
    return rows


_LEG: Final = ("model", "cause", "opened_ms", "ready_ms", "taken_ms", "closed_ms", "closed_by")


def _leg(leg: Mapping[str, Any]) -> Row:
    return {"leg": leg["number"], **{key: leg[key] for key in _LEG}}


def _usage(
    told: Sequence[Mapping[str, Any]], legs: Sequence[Mapping[str, Any]], prices_of: PricesOf
) -> list[Row]:
    """One row for each answer of a model."""
    rows: list[Row] = []
    for turn, begin_ms in zip(told, _begins(told), strict=True):
        stamps = turn["stamps_ms"]
        at_ms = stamps.get("response_done", stamps.get("response_created", begin_ms))
        model = _model_at(legs, at_ms)
        for tokens in turn["usage"]:
            row = {"number": len(rows) + 1, "turn": turn["turn"], "model": model, "tokens": tokens}
            rows.append({**row, "cost_usd": _cost(prices_of(model), tokens)})
    return rows


def _model_at(legs: Sequence[Mapping[str, Any]], at_ms: int) -> str:
    carried = [leg for leg in legs if leg["taken_ms"] is not None and leg["taken_ms"] <= at_ms]
    carried = carried or [leg for leg in legs if leg["model"]][:1]
    return str(carried[-1]["model"]) if carried else ""


def _cost(prices: Prices | None, tokens: Mapping[str, int]) -> float | None:
    if prices is None:
        return None
    return cost_usd(prices, Usage(**{key: tokens[key] for key in _COUNTS & tokens.keys()}))


def fit(table: Table, row: Row) -> Row:
    """The row with texts no longer than their columns; other columns' values as they are."""
    made = {}
    for name, value in row.items():
        kind = table.c[name].type
        if isinstance(kind, String) and not isinstance(kind, Text) and isinstance(value, str):
            made[name] = value[: kind.length]
        else:
            made[name] = value
    return made


def plain(value: Any) -> Any:
    """The same value without what PostgreSQL refuses in texts."""
    if isinstance(value, str):
        held = value.replace("\x00", _REPLACED)
        return held.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value
