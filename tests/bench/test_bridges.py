"""Both yardsticks and Earshot itself carry a call under load: every byte once and in order."""

import os

import pytest

from bench.load_contenders import BARE, EARSHOT, PICOWS, Contender, run
from bench.load_figures import Faults

pytestmark = [
    pytest.mark.lab_call,
    pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux: CPU affinity"),
]


@pytest.mark.parametrize("contender", [BARE, PICOWS, EARSHOT], ids=lambda c: str(c.name))
async def test_nothing_is_lost_between_the_phones_and_the_model(contender: Contender) -> None:
    found = await run(contender, calls=2, seconds=2.5, settle_s=0.5)
    assert found.faults == Faults()
    assert len(found.window.to_model_s) >= 2 * 2.5 * 50 * 0.9
    assert found.window.cpu_s > 0
