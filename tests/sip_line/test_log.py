"""Invariant: what strangers can make the line log ends after ten lines a minute, and none of it is
forgotten: the next line says how many were left out."""

from app.sip_line.log import MOST_LINES, WINDOW_S, Seldom


def test_ten_in_a_minute_and_then_how_many_more_there_were() -> None:
    now_s = 0.0
    seldom = Seldom(lambda: now_s)
    assert [seldom.ask() for _ in range(MOST_LINES)] == [0] * MOST_LINES
    now_s = WINDOW_S - 1
    assert [seldom.ask() for _ in range(25)] == [None] * 25
    now_s = WINDOW_S
    assert seldom.ask() == 25
    assert seldom.ask() == 0
