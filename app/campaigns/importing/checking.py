"""A row of a file, as a contact, or as everything that is wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

import phonenumbers

from app.campaigns.importing.columns import Columns
from app.campaigns.importing.dates import Order, day_of, instant_ms, moment_of
from app.campaigns.importing.rows import ImportFileError, Row
from app.campaigns.importing.telephone import NOTHING, Read, read_contact_number
from app.campaigns.importing.variables import MOST_VARIABLES_BYTES, cleaned, size_bytes
from app.campaigns.importing.zones import zones_named, zones_of

MOST_VALUE_SHOWN: Final = 60
_UNREADABLE: Final = "expected text: its bytes are no characters of the file's encoding"


@dataclass(frozen=True, slots=True, repr=False)
class Fault:
    """`row`: as a spreadsheet shows it. `reason`: what was expected, and how to mend it. `value` is
    personal data, so it is kept out of `repr`."""

    row: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """`numbers`: E.164, the one to dial first comes first. `zones`: of all of them; none: nobody
    knows. `mended`: what was done to its numbers. Personal data, so it is kept out of `repr`."""

    row: int
    numbers: tuple[str, ...]
    zones: tuple[str, ...]
    variables: Mapping[str, str]
    consent: Mapping[str, str] | None
    due_at_ms: int
    mended: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        return self.numbers[0]


Checked: TypeAlias = Contact | tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator says besides the columns. Raises `ImportFileError`."""

    region: str = ""
    """Two letters: where numbers without a country code are."""
    dates: Order = ""
    consent_source: str = ""
    """Of contacts whose file does not say it."""

    def __post_init__(self) -> None:
        if self.region and self.region not in phonenumbers.SUPPORTED_REGIONS:
            raise ImportFileError(
                f'the default region: expected two capital letters such as "US", got '
                f"{self.region!r}"
            )


class RowChecker:
    """`now_ms`: when contacts are due, and what no consent can be given after."""

    def __init__(self, columns: Columns, rules: Rules, now_ms: int) -> None:
        self._columns, self._rules, self._now_ms = columns, rules, now_ms
        # Somewhere it is tomorrow already.
        now = datetime.fromtimestamp(now_ms / 1_000, UTC)
        self._last_day = (now + timedelta(hours=14)).date()

    def check(self, row: Row) -> Checked:
        """A contact, or one fault or more."""
        width = len(self._columns.headers)
        if row.broken:
            return (Fault(row.number, "", "", row.broken),)
        if len(row.cells) > width and any(row.cells[width:]):
            return (_too_wide(row, width),)
        one = _Row(row, self._columns)
        numbers, zones, mended = self._numbers(one)
        if one.has("timezone"):
            zones = self._zones(one) or zones
        consent, due_at_ms = self._consent(one), self._due_at_ms(one, zones)
        variables = _variables(one)
        if one.faults:
            return tuple(one.faults)
        return Contact(row.number, numbers, zones, variables, consent, due_at_ms, mended)

    def _numbers(self, one: "_Row") -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        numbers: list[str] = []
        zones: list[str] = []
        mended: list[str] = []
        for at in self._columns.phones:
            text = one.cell(at)
            if text.strip().lower() in NOTHING:
                continue
            read = read_contact_number(text, self._rules.region or None)
            if not isinstance(read, Read):
                one.fault(at, read.reason)
                continue
            if read.number.e164 not in numbers:
                numbers.append(read.number.e164)
                zones.extend(zone for zone in zones_of(read.number) if zone not in zones)
            if read.mended:
                mended.append(read.mended)
        if not numbers and not one.faults:
            one.fault(self._columns.phones[0], "expected a telephone number")
        return tuple(numbers), tuple(zones), tuple(mended)

    def _zones(self, one: "_Row") -> tuple[str, ...]:
        zones = zones_named(one.named("timezone"))
        if zones is None:
            one.fault_named("timezone", 'expected names such as "America/Chicago" (IANA)')
        return zones or ()

    def _consent(self, one: "_Row") -> dict[str, str] | None:
        given = one.named("consent_date")
        source = one.text(self._columns.consent_source)
        if not given:
            if source:
                where = (
                    "consent_date" if self._columns.consent_date is not None else ("consent_source")
                )
                one.fault_named(where, "expected the day of this consent (consent_date)")
            return None
        day = day_of(given, self._rules.dates)
        if day is None:
            one.fault_named(
                "consent_date",
                "expected a day such as 2026-03-31 (or say what comes first: --dates dmy or mdy)",
            )
        elif day > self._last_day:
            one.fault_named("consent_date", "expected a day that is past")
        elif not (source := source or self._rules.consent_source):
            one.fault_named(
                "consent_date", "expected the source of this consent (consent_source) besides"
            )
        return _consent(day, source)

    def _due_at_ms(self, one: "_Row", zones: tuple[str, ...]) -> int:
        text = one.named("callback")
        if not text:
            return self._now_ms
        moment = moment_of(text, self._rules.dates)
        if moment is None:
            one.fault_named("callback", "expected a time such as 2026-03-31 14:30")
            return self._now_ms
        due_at_ms = instant_ms(moment, zones)
        if due_at_ms is None and not one.faults:
            one.fault_named(
                "callback",
                "expected an offset, such as 2026-03-31T14:30+02:00: the zone is unknown",
            )
        return max(self._now_ms, due_at_ms or 0)


class _Row:
    """One row while it is looked at."""

    def __init__(self, row: Row, columns: Columns) -> None:
        self.columns, self.faults = columns, list[Fault]()
        self._row, self._width = row, len(row.cells)

    def cell(self, at: int) -> str:
        """ "" for one that the row is too short for."""
        return self._row.cells[at] if at < self._width else ""

    def has(self, meaning: str) -> bool:
        return bool(self.named(meaning))

    def named(self, meaning: str) -> str:
        at: int | None = getattr(self.columns, meaning)
        return "" if at is None else self.cell(at).strip()

    def text(self, at: int | None) -> str:
        """Cleaned; a fault where it is no text."""
        if at is None:
            return ""
        try:
            return cleaned(self.cell(at))
        except UnicodeEncodeError:
            self.fault(at, _UNREADABLE)
            return ""

    def fault(self, at: int, reason: str) -> None:
        value = self.cell(at)[:MOST_VALUE_SHOWN]
        self.faults.append(Fault(self._row.number, self.columns.headers[at], value, reason))

    def fault_named(self, meaning: str, reason: str) -> None:
        self.fault(getattr(self.columns, meaning), reason)


def _variables(one: _Row) -> dict[str, str]:
    variables: dict[str, str] = {}
    for at, name in one.columns.variables:
        if value := one.text(at):
            variables[name] = value
    if (size := size_bytes(variables)) > MOST_VARIABLES_BYTES:
        largest = max(variables, key=lambda name: len(variables[name].encode()))
        at = next(at for at, name in one.columns.variables if name == largest)
        one.fault(
            at,
            f"expected at most {MOST_VARIABLES_BYTES} bytes in all columns together, names "
            f"included, got {size}: shorten it, or leave a column out by --map "
            f'ignore="{one.columns.headers[at]}"',
        )
    return variables


def _consent(day: date | None, source: str) -> dict[str, str] | None:
    return None if day is None else {"given": day.isoformat(), "source": source}


def _too_wide(row: Row, width: int) -> Fault:
    return Fault(
        row.number,
        "",
        "",
        f"expected {width} cells, got {len(row.cells)}: a value with a delimiter in it must stand "
        "in quotes",
    )


def checked(checker: RowChecker, rows: Iterator[Row]) -> Iterator[tuple[Row, Checked]]:
    for row in rows:
        yield row, checker.check(row)
