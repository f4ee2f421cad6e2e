"""The section `end` of `bench.turns`: how long after the caller's last word it is decided that it
was the last, and how many are cut off who only hesitate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from app.demo.stage import LAB_KEY
from app.lab.phone.impairments import Impairments
from app.lab.phone.manners import hesitate
from app.lab.phone.script import HangUp, Script, WaitForBot
from app.lab.phone.truth import Played
from app.lab.realtime.behaviour import Behaviour
from app.lab.speech.coded import coded_audio
from app.lab.text.server import LabTextModel, TextBehaviour
from app.models.openai_text import close_clients
from bench.relay_figures import Findings, Target, percentile, table
from bench.turns_ear import CLEAN, Known
from bench.turns_stage import FIRST, Act, Held, held_again, hold_all, keep
from telecodecs.g711 import FRAME_MS

CALLS: Final = 48
"""For each way."""
QUICK_CALLS: Final = 12
GREETING_MS: Final = 600
WAYS: Final[Mapping[str, str]] = {
    "server_vad, 500 ms": '[turn_detection]\ntype = "server_vad"\nsilence_duration_ms = 500',
    "semantic_vad": '[turn_detection]\ntype = "semantic_vad"',
    "ours, by silence": '[turn_detection]\ntype = "local"\njudge = false',
    "ours, with a judge": '[turn_detection]\ntype = "local"',
    "ours, judge, answer ahead": '[turn_detection]\ntype = "local"\nanswer_ahead = true',
}
"""By name the table of the agent's file by which turns end. A way more is a line more here."""
JUDGE_MS: Final = 200
"""How long the text model takes for a verdict."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What one call shows of a caller who hesitates."""

    way: str
    decided_ms: float | None
    """From the true end of speech until an answer to it was begun; None: there was none."""
    heard_ms: float | None
    """... until the bot was heard."""
    cut_off: bool
    """The bot was heard before that end."""
    too_early: int
    """Answers that were begun before it."""
    problems: tuple[str, ...]
    lag_ms: float
    again: bool = False
    """The machine was too busy the first time."""


async def run(*, quick: bool, seed: int) -> Findings:
    """The same callers for each way."""
    count = QUICK_CALLS if quick else CALLS
    found: list[Turned] = []
    text_behaviour = TextBehaviour(judgement_delay_ms=JUDGE_MS)
    async with LabTextModel(api_key=LAB_KEY, behaviour=text_behaviour) as text_model:
        judged_by = (("judge_model", "lab-text"), ("judge_base_url", text_model.base_url))
        acts = [act_of(way, number, seed, judged_by) for number in range(count) for way in WAYS]
        async for held in hold_all(acts):
            found.append(judge(held))
            if found[-1].problems or found[-1].heard_ms is None or found[-1].cut_off:
                keep(held)
        await close_clients()
    return findings(found)


def act_of(way: str, number: int, seed: int, judged_by: tuple[tuple[str, Any], ...] = ()) -> Act:
    own = seed * 1_000 + number
    said = hesitate(own)
    steps = (
        WaitForBot.finished(300),
        said,
        WaitForBot.finished(500, said_ms=400, timeout_ms=12_000),
        HangUp(),
    )
    return Act(
        f"{way}/{number}",
        Script(steps, limit_ms=40_000),
        Impairments(seed=own),
        first=coded_audio(FIRST, 0, GREETING_MS, quiet=False),
        known=tuple(Known(piece.audio, piece.text, CLEAN) for piece in said.pieces),
        behaviour=Behaviour(seed=own, transcription_delay_ms=300, transcription_jitter_ms=150),
        turns=WAYS[way],
        settings=judged_by,
    )


def judge(held: Held) -> Turned:
    """By the true end of the sound on the carrier's clock."""
    way = held.act.name.rpartition("/")[0]
    if not held.report.streams or held.session is None or not held.stream.spoken:
        return Turned(way, None, None, False, 0, (f"{held.act.name}: nothing was said",), 0.0)
    played, said = held.stream.played, held.stream.spoken[0]
    # The lab's carrier sends a frame when it begins to sound, a real one when it is complete: what
    # is decided here would be decided so much later.
    end_s = _at_s(played, said.end_ms)
    asked_s = [frame.at_s for frame in held.session.sent if frame.type == "response.created"]
    answers_s = asked_s[1:]  # the first one is the greeting
    after = [at_s for at_s in answers_s if at_s >= end_s]
    heard = [
        played.carrier_ms(tick) - said.end_ms
        for tick, frame in enumerate(played.frames)
        if frame and played.carrier_ms(tick) >= said.end_ms
    ]
    problems = [f"{held.act.name}: {error}" for error in held.report.errors]
    if held.report.unfinished:
        problems.append(f"{held.act.name}: {len(held.report.unfinished)} steps unfinished")
    return Turned(
        way,
        (after[0] - end_s) * 1000 + FRAME_MS if after else None,
        heard[0] + FRAME_MS if heard else None,
        bool(played.bytes_between(said.onset_ms, said.end_ms)),
        len(answers_s) - len(after),
        tuple(problems),
        held.report.max_lag_ms,
        held.again,
    )


def _at_s(played: Played, carrier_ms: float) -> float:
    """The machine's clock at this time of the stream."""
    tick, into_ms = divmod(carrier_ms - played.first_ms, FRAME_MS)
    tick = max(0, min(len(played.ticked_s) - 1, int(tick)))
    return played.ticked_s[tick] + into_ms / 1000


def findings(found: Sequence[Turned]) -> Findings:
    lags = [one.lag_ms for one in found]
    by_way = {way: [one for one in found if one.way == way] for way in WAYS}
    return Findings(
        "The end of the turn: callers who hesitate" + held_again(sum(one.again for one in found)),
        tuple(_measured(way, turned) for way, turned in by_way.items()),
        (_table(by_way),),
        tuple(problem for one in found for problem in one.problems),
        max(lags, default=0.0),
        percentile(lags, 0.5),
    )


def _measured(way: str, turned: Sequence[Turned]) -> Target:
    answered = sum(one.heard_ms is not None for one in turned)
    met = answered == len(turned) > 0
    return Target(f"{way}: callers answered", f"all {len(turned)}", f"{answered}", met)


def _table(by_way: Mapping[str, Sequence[Turned]]) -> Table:
    rows = []
    for way, turned in by_way.items():
        decided = [one.decided_ms for one in turned if one.decided_ms is not None]
        heard = [one.heard_ms for one in turned if one.heard_ms is not None]
        rows.append(
            [
                way,
                str(len(turned)),
                *_middle_and_p95(decided),
                *_middle_and_p95(heard),
                f"{sum(one.cut_off for one in turned)}",
                f"{sum(one.too_early > 0 for one in turned)}",
            ]
        )
    columns = (
        "way",
        "calls",
        "end to decision p50",
        "p95",
        "end to answer heard p50",
        "p95",
        "cut off",
        "answered too early",
    )
    return table("From the true end of speech, ms", columns, rows)


def _middle_and_p95(values: Sequence[float]) -> tuple[str, str]:
    if not values:
        return "-", "-"
    return f"{percentile(values, 0.5):.0f}", f"{percentile(values, 0.95):.0f}"
