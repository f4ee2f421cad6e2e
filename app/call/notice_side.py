"""Notices are said: from recordings, else by the model, and by nobody else's leave.

What stands against a recording of ours is only our own cut, which the situation "notice" holds back
(barge_in.py). While a model says one, its own turn detection may break it off, or its session may
end: then it is asked for again, as soon as the caller is silent and a session is there. Until all
of them are on their way nothing else is asked of the model (`Responses.withheld`).
"""

from app.call.commands import Command, PlayPhrase
from app.call.events import PhraseStored, ResponseCreated, ResponseFinished
from app.call.letters import letters
from app.call.machines import Machines
from app.call.notices import NoticeState
from app.call.phases import Phase
from app.call.phrases import say_phrase

NOT_WORD_FOR_WORD = "notice not word for word"
NOT_SAID = "notice given up: the model broke it off again and again"
BROKE_OFF = "notice broken off by the model"
SAY = (
    "Say exactly the words between the quotation marks to the caller now, in their language, with "
    'nothing before or after them, whatever the caller may have said: "{}"'
)


class NoticeSide:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._request_id = ""
        self._response_id = ""
        """Of the model that says one."""
        machines.responses.withheld = machines.notices.waiting

    def resumed(self, heard: int) -> None:
        m = self._m
        m.notices.resume(heard)
        m.responses.withheld = m.notices.waiting

    def begin(self) -> list[Command]:
        """Caller audio flows."""
        self._m.notices.begin()
        return [PlayPhrase(self._m.notices.text)]

    def phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command] | None:
        """None: it is no notice that is waited for."""
        m, notices = self._m, self._m.notices
        if notices.state is not NoticeState.ASKED or event.text != notices.text:
            return None
        if not event.n_bytes:
            notices.not_at_hand()
            return self.look(now_ms)
        item_id = m.own_id("notice", notices.said + 1)
        m.scribe.timeline.begin("notice")
        m.scribe.notices.began(item_id, event.text, "recording")
        commands = say_phrase(m, item_id, event, now_ms)
        m.scribe.notices.came(item_id, event.n_bytes)
        notices.at_hand(item_id)
        return commands + self._ask_next()

    def look(self, now_ms: int) -> list[Command]:
        """After each step: a model may be free to say it, or may have failed to."""
        m, notices = self._m, self._m.notices
        commands: list[Command] = []
        if notices.state is NoticeState.SPOKEN and not m.responses.pursues(self._request_id):
            commands += self._broke_off(now_ms)
        free = m.phase is Phase.TALKING and m.responses.free
        if notices.state is NoticeState.LEFT_TO_THE_MODEL and free:
            notices.spoken()
            m.scribe.timeline.begin("notice")
            request = m.responses.ask_first(SAY.format(notices.text), now_ms)
            self._request_id, self._response_id = request.request_id, ""
            commands.append(request)
        return commands

    def created(self, event: ResponseCreated) -> None:
        m = self._m
        if m.notices.state is NoticeState.SPOKEN and event.request_id == self._request_id:
            self._response_id = event.response_id
            m.scribe.notices.began(event.response_id, m.notices.text, "model")

    def says(self, response_id: str) -> bool:
        """This response is a notice."""
        spoken = self._m.notices.state is NoticeState.SPOKEN
        return spoken and bool(response_id) and response_id == self._response_id

    def finished(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        """A response that `says` one is over."""
        m = self._m
        items = m.playout.items_of(event.response_id)
        if event.status != "completed" or not items:
            return self._broke_off(now_ms)
        said = "".join(_words_of(m, item_id) for item_id in items)
        fault = "" if letters(said) == letters(m.notices.text) else NOT_WORD_FOR_WORD
        self._told(fault, now_ms)
        m.notices.said_by_model(items[-1])
        return self._ask_next()

    def _broke_off(self, now_ms: int) -> list[Command]:
        if self._m.notices.broke_off():
            self._told(BROKE_OFF, now_ms)
            return []
        self._told(NOT_SAID, now_ms)
        return self._ask_next()

    def _told(self, fault: str, now_ms: int) -> None:
        """How the model's saying of it came out."""
        m = self._m
        n_bytes = m.playout.received_of(self._response_id)
        m.scribe.notices.came(self._response_id, n_bytes, fault)
        if fault:
            m.scribe.timeline.note(now_ms, "fault", fault)
        self._request_id = self._response_id = ""

    def _ask_next(self) -> list[Command]:
        asked = self._m.notices.state is NoticeState.ASKED
        return [PlayPhrase(self._m.notices.text)] if asked else []


def _words_of(m: Machines, item_id: str) -> str:
    line = m.scribe.transcript.line_of(item_id)
    return "" if line is None else line.text
