"""A day that could be two is refused, and a time without an offset is meant where the person is."""

from datetime import UTC, date, datetime

import pytest

from app.campaigns.importing.dates import Order, day_of, instant_ms, moment_of


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-03-04", "", date(2026, 3, 4)),
        ("2026-03-04T10:00:00Z", "", date(2026, 3, 4)),
        ("4.3.2026", "", date(2026, 3, 4)),
        ("04.03.2026 10:30", "", date(2026, 3, 4)),
        ("03/04/2026", "", None),
        ("03/04/2026", "mdy", date(2026, 3, 4)),
        ("03/04/2026", "dmy", date(2026, 4, 3)),
        ("13/04/2026", "mdy", None),
        ("2026-02-30", "", None),
        ("20260304", "", None),
        ("46085", "", None),
        ("1926-03-04", "", None),
        ("yes", "", None),
        ("", "", None),
    ],
)
def test_days(text: str, order: Order, day: date | None) -> None:
    assert day_of(text, order) == day


def at(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1_000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "zones", "instant"),
    [
        ("2026-03-04T10:00+02:00", (), at(2026, 3, 4, 8)),
        ("2026-03-04 10:00", ("Europe/Berlin",), at(2026, 3, 4, 9)),
        ("2026-07-04 10:00", ("Europe/Berlin",), at(2026, 7, 4, 8)),
        ("2026-07-04 10:00", ("America/New_York", "America/Los_Angeles"), at(2026, 7, 4, 17)),
        ("2026-07-04 10:00", (), None),
    ],
)
def test_instants(text: str, zones: tuple[str, ...], instant: int | None) -> None:
    moment = moment_of(text)
    assert moment is not None
    assert instant_ms(moment, zones) == instant
