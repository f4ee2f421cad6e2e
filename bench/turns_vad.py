"""The section `vad` of `bench.turns`: what our own ears cost a worker with 100 calls."""

from typing import Final

from app.speech.vad.detectors import voice_engine
from bench.relay_figures import Findings, Target, table
from bench.vad_cost import Cost, cost

CALLS: Final = 100
LIMIT_MS: Final = 1.0
FLOORS_DBFS: Final = (None, -65.0, -50.0, -40.0)
"""The line's own noise; the costliest counts for the target."""


async def run(*, quick: bool, seed: int) -> Findings:
    """CPU time, not time on the wall. The seeds of `bench.vad` stand."""
    duration_s = 5 if quick else 15
    floors = FLOORS_DBFS[-1:] if quick else FLOORS_DBFS
    costs = {
        floor: cost(lambda: voice_engine("silero"), CALLS, duration_s, floor) for floor in floors
    }
    found = max(one.cpu_ms for one in costs.values())
    limit = Target(
        f"CPU per call-second at {CALLS} calls, also on noisy lines",
        f"<= {LIMIT_MS} ms",
        f"{found:.2f} ms",
        found <= LIMIT_MS,
    )
    rows = [_row(floor, one) for floor, one in costs.items()]
    columns = ("line's noise", "CPU ms per call-second", "windows inferred", "in a batch")
    return Findings("Our own ears", (limit,), (table("By the line's noise", columns, rows),))


def _row(floor_dbfs: float | None, one: Cost) -> list[str]:
    name = "none" if floor_dbfs is None else f"{floor_dbfs:.0f} dBFS"
    return [name, f"{one.cpu_ms:.2f}", f"{one.inferred_share:.0%}", f"{one.batch:.0f}"]
