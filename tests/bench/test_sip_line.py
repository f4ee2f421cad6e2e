"""Invariant: the bench of the SIP line finds whole calls whole, and sees what was lost."""

import random
from pathlib import Path

from bench.sip_line import Heard, _lossy, _said, at_once, in_a_row


async def test_a_small_run_is_good(tmp_path: Path) -> None:
    assert await in_a_row(3, tmp_path)
    assert await at_once(3, 1_000, 2.0, tmp_path)


def test_what_is_missing_is_seen() -> None:
    assert Heard([1.0, 0.995], [1.0], [0.0]).good
    assert not Heard([1.0, 0.98], [1.0], [0.0]).good
    assert not Heard([1.0], [0.0], [0.0]).good
    assert not Heard([], [], []).good


def test_about_so_much_is_lost_and_never_the_first_packet() -> None:
    sent = _said(0, 40_000)
    kept = _lossy(sent, 2.0, random.Random(1))
    assert kept[0] == sent[0]
    assert 0.97 < len(kept) / len(sent) < 0.99
