"""The table of prices: a TOML file with a date, ours or the operator's.

Figures of the one that ships: OpenAI's model pages and copies of its pricing page, as of the date
in the file. A model that is not in the table has no price, which is not the same as being free.
"""

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from app.call.prices import Prices

SHIPPED = Path(__file__).with_name("prices.toml")

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}")
"""What follows a model's id in the name of a dated snapshot of it."""
_TABLES = ("as_of", "tokens", "minutes")
_KINDS = tuple(field.name for field in fields(Prices))
_NOTHING = Prices(**dict.fromkeys(_KINDS, 0.0))


class PricesError(ValueError):
    """The file of prices is wrong: the operator's to mend. One line for each problem."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    as_of: date
    """The day on which the figures were looked up."""
    tokens: Mapping[str, Prices]
    """By a model's id."""
    minutes: Mapping[str, float]
    """US dollars for a minute of audio, by a transcription model's id."""

    def id_for(self, model: str) -> str | None:
        """The id under which the table has this model or the model of this dated snapshot."""
        return _id_for(model, self.tokens)

    def prices_for(self, model: str) -> Prices | None:
        """What the model's tokens cost; None: the table does not say."""
        found = self.id_for(model)
        return None if found is None else self.tokens[found]

    def usd_a_minute(self, model: str) -> float | None:
        """What transcribing a minute costs; None: the table does not say."""
        found = _id_for(model, self.minutes)
        return None if found is None else self.minutes[found]


def load_prices(path: Path | str | None = None) -> PriceTable:
    """Read the table at `path`; None or "": the one that ships.

    Raises `PricesError`, one line for each problem: file, key, what was expected, what came.
    """
    file = Path(path) if path else SHIPPED
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PricesError(f"{file}: expected a file of prices: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PricesError(f"{file}: expected UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise PricesError(f"{file}: it is not TOML: {error}.") from error
    return _Reader(file).read(data)


def _id_for(model: str, known: Mapping[str, object]) -> str | None:
    """The longest id that `model` is, or is a dated snapshot of."""
    ids = [i for i in known if model == i or _is_snapshot(model, i)]
    return max(ids, key=len, default=None)


def _is_snapshot(model: str, model_id: str) -> bool:
    rest = model.removeprefix(model_id)
    return rest != model and _SNAPSHOT.fullmatch(rest) is not None


class _Reader:
    """Reads the whole file before it complains, so that all its problems are told at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._problems: list[str] = []

    def read(self, data: Mapping[str, Any]) -> PriceTable:
        self._only(data, _TABLES, ())
        as_of = self._day(data.get("as_of"))
        tokens = {
            model: self._prices(table, ("tokens", model))
            for model, table in self._table(data.get("tokens", {}), ("tokens",)).items()
        }
        minutes = {
            model: self._usd(value, ("minutes", model))
            for model, value in self._table(data.get("minutes", {}), ("minutes",)).items()
        }
        if self._problems:
            raise PricesError("\n".join(self._problems))
        return PriceTable(as_of, tokens, minutes)

    def _day(self, value: object) -> date:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self._wrong(("as_of",), "the day of the figures such as 2026-11-20, without quotes", value)
        return date.min

    def _prices(self, value: object, key: tuple[str, ...]) -> Prices:
        table = self._table(value, key)
        if not isinstance(value, Mapping):
            return _NOTHING
        self._only(table, _KINDS, key)
        return Prices(**{kind: self._usd(table.get(kind), (*key, kind)) for kind in _KINDS})

    def _usd(self, value: object, key: tuple[str, ...]) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value) and value >= 0:  # type: ignore[arg-type, operator]
            return float(value)  # type: ignore[arg-type]
        self._wrong(key, "US dollars, a number from 0", value)
        return 0.0

    def _table(self, value: object, key: tuple[str, ...]) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self._wrong(key, "a table", value)
        return {}

    def _only(self, table: Mapping[str, Any], known: tuple[str, ...], key: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                self._problems.append(f"{self._place((*key, name))}: there is no such key; {hint}")

    def _wrong(self, key: tuple[str, ...], expected: str, value: object) -> None:
        got = "it is missing" if value is None else f"got {_quoted(value)}"
        self._problems.append(f"{self._place(key)}: expected {expected}, {got}.")

    def _place(self, key: tuple[str, ...]) -> str:
        parts = [part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in key]
        return f"{self._file}: {'.'.join(parts)}"


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
