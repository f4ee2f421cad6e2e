"""The first words of a call: said at once where they are at hand in the agent's voice, else by the
model as soon as it is ready.

    waiting --caller audio--> asked --at hand--> greeted
                              asked --not at hand--> left to the model --model ready--> greeted

The agent greets once, and not before caller audio flows: on outbound calls the first words would be
lost. A call that another worker began is greeted already.
"""

from enum import StrEnum

from app.call.commands import Command, PlayPhrase
from app.call.events import PhraseStored
from app.call.machines import Machines
from app.call.phases import Phase
from app.call.phrases import say_phrase


class OpeningState(StrEnum):
    WAITING = "waiting"
    ASKED = "asked"
    LEFT_TO_THE_MODEL = "left to the model"
    GREETED = "greeted"


TRANSITIONS: dict[tuple[OpeningState, str], OpeningState] = {
    (OpeningState.WAITING, "caller audio, a phrase"): OpeningState.ASKED,
    (OpeningState.WAITING, "caller audio"): OpeningState.LEFT_TO_THE_MODEL,
    (OpeningState.WAITING, "resumed"): OpeningState.GREETED,
    (OpeningState.WAITING, "no greeting"): OpeningState.GREETED,
    (OpeningState.ASKED, "at hand"): OpeningState.GREETED,
    (OpeningState.ASKED, "not at hand"): OpeningState.LEFT_TO_THE_MODEL,
    (OpeningState.LEFT_TO_THE_MODEL, "model ready"): OpeningState.GREETED,
}


class Opening:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self.state = OpeningState.WAITING
        if not (machines.settings.greeting or machines.settings.greeting_words):
            self._move("no greeting")

    def resumed(self) -> None:
        """Another worker has greeted."""
        if self.state is OpeningState.WAITING:
            self._move("resumed")

    def caller_audio_began(self, now_ms: int) -> list[Command]:
        if self.state is not OpeningState.WAITING:
            return []
        words = self._m.settings.greeting_words
        if not words:
            self._move("caller audio")
            return self.look(now_ms)
        self._move("caller audio, a phrase")
        return [PlayPhrase(words)]

    def look(self, now_ms: int) -> list[Command]:
        """The model may be ready now."""
        m = self._m
        if self.state is not OpeningState.LEFT_TO_THE_MODEL or m.phase is not Phase.TALKING:
            return []
        self._move("model ready")
        m.scribe.timeline.begin("greeting")
        return m.responses.want(m.settings.greeting, now_ms)

    def phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command] | None:
        """None: it is not the greeting."""
        if self.state is not OpeningState.ASKED or event.text != self._m.settings.greeting_words:
            return None
        if not event.n_bytes:
            self._move("not at hand")
            return self.look(now_ms)
        self._move("at hand")
        self._m.scribe.timeline.begin("greeting")
        return say_phrase(self._m, self._m.own_id("greeting", 1), event, now_ms)

    def _move(self, happening: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
