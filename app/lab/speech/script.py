"""A dialog as a TOML file: what may be said in each state, and what is answered.

`load_dialog` checks everything that a call could stumble over, and says where the file is wrong
and what was expected there.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Never

import msgspec

from app.lab.speech.faults import DialogError
from app.lab.speech.phrases import (
    Phrase,
    PhraseError,
    parse_phrase,
    slots_of,
    sure_slots_of,
    to_jsgf,
)
from app.lab.speech.templates import TemplateError, fields_of

DIALOGS_DIR = Path(__file__).parent / "dialogs"


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    not_understood: tuple[str, ...]
    """Said in turn when the caller is not understood; the last one again and again."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    missing: tuple[str, ...]
    say: str


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks until all slots are filled, then says something and calls a function."""

    state: str
    """Where the dialog stands while something is missing."""
    needs: tuple[str, ...]
    ask: tuple[Ask, ...]
    call: str
    say: tuple[str, ...] = ()
    arguments: dict[str, str] = {}
    """Function parameter to slot; a slot that is not filled is left out."""
    unoffered: tuple[str, ...] = ()
    """Said instead when the session offers no such function."""
    then: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    said: tuple[str, ...]
    states: tuple[str, ...] = ()
    """Empty: all of them."""
    say: tuple[str, ...] = ()
    call: str = ""
    """Called after `say`."""
    unoffered: tuple[str, ...] = ()
    form: str = ""
    """Instead of `say` and `call`."""
    then: str = ""
    """The state afterwards; empty: the same."""


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    function: str
    has: tuple[str, ...]
    """Fields that the output must have for this answer."""
    say: tuple[str, ...] = ()
    keep: dict[str, str] = {}
    """Slot to the field of the output that fills it."""
    forget: tuple[str, ...] = ()
    """Slots that are emptied."""
    form: str = ""
    """Gone on with after `say`."""
    then: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start: str
    greeting: str
    silence: str
    states: dict[str, State]
    rules: tuple[Rule, ...]
    slots: dict[str, dict[str, str | int]] = {}
    """Slot to what is said for it to what a function is given. "next:monday" is the date of the
    next Monday that is not today, "next:day" tomorrow's."""
    forms: dict[str, Form] = {}
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialog:
    start: str
    greeting: str
    silence: str
    """Said when the caller says nothing for long."""
    states: Mapping[str, State]
    rules: Sequence[Rule]
    phrases: Mapping[str, Phrase]
    """What each rule, by name, listens for."""
    slots: Mapping[str, Mapping[str, str | int]]
    forms: Mapping[str, Form]
    results: Sequence[Result]

    def rules_in(self, state: str) -> list[Rule]:
        return [rule for rule in self.rules if not rule.states or state in rule.states]

    def hints(self, state: str) -> tuple[str, ...]:
        """JSGF right-hand sides of all that may be said in this state."""
        return tuple(to_jsgf(self.phrases[rule.name], self.slots) for rule in self.rules_in(state))

    def all_hints(self) -> tuple[str, ...]:
        return tuple(to_jsgf(phrase, self.slots) for phrase in self.phrases.values())


@cache
def load_dialog(path: Path = DIALOGS_DIR / "restaurant.toml") -> Dialog:
    """Raises DialogError when the file is missing or wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DialogError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DialogError(f"{path.name}: expected a dialog file, TOML in UTF-8 text") from None
    return parse_dialog(text, path.name)


def parse_dialog(text: str, file: str) -> Dialog:
    """`file` is the name for messages. Raises DialogError."""
    try:
        data = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DialogError(f"{file}: {error}") from None
    check = _Check(file, data)
    check.whole()
    return Dialog(
        start=data.start,
        greeting=data.greeting,
        silence=data.silence,
        states=data.states,
        rules=data.rules,
        phrases=check.phrases,
        slots=data.slots,
        forms=data.forms,
        results=data.results,
    )


class _Check:
    """Every rule against the rest of the file; `where` names the place as a person would."""

    def __init__(self, file: str, data: _File) -> None:
        self._file = file
        self._data = data
        self.phrases: dict[str, Phrase] = {}

    def whole(self) -> None:
        data = self._data
        self._known("start", "state", data.start, data.states)
        for name, state in data.states.items():
            if not state.not_understood:
                self._wrong(f"state '{name}'", "expected at least one line in not_understood")
        for name, values in data.slots.items():
            self._slot(name, values)
        for rule in data.rules:
            self._rule(rule)
        for name, form in data.forms.items():
            self._form(f"form '{name}'", form)
        for name in data.states:
            if not any(not rule.states or name in rule.states for rule in data.rules):
                self._wrong(f"state '{name}'", "expected a rule that holds in it, found none")
        for result in data.results:
            self._result(result)

    def _slot(self, name: str, values: Mapping[str, Any]) -> None:
        where = f"slot '{name}'"
        if not values:
            self._wrong(where, "expected at least one value")
        for said in values:
            if slots_of(self._phrase(where, said)):
                self._wrong(where, f"a value is plain words, got {said!r}")

    def _rule(self, rule: Rule) -> None:
        where = f"rule '{rule.name}'"
        if rule.name in self.phrases:
            self._wrong(where, "expected a name of its own, another rule has it too")
        if not rule.said:
            self._wrong(where, "expected at least one phrase in said")
        phrase = self._phrase(where, " | ".join(f"({said})" for said in rule.said))
        for slot in sorted(slots_of(phrase)):
            self._known(where, "slot", slot, self._data.slots)
        self.phrases[rule.name] = phrase
        for state in (*rule.states, *filter(None, (rule.then,))):
            self._known(where, "state", state, self._data.states)
        if rule.form:
            self._known(where, "form", rule.form, self._data.forms)
        if bool(rule.form) == bool(rule.say or rule.call):
            self._wrong(where, "expected either form, or say and call")
        self._lines(where, (*rule.say, *rule.unoffered), sure_slots_of(phrase))
        self._answered(where, rule.call)

    def _form(self, where: str, form: Form) -> None:
        for state in (form.state, *filter(None, (form.then,))):
            self._known(where, "state", state, self._data.states)
        for slot in (*form.needs, *form.arguments.values()):
            self._known(where, "slot", slot, self._data.slots)
        for slot in form.needs:
            if not any(ask.missing == (slot,) for ask in form.ask):
                self._wrong(where, f"expected an ask with missing = ['{slot}']")
        self._lines(where, (*form.say, *form.unoffered), frozenset(form.needs))
        self._answered(where, form.call)

    def _result(self, result: Result) -> None:
        where = f"result of '{result.function}'"
        if result.then:
            self._known(where, "state", result.then, self._data.states)
        if result.form:
            self._known(where, "form", result.form, self._data.forms)
        for slot in (*result.forget, *result.keep):
            self._known(where, "slot", slot, self._data.slots)
        for name in result.keep.values():
            self._known(where, "field", name, result.has)
        self._lines(where, result.say, frozenset(result.has))

    def _answered(self, where: str, function: str) -> None:
        results = [result for result in self._data.results if result.function == function]
        if function and not any(not result.has for result in results):
            self._wrong(
                where, f"it calls '{function}': expected a result for that function with has = []"
            )

    def _lines(self, where: str, lines: Iterable[str], known: frozenset[str]) -> None:
        for line in lines:
            try:
                fields = fields_of(line)
            except TemplateError as error:
                self._wrong(where, str(error))
            for field in sorted(fields - known):
                self._wrong(
                    where,
                    f"'{{{field}}}' in {line!r} is not filled; "
                    f"filled are: {', '.join(sorted(known)) or 'none'}",
                )

    def _phrase(self, where: str, said: str) -> Phrase:
        try:
            return parse_phrase(said)
        except PhraseError as error:
            self._wrong(where, str(error))

    def _known(self, where: str, kind: str, name: str, names: Iterable[str]) -> None:
        if name not in names:
            self._wrong(where, f"no {kind} '{name}'; the {kind}s are: {', '.join(sorted(names))}")

    def _wrong(self, where: str, what: str) -> Never:
        raise DialogError(f"{self._file}: {where}: {what}")
