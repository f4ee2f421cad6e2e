"""What of a model's answer can be believed: types, choices, forms, and words that were really said.

Structured output promises the form; a served model may break its promise, and no schema says that
the words which a value rests on were ever spoken.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final, Literal, TypeAlias

from app.after.schema import DISPOSITION, EVIDENCE, FIELDS, SUMMARY, VALUE
from app.agents.after_table import AfterCall, AfterField, FieldType

MOST_CHARS: Final = 4_000
"""Of a text. A longer one is no value of a field."""

Problem: TypeAlias = Literal["", "missing", "wrong_type", "wrong_form", "not_a_choice", "made_up"]
"""Why a value is not there: it was not found and is required; it was of another type; it had not
the form of its type; it was none of the values that may be; its evidence was never said."""
MENDABLE: Final = frozenset({"wrong_type", "wrong_form", "not_a_choice"})
"""What the model is asked to put right, once."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value that was looked for. None: it was not found, or not believed."""

    value: str | int | float | bool | None = field(default=None, repr=False)
    evidence: str | None = field(default=None, repr=False)
    problem: Problem = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer, as far as it is believed."""

    summary: str | None = field(default=None, repr=False)
    disposition: Found | None = None
    fields: Mapping[str, Found] = field(default_factory=dict)
    summary_problem: Problem = ""

    @property
    def problems(self) -> dict[str, Problem]:
        """By name; "summary" and "disposition" beside those of the fields."""
        found: dict[str, Problem] = {SUMMARY: self.summary_problem}
        if self.disposition is not None:
            found[DISPOSITION] = self.disposition.problem
        found |= {name: each.problem for name, each in self.fields.items()}
        return {name: problem for name, problem in found.items() if problem}


def check(table: AfterCall, answer: str, transcript: str) -> Checked:
    """`transcript`: as the model was given it."""
    said = _Said(transcript)
    whole = _object(answer)
    given = _inner(whole.get(FIELDS))
    choices = tuple(table.dispositions)
    choice = AfterField(description="-", enum=choices) if choices else None
    summary = whole.get(SUMMARY)
    readable = isinstance(summary, str) and bool(summary.strip()) and len(summary) <= MOST_CHARS
    return Checked(
        str(summary).strip() if table.summary and readable else None,
        None if choice is None else _found(choice, whole.get(DISPOSITION), said),
        {name: _found(field, given.get(name), said) for name, field in table.fields.items()},
        "wrong_type" if table.summary and not readable else "",
    )


def _object(answer: str) -> Mapping[str, object]:
    try:
        whole = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return _inner(whole)


def _inner(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _found(field: AfterField, given: object, said: "_Said") -> Found:
    if not isinstance(given, dict) or VALUE not in given:
        return Found(problem="wrong_type")
    value, evidence = given[VALUE], given.get(EVIDENCE)
    if value is None:
        return Found(problem="missing" if field.required else "")
    problem = _problem(field, value)
    if problem:
        return Found(problem=problem)
    if evidence is not None and not isinstance(evidence, str):
        return Found(problem="wrong_type")
    words = (evidence or "").strip()
    if words and not said.holds(words):
        return Found(problem="made_up")
    return Found(value, words or None)


def _problem(field: AfterField, value: object) -> Problem:
    if not _is_of(field.type, value):
        return "wrong_type"
    if field.enum:
        return "" if value in field.enum else "not_a_choice"
    form = _FORMS.get(field.type)
    return "" if form is None or form(str(value)) else "wrong_form"


def _is_of(kind: FieldType, value: object) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) and abs(value) < 2**53
    if kind == "number":
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= MOST_CHARS


def _reads(pattern: str, read: Callable[[str], object]) -> Callable[[str], bool]:
    shape = re.compile(pattern, re.ASCII)

    def fits(text: str) -> bool:
        try:
            return shape.fullmatch(text) is not None and read(text) is not None
        except ValueError:
            return False

    return fits


_ZONE: Final = r"(Z|[+-]\d\d:\d\d)?"
_FORMS: Final[Mapping[FieldType, Callable[[str], bool]]] = {
    "date": _reads(r"\d{4}-\d\d-\d\d", date.fromisoformat),
    "time": _reads(r"\d\d:\d\d(:\d\d)?", time.fromisoformat),
    "datetime": _reads(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d(:\d\d)?{_ZONE}", datetime.fromisoformat),
    "phone": _reads(r"\+[1-9]\d{6,14}", str),
    "email": _reads(r"[^\s@<>\"',;:()\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", str),
}


class _Said:
    """Everything that was said, to look evidence up in: by its words, not its commas."""

    def __init__(self, transcript: str) -> None:
        self._lines = [f" {_plain(line)} " for line in transcript.splitlines()]

    def holds(self, evidence: str) -> bool:
        words = _plain(evidence)
        return bool(words) and any(f" {words} " in line for line in self._lines)


def _plain(text: str) -> str:
    """Words and digits only, in small letters, with one blank between them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))
