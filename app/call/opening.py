"""The first words of a call: said at once where they are at hand in the agent's voice, else by the
model as soon as it is ready.

    waiting --caller audio--> asked --at hand--> greeted
                              asked --not at hand--> left to the model --model ready--> greeted
    waiting --caller audio, notices--> notices --nearly over--> asked, as above
                                       notices --the caller spoke--> greeted

    any --a machine answered--> put off --a person after all, notices--> notices
                                put off --a person after all--> greeted

The agent greets once, and not before caller audio flows: on outbound calls the first words would be
lost. A call that another worker began is greeted already. Notices (notice_side.py) come before the
greeting. What a caller says or presses during them is answered after them, in the greeting's place,
and the answer brings the greeting in; one who is speaking when they end is heard out first.
"""

from enum import StrEnum

from app.call.barge_in import Situation
from app.call.commands import Command, PlayPhrase
from app.call.events import PhraseStored
from app.call.machines import Machines
from app.call.notice_side import NoticeSide
from app.call.phases import Phase
from app.call.phrases import say_phrase

NEARLY_OVER_MS = 400
"""With so much of the notices left to be sent, the next words are asked for: soon enough that they
follow without a gap, and late enough to know whether the caller has spoken."""


class OpeningState(StrEnum):
    WAITING = "waiting"
    NOTICES = "notices"
    ASKED = "asked"
    LEFT_TO_THE_MODEL = "left to the model"
    GREETED = "greeted"
    PUT_OFF = "put off"


TRANSITIONS: dict[tuple[OpeningState, str], OpeningState] = {
    (OpeningState.WAITING, "caller audio, a phrase"): OpeningState.ASKED,
    (OpeningState.WAITING, "caller audio"): OpeningState.LEFT_TO_THE_MODEL,
    (OpeningState.WAITING, "resumed"): OpeningState.GREETED,
    (OpeningState.WAITING, "no greeting"): OpeningState.GREETED,
    (OpeningState.WAITING, "caller audio, notices"): OpeningState.NOTICES,
    (OpeningState.NOTICES, "nearly over, a phrase"): OpeningState.ASKED,
    (OpeningState.NOTICES, "nearly over"): OpeningState.LEFT_TO_THE_MODEL,
    (OpeningState.NOTICES, "no greeting"): OpeningState.GREETED,
    (OpeningState.NOTICES, "the caller spoke"): OpeningState.GREETED,
    (OpeningState.ASKED, "at hand"): OpeningState.GREETED,
    (OpeningState.ASKED, "not at hand"): OpeningState.LEFT_TO_THE_MODEL,
    (OpeningState.LEFT_TO_THE_MODEL, "model ready"): OpeningState.GREETED,
    (OpeningState.WAITING, "a machine"): OpeningState.PUT_OFF,
    (OpeningState.NOTICES, "a machine"): OpeningState.PUT_OFF,
    (OpeningState.ASKED, "a machine"): OpeningState.PUT_OFF,
    (OpeningState.LEFT_TO_THE_MODEL, "a machine"): OpeningState.PUT_OFF,
    (OpeningState.GREETED, "a machine"): OpeningState.PUT_OFF,
    (OpeningState.PUT_OFF, "a person, notices"): OpeningState.NOTICES,
    (OpeningState.PUT_OFF, "a person"): OpeningState.GREETED,
}


class Opening:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self.notices = NoticeSide(machines)
        self.state = OpeningState.WAITING
        self.due_ms: int | None = None
        """Until when the words of what the caller said during the notices are waited for."""
        self._greets = bool(machines.settings.greeting or machines.settings.greeting_words)
        if not self._greets and not machines.notices.waiting:
            self._move("no greeting")

    def resumed(self, notices_heard: int) -> None:
        """The caller heard so many of the notices from another worker, which has greeted if there
        are no more of them."""
        self.notices.resumed(notices_heard)
        if self.state is OpeningState.WAITING and not self._m.notices.waiting:
            self._move("resumed")

    @property
    def notices_pending(self) -> bool:
        """`look` has something to see at every step."""
        return self.state is OpeningState.NOTICES

    def caller_audio_began(self, now_ms: int) -> list[Command]:
        if self.state is not OpeningState.WAITING:
            return []
        if self._m.notices.waiting:
            self._move("caller audio, notices")
            return self.notices.begin()
        words = self._m.settings.greeting_words
        if not words:
            self._move("caller audio")
            return self.look(now_ms)
        self._move("caller audio, a phrase")
        return [PlayPhrase(words)]

    def put_off(self) -> None:
        """A machine answered: what was said so far counts for nothing."""
        self.due_ms = None
        self._m.notices.again()
        if self.state is not OpeningState.PUT_OFF:
            self._move("a machine")

    def go_on(self, now_ms: int) -> list[Command]:
        """A person is there after all, and waits for an answer, which brings the greeting in."""
        if self._m.notices.waiting:
            self._move("a person, notices")
            return self.notices.begin()
        self._move("a person")
        return self._release(now_ms)

    def look(self, now_ms: int) -> list[Command]:
        """After each step: the model may be ready now, or the notices nearly over."""
        m = self._m
        if self.state is OpeningState.NOTICES:
            return self.notices.look(now_ms) + self._after_notices(now_ms)
        if self.state is not OpeningState.LEFT_TO_THE_MODEL or m.phase is not Phase.TALKING:
            return []
        self._move("model ready")
        m.scribe.timeline.begin("greeting")
        return m.responses.want(m.settings.greeting, now_ms)

    def _after_notices(self, now_ms: int) -> list[Command]:
        m = self._m
        if not m.notices.queued or m.playout.unsent_ms > NEARLY_OVER_MS:
            return []
        commands = self._release(now_ms)
        self.due_ms = None
        if not self._greets or m.phase is Phase.GOODBYE:
            self._move("no greeting")
            return commands
        if m.responses.owed:
            self._move("the caller spoke")
            return commands
        if self._unsettled(now_ms):
            return commands
        m.responses.usual = ""
        words = m.settings.greeting_words
        if not words:
            self._move("nearly over")
            return commands + self.look(now_ms)
        self._move("nearly over, a phrase")
        return [*commands, PlayPhrase(words)]

    def _release(self, now_ms: int) -> list[Command]:
        """Answers may follow; the first one brings the greeting in, unless that comes first."""
        m = self._m
        if not m.responses.withheld:
            return []
        m.responses.usual = m.settings.late_greeting if self._greets else ""
        return m.responses.release(now_ms)

    def _unsettled(self, now_ms: int) -> bool:
        """The caller speaks, or has spoken and it is not known yet what it was."""
        m = self._m
        if m.floor.caller_speaking or m.floor.voice:
            return True
        claim = m.floor.claim
        if claim is None or claim.situation is not Situation.NOTICE or claim.ended_ms is None:
            return False
        if claim.words is not None or not claim.words_expected:
            return False
        due_ms = claim.ended_ms + m.settings.floor.words_wait_ms
        self.due_ms = due_ms if now_ms < due_ms else None
        return self.due_ms is not None

    def phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command] | None:
        """None: it is not of the first words."""
        notice = self.notices.phrase_stored(event, now_ms)
        if notice is not None:
            return notice
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
