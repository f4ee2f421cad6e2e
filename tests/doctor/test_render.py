"""The same report reads well with and without a terminal, and colour is never the only sign."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from app.doctor.render import plain, render
from app.doctor.report import Check, Report

REPORT = Report(
    (
        Check("Machine", "Python", "ok", "3.13"),
        Check("Settings", "PUBLIC_URL", "fail", "not set", "Put it into .env."),
        Check("Settings", "NOTE", "warn", "odd [bold]brackets[/bold] :smile:"),
        Check("Services", "Redis", "skip", "not set"),
    )
)


def rendered(report: Report, *, terminal: bool, width: int = 100) -> str:
    stream = io.StringIO()
    render(report, Console(file=stream, force_terminal=terminal, width=width, color_system=None))
    return stream.getvalue()


def test_plain_lines_are_aligned_and_say_everything() -> None:
    text = plain(REPORT)
    assert text == (
        "Machine\n"
        "  ok    Python      3.13\n"
        "\n"
        "Settings\n"
        "  fail  PUBLIC_URL  not set\n"
        "                    -> Put it into .env.\n"
        "  warn  NOTE        odd [bold]brackets[/bold] :smile:\n"
        "\n"
        "Services\n"
        "  skip  Redis       not set\n"
        "\n"
        "Not ready for calls: 1 thing needs mending, 1 to look at."
    )


def test_without_a_terminal_the_plain_lines_are_printed_whatever_the_width() -> None:
    assert rendered(REPORT, terminal=False, width=20) == plain(REPORT) + "\n"


def test_at_a_terminal_words_and_signs_say_the_status() -> None:
    text = rendered(REPORT, terminal=True)
    for part in (
        "\u2713 ok",
        "\u2717 fail",
        "! warn",
        "- skip",
        "\u2192 Put it into .env.",
        "odd [bold]brackets[/bold] :smile:",
        REPORT.summary,
    ):
        assert part in text


@given(st.integers(30, 200))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = rendered(REPORT, terminal=True, width=width)
    assert all(len(line) <= width for line in text.splitlines())
