"""Invariant: what the page of the SIP line says of options, variables and figures is so."""

import click

from app.cli import earshot
from app.cli.sip_line import line
from app.sip_line.control import BINARY_MOST_BYTES, TEXT_MOST_BYTES
from app.sip_line.identity import PREFIX, Identity, Party
from app.sip_line.jitter import GAP_FRAMES, WINDOW_FRAMES, Delay
from app.sip_line.out_queue import XOFF_FRAMES, XON_FRAMES
from app.sip_line.registration import REFRESH_PART
from telecodecs import FRAME_MS
from tests.docs.pages import codes, page, table

TEXT = page("sip-line")
PLAIN = " ".join(TEXT.split())


def test_every_option_stands_with_its_default() -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(TEXT, "<!-- options:")}
    options = {p.opts[0]: p for p in line.params if isinstance(p, click.Option)}
    assert rows.keys() == options.keys()
    for name, told in rows.items():
        default = options[name].default
        if default and isinstance(default, str | int) and not isinstance(default, bool):
            assert codes(told)[0] == str(default), name


def test_every_variable_is_told() -> None:
    rows = {codes(row[0])[0] for row in table(TEXT, "## What the worker is told")}
    told = Identity(Party("", ""), Party("", ""), "", "", (("X-Account-Id", "1"),)).variables()
    assert rows == (told.keys() - {f"{PREFIX}HEADER_X-Account-Id"}) | {f"{PREFIX}HEADER_<Name>"}
    assert "`EARSHOT_HEADER_X-Account-Id`" in TEXT


def test_the_figures_are_those_of_the_code() -> None:
    assert f"above {TEXT_MOST_BYTES} bytes are dropped" in PLAIN
    assert f"above {BINARY_MOST_BYTES:,} bytes" in PLAIN
    assert f"at {XOFF_FRAMES} and `MEDIA_XON` below {XON_FRAMES} frames" in PLAIN
    assert f"grows by {FRAME_MS} ms, up to {Delay().most_ms}," in PLAIN
    assert f"for {WINDOW_FRAMES * FRAME_MS // 1000} s" in PLAIN
    assert f"after {GAP_FRAMES * FRAME_MS} ms without a packet" in PLAIN
    assert REFRESH_PART == 4 / 5


def test_the_command_is_known() -> None:
    assert "sip" in earshot.list_commands(click.Context(earshot))
