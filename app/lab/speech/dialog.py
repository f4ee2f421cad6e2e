"""The lab model's mind: a scripted dialog that reads its state from the conversation alone.

The state is not kept, it is worked out anew from the turns each time. So a session that is seeded
with an earlier session's turns goes on where that one stopped, and an answer that was cut,
cancelled or deleted leaves nothing behind that the conversation does not show. Where a summary
stands for the earlier turns, a form that was not complete is taken from it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil

from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.speech.phrases import find, words_of
from app.lab.speech.resume import (
    INTERRUPTED,
    goes_on,
    last_sentence,
    rest_of,
    told_in_progress,
    told_to_begin_with,
    without_first_sentence,
)
from app.lab.speech.script import Dialog, Form, Rule, load_dialog
from app.lab.speech.summary import last_summary, summarise, texts_of
from app.lab.speech.templates import fill

_EXACTLY = re.compile(r"\bsay exactly\b[^\"]*\"(.+)\"", re.IGNORECASE | re.DOTALL)
_GREET = re.compile(r"\b(greet|greeting|welcome)\b", re.IGNORECASE)
_UNFINISHED = re.compile(r"(\w+) is not complete yet(?:: (.*))?")
_LEAST_COVERAGE = 0.5
"""Share of a transcript's words that a rule must explain. The ear's transcripts are covered
wholly; text that a client typed may say more."""


@dataclass(slots=True)
class _Position:
    """Where a conversation stands after some of its turns."""

    state: str
    slots: dict[str, object] = field(default_factory=dict)
    misses: int = 0
    """Utterances in a row that were not understood."""
    calls: list[Turn] = field(default_factory=list)
    """Function calls without an output yet."""


class ScriptedBrain:
    """A `Brain` (also for out-of-band summaries) from a dialog file."""

    def __init__(
        self, dialog: Dialog | None = None, today: Callable[[], date] = date.today
    ) -> None:
        """`dialog`: the restaurant when None. Raises DialogError when that file is wrong."""
        self._dialog = dialog or load_dialog()
        self._today = today
        self._offered: frozenset[str] | None = None
        self._hints = self._dialog.hints(self._dialog.start)

    def offer(self, functions: Sequence[str] | None) -> None:
        """Which functions the session offers; None: not known, so all. Without a function the
        dialog says what its `unoffered` lines say."""
        self._offered = None if functions is None else frozenset(functions)

    def hints(self) -> Sequence[str]:
        """What may be said after the last reply (JSGF right-hand sides)."""
        return self._hints

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """The next response; empty when nothing is left to say.

        A conversation that the instructions or a system text call in progress is not greeted, and
        an answer that was cut is finished when the instructions ask to go on.
        """
        told = _told(conversation, instructions)
        position, outputs = self._read(conversation, told)
        self._hints = self._dialog.hints(position.state)
        if exactly := _EXACTLY.search(instructions):
            return [Say(exactly[1])]
        began = any(turn.role == "assistant" for turn in conversation)
        if not began and not told_in_progress(told):
            if not outputs or _GREET.search(instructions):
                understood = outputs if position.misses == 0 else []
                return [Say(self._dialog.greeting), *understood]
            return outputs
        phrase = told_to_begin_with(instructions)
        opening: list[Output] = [Say(phrase)] if phrase else []
        if any(turn.role != "system" for turn in conversation[_answered(conversation) :]):
            return [*opening, *outputs]
        return opening + self._unasked(conversation, instructions, apologised=bool(opening))

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """A summary of the conversation as one JSON object, or the words asked for."""
        if exactly := _EXACTLY.search(instructions):
            return [Say(exactly[1])]
        told = _told(conversation, instructions)
        position, _ = self._read(conversation, told)
        return [Say(summarise(conversation, told, self._unfinished(position)))]

    def _read(self, conversation: Sequence[Turn], told: str) -> tuple[_Position, list[Output]]:
        """Where the conversation stands, and what is to be answered to its last turns."""
        position = _Position(self._dialog.start)
        self._recall(position, texts_of(last_summary(told), "open"))
        answered = _answered(conversation)
        for turn in conversation[:answered]:
            self._take(position, turn)
        outputs: list[Output] = []
        for turn in _to_answer(conversation[answered:]):
            outputs += self._take(position, turn)
        return position, outputs

    def _unfinished(self, position: _Position) -> list[str]:
        """The form that the dialog is in, for a summary; `_recall` reads it back."""
        slots = ", ".join(f"{slot}={value}" for slot, value in position.slots.items())
        return [
            f"{name} is not complete yet" + (f": {slots}" if slots else "")
            for name, form in self._dialog.forms.items()
            if form.state == position.state
        ]

    def _recall(self, position: _Position, texts: Sequence[str]) -> None:
        for found in filter(None, map(_UNFINISHED.fullmatch, texts)):
            form = self._dialog.forms.get(found[1])
            if form is None:
                continue
            position.state = form.state
            for pair in filter(None, (found[2] or "").split(", ")):
                slot, _, said = pair.partition("=")
                for value in self._dialog.slots.get(slot, {}).values():
                    if str(value) == said:
                        position.slots[slot] = value

    def _unasked(
        self, conversation: Sequence[Turn], instructions: str, *, apologised: bool
    ) -> list[Output]:
        """What is said when nobody waits for an answer: the rest of the last one, or a question."""
        silence: list[Output] = [Say(self._dialog.silence)]
        last = next((turn for turn in reversed(conversation) if turn.role == "assistant"), None)
        if last is None:
            return [] if apologised else silence
        cut = not last.text or last.text.endswith(INTERRUPTED)
        if not goes_on(instructions, cut=cut):
            return silence
        whole = self._whole(conversation)
        if not cut and apologised:
            return [Say(last_sentence(last.text))]
        text = rest_of(whole, last.text) if cut else last.text
        return [Say(text)] if text else silence

    def _whole(self, conversation: Sequence[Turn]) -> str:
        """The last answer as it was meant; the greeting counts without its first sentence."""
        end = len(conversation)
        while end and conversation[end - 1].role in ("system", "function_call"):
            end -= 1
        while end and conversation[end - 1].role == "assistant":
            end -= 1
        before = conversation[:end]
        if all(turn.role == "system" for turn in before):
            return without_first_sentence(self._dialog.greeting)
        _, outputs = self._read(before, _told(before, ""))
        return " ".join(output.text for output in outputs if isinstance(output, Say))

    def _take(self, position: _Position, turn: Turn) -> list[Output]:
        """Move on by one turn; returns what is answered to it."""
        match turn.role:
            case "user" if turn.understood and not turn.text:
                return [Say(self._dialog.silence)]
            case "user":
                return self._hear(position, turn)
            case "function_call":
                position.calls.append(turn)
                return []
            case "function_call_output":
                return self._result(position, turn.text)
            case _:
                return []

    def _hear(self, position: _Position, turn: Turn) -> list[Output]:
        found = self._rule(position.state, turn.text) if turn.understood else None
        if found is None:
            lines = self._dialog.states[position.state].not_understood
            position.misses += 1
            return [Say(lines[min(position.misses, len(lines)) - 1])]
        rule, slots = found
        position.misses = 0
        if rule.form:
            position.slots.update(slots)
            return self._fill(position, self._dialog.forms[rule.form])
        position.state = rule.then or position.state
        return self._act(rule.say, rule.call, {}, rule.unoffered, slots)

    def _rule(self, state: str, text: str) -> tuple[Rule, Mapping[str, object]] | None:
        """The rule that explains most of the words; among equals the first."""
        words = words_of(text)
        best: tuple[Rule, Mapping[str, object]] | None = None
        best_n_words = ceil(len(words) * _LEAST_COVERAGE) - 1
        for rule in self._dialog.rules_in(state):
            match = find(self._dialog.phrases[rule.name], words, self._dialog.slots)
            if match is not None and match.n_words > best_n_words:
                best, best_n_words = (rule, match.slots), match.n_words
        return best

    def _fill(self, position: _Position, form: Form) -> list[Output]:
        missing = tuple(slot for slot in form.needs if slot not in position.slots)
        if missing:
            position.state = form.state
            asks = [ask for ask in form.ask if ask.missing in (missing, missing[:1])]
            return [Say(max(asks, key=lambda ask: len(ask.missing)).say)]
        position.state = form.then or position.state
        slots = dict(position.slots)
        given = {name: slots[slot] for name, slot in form.arguments.items() if slot in slots}
        arguments = {name: dated(value, self._today()) for name, value in given.items()}
        return self._act(form.say, form.call, arguments, form.unoffered, slots)

    def _act(
        self,
        say: Sequence[str],
        call: str,
        arguments: Mapping[str, object],
        unoffered: Sequence[str],
        slots: Mapping[str, object],
    ) -> list[Output]:
        if call and self._offered is not None and call not in self._offered:
            return [Say(fill(line, slots)) for line in unoffered or say]
        spoken: list[Output] = [Say(fill(line, slots)) for line in say]
        return [*spoken, CallFunction(call, arguments)] if call else spoken

    def _result(self, position: _Position, output: str) -> list[Output]:
        if not position.calls:
            return []
        call = position.calls.pop(0)
        fields = _fields(output)
        for result in self._dialog.results:
            if result.function == call.name and _has(fields, result.has):
                for slot in result.forget:
                    position.slots.pop(slot, None)
                position.slots.update({slot: fields[name] for slot, name in result.keep.items()})
                position.state = result.then or position.state
                said: list[Output] = [Say(fill(line, fields)) for line in result.say]
                form = self._dialog.forms.get(result.form)
                return [*said, *(self._fill(position, form) if form else [])]
        return []


def dated(value: object, today: date) -> object:
    """A slot's value as a function is given it: "next:friday" is a date."""
    if not isinstance(value, str) or not value.startswith("next:"):
        return value
    ahead = (today + timedelta(days=n) for n in range(1, 8))
    wanted = value.removeprefix("next:")
    found = next((day for day in ahead if wanted in ("day", f"{day:%A}".lower())), today)
    return found.isoformat()


def _told(conversation: Sequence[Turn], instructions: str) -> str:
    """All that the model was told beside what was said."""
    return "\n".join([*(t.text for t in conversation if t.role == "system"), instructions])


def _answered(conversation: Sequence[Turn]) -> int:
    """How many turns from the start on the model has answered already."""
    for position in range(len(conversation), 0, -1):
        if conversation[position - 1].role in ("assistant", "function_call"):
            return position
    return 0


def _to_answer(turns: Sequence[Turn]) -> list[Turn]:
    """All tool outputs, then the caller's last utterance: what they said before it is overtaken."""
    outputs = [turn for turn in turns if turn.role == "function_call_output"]
    spoken = [turn for turn in turns if turn.role == "user"]
    return outputs + spoken[-1:]


def _has(fields: Mapping[str, object], names: Sequence[str]) -> bool:
    return all(fields.get(name) not in (None, "") for name in names)


def _fields(output: str) -> Mapping[str, object]:
    try:
        value = json.loads(output)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
