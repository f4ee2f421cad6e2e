"""What the call does about who answered it. The states are answer_machine.py's."""

from app.call.answer_machine import WITH_A_MACHINE, AnswerState
from app.call.answer_record import BEGUN_AGAIN, NOT_AT_HAND, PICKED_UP, AnswerRecord, Witness
from app.call.barge_in import Words
from app.call.caller_side import CallerSide
from app.call.caller_words import kind_of
from app.call.commands import AddUserText, Command, EndCall, PlayPhrase
from app.call.earliest import earliest
from app.call.endings import MODEL_ENDINGS, EndReason
from app.call.events import (
    Answered,
    AnsweredBy,
    BeepHeard,
    CallerTranscribed,
    Event,
    KeyPressed,
    OnAnswer,
    PhraseStored,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    VoiceStarted,
    VoiceStopped,
)
from app.call.machines import Machines
from app.call.opening import Opening
from app.call.phrases import say_phrase

PADDING_MS = 300
"""What a model's turn holds before the voice."""
TAKEN_OVER = "another worker was with a machine"
NO_END = "no end of the machine's greeting"
NOT_READY = "the message was not ready"
A_PERSON_NOW = (
    "(An answering machine seemed to have answered, and you were silent. Now a person is on the "
    "line.)"
)
AFTER_A_MESSAGE = (
    "(An answering machine had answered, and you were leaving the message above on it. Now a "
    "person has picked up: talk with them, and do not repeat what they have heard.)"
)


class AnswerSide:
    """One per call. Times are call-clock milliseconds."""

    def __init__(self, machines: Machines, caller: CallerSide, opening: Opening) -> None:
        self._m = machines
        self._s = machines.settings.answer
        self._caller = caller
        self._opening = opening
        self._on = OnAnswer()
        self._early: AnsweredBy | None = None
        """A verdict that was quicker than the stream."""
        self._takes = 0
        """How often the message was begun."""
        self._witness: Witness = "carrier"
        """Who said that the greeting was over."""
        self._beep_ms = -self._s.echo_ms
        """When the newest beep ended."""
        self._began_ms = 0
        """When the message began, or the machine was first listened to."""
        self._speaking = False
        self._quiet_ms = 0
        """Since when nobody has spoken."""
        self._person_ms: int | None = None
        """When a voice in the message will have lasted."""

    # Verdicts

    def started(self, event: StreamStarted, now_ms: int) -> list[Command]:
        m, on = self._m, event.on_answer
        if on is None or event.direction != "outbound":
            return []
        self._on = on
        left = "" if event.resumed is None else event.resumed.answer
        if left in (AnswerState.PERSON, AnswerState.PICKED_UP):
            return []
        m.answer.move("outbound")
        by = event.answered_by or self._early
        if left in WITH_A_MACHINE or (left and by not in (None, "human", "unknown")):
            self._went_by("machine_start")
            return self._hang_up(TAKEN_OVER, now_ms)
        return [] if by is None else self._verdict(by, "carrier", now_ms)

    def answered(self, event: Answered, now_ms: int) -> list[Command]:
        if not self._m.stream.call_id:
            self._early = event.by
            return []
        return self._verdict(event.by, "carrier", now_ms)

    def _verdict(self, by: AnsweredBy, witness: Witness, now_ms: int) -> list[Command]:
        m, state = self._m, self._m.answer.state
        if self._record is not None:
            self._record.verdict(now_ms, by, witness)
        if state is AnswerState.WATCHING:
            return self._first(by, witness, now_ms)
        if not m.answer.at_work:
            return []
        if by == "human":
            return self._person("surely a person", now_ms)
        if state is not AnswerState.LISTENING:
            return []
        if by == "fax":
            return self._hang_up(by, now_ms)
        return self._ask(witness, now_ms) if self._is_over(by) else []

    def _first(self, by: AnsweredBy, witness: Witness, now_ms: int) -> list[Command]:
        m, on = self._m, self._on
        self._went_by(by)
        if by == "unknown":
            return []
        if by == "human" or (by != "fax" and on.on_machine == "talk"):
            m.answer.move("surely a person" if by == "human" else "talk to it")
            return []
        if by == "fax" or on.on_machine == "hang_up" or not on.message:
            return self._hang_up("fax" if by == "fax" else "", now_ms)
        commands = self._fall_silent(now_ms)
        if m.goodbye.begun:
            # Somebody else ends the call, and nothing takes that back.
            return commands + self._hang_up("", now_ms)
        floor, by_voice = m.floor, m.settings.floor.by == "voice"
        self._speaking = floor.voice if by_voice else floor.caller_speaking
        if self._is_over(by):
            return commands + self._ask(witness, now_ms)
        m.answer.move("machine")
        self._began_ms = self._quiet_ms = now_ms
        return commands

    def _is_over(self, by: AnsweredBy) -> bool:
        """The machine's greeting is. A silence in it may be a pause: then our ears know better."""
        if by in ("machine_end_silence", "machine_end_other"):
            return not self._speaking
        return by == "machine_end_beep"

    def _went_by(self, by: AnsweredBy) -> None:
        if self._record is not None:
            self._record.answered_by = by

    @property
    def _record(self) -> AnswerRecord | None:
        return self._m.scribe.timeline.answer

    # Silence, and the message

    def _fall_silent(self, now_ms: int) -> list[Command]:
        """What is said or thought is dead; nothing more is asked of a model."""
        m = self._m
        m.responses.withheld = True
        commands = self._caller.interrupt(now_ms, by_us=True)
        m.floor.nothing_to_interrupt()
        self._opening.put_off()
        return commands + m.call_off_goodbye()

    def _hang_up(self, detail: str, now_ms: int) -> list[Command]:
        m = self._m
        commands = self._fall_silent(now_ms)
        m.answer.move("hang up")
        m.begin_goodbye(EndReason.MACHINE_ANSWERED, now_ms, detail=detail)
        return commands

    def beep(self, event: BeepHeard, now_ms: int) -> list[Command]:
        m, s = self._m, self._s
        before_ms, self._beep_ms = self._beep_ms, now_ms - max(0, event.axis_ms - event.ended_ms)
        match m.answer.state:
            case AnswerState.WATCHING:
                heard = event.sound_before_ms >= s.beep_after_ms and now_ms <= s.beep_within_ms
                if heard and self._on.on_machine != "talk":
                    return self._verdict("machine_end_beep", "beep", now_ms)
            case AnswerState.LISTENING:
                return self._ask("beep", now_ms)
            case AnswerState.LEAVING:
                echo = self._beep_ms - before_ms <= s.echo_ms
                if (self._witness != "beep" or echo) and self._takes < s.most_takes:
                    return self._again(now_ms)
            case AnswerState.PICKED_UP:
                if now_ms <= s.beep_within_ms and self._takes < s.most_takes:
                    return self._again(now_ms)
            case _:
                pass
        return []

    def _again(self, now_ms: int) -> list[Command]:
        """Only now the machine records."""
        if self._record is not None:
            self._record.broke_off(BEGUN_AGAIN)
        return self._fall_silent(now_ms) + self._ask("beep", now_ms)

    def _ask(self, witness: Witness, now_ms: int) -> list[Command]:
        self._m.answer.move("its greeting is over")
        self._witness, self._person_ms = witness, None
        if self._record is not None:
            self._record.asked(now_ms, witness)
        return [PlayPhrase(self._on.message)]

    def phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command] | None:
        """None: it is not the message."""
        m = self._m
        if m.answer.state is not AnswerState.ASKED or event.text != self._on.message:
            return None
        if not event.n_bytes:
            m.scribe.timeline.note(now_ms, "fault", NOT_READY)
            if self._record is not None:
                self._record.broke_off(NOT_AT_HAND)
            return self._hang_up(NOT_READY, now_ms)
        self._takes += 1
        m.answer.move("at hand")
        m.answer.message_id = item_id = m.own_id("message", self._takes)
        m.scribe.timeline.begin("message")
        if self._record is not None:
            self._record.began(item_id, event.n_bytes)
        self._began_ms = now_ms
        commands = say_phrase(m, item_id, event, now_ms)
        m.begin_goodbye(EndReason.MESSAGE_LEFT, now_ms)
        return commands

    # A person after all

    def look(self, event: Event, now_ms: int) -> list[Command]:
        """After the step of this event, while `AnswerMachine.at_work`."""
        m, by_voice = self._m, self._m.settings.floor.by == "voice"
        match event:
            case VoiceStarted() if by_voice and event.echo < m.settings.floor.echo_share:
                self._voice(now_ms - max(0, event.axis_ms - event.began_ms))
            case VoiceStopped() if by_voice:
                self._voice_over(now_ms - max(0, event.axis_ms - event.ended_ms))
            case SpeechStarted() if not by_voice:
                self._voice(now_ms - max(0, event.axis_ms - event.audio_start_ms - PADDING_MS))
            case SpeechStopped() if not by_voice:
                spoke_ms = event.audio_end_ms - event.silence_ms
                self._voice_over(now_ms - max(0, event.axis_ms - spoke_ms))
            case CallerTranscribed() if self._said_into_it(event):
                return self._person("a voice", now_ms)
            case KeyPressed() if m.answer.state is AnswerState.LEAVING:
                return self._person("surely a person", now_ms)
            case _:
                pass
        return []

    def _voice(self, began_ms: int) -> None:
        self._speaking = True
        if self._m.answer.state is AnswerState.LEAVING and began_ms >= self._began_ms:
            self._person_ms = began_ms + self._s.person_ms

    def _voice_over(self, ended_ms: int) -> None:
        self._speaking, self._person_ms = False, None
        self._quiet_ms = max(self._began_ms, ended_ms)

    def _said_into_it(self, event: CallerTranscribed) -> bool:
        m = self._m
        line = m.scribe.transcript.line_of(event.item_id)
        if m.answer.state is not AnswerState.LEAVING or line is None:
            return False
        since = line.at_ms + PADDING_MS >= self._began_ms
        return since and kind_of(event.text, m.settings.language) is Words.SPEECH

    def _person(self, happening: str, now_ms: int) -> list[Command]:
        m, leaving = self._m, self._m.answer.state is AnswerState.LEAVING
        commands = m.call_off_goodbye()
        if leaving:
            commands += self._caller.interrupt(now_ms, by_us=True)
        m.answer.move(happening)
        if self._record is not None:
            self._record.picked_up_ms = now_ms
            self._record.broke_off(PICKED_UP)
        note, request_id = (
            AFTER_A_MESSAGE if self._takes else A_PERSON_NOW,
            m.own_id("line", self._takes),
        )
        m.history.pressed(request_id, note)
        commands.append(AddUserText(request_id, note))
        commands += m.want_answer(now_ms) + self._opening.go_on(now_ms)
        given_up = m.handover.relay.given_up
        if given_up is not None:
            commands.append(EndCall(MODEL_ENDINGS[given_up.cause], given_up.detail))
        return commands

    # Time

    @property
    def due_ms(self) -> int | None:
        match self._m.answer.state:
            case AnswerState.LISTENING:
                silent_ms = None if self._speaking else self._quiet_ms + self._s.silence_ms
                return earliest((silent_ms, self._began_ms + self._s.greeting_ms))
            case AnswerState.LEAVING:
                return self._person_ms
            case _:
                return None

    def expire(self, now_ms: int) -> list[Command]:
        due_ms = self.due_ms
        if due_ms is None or now_ms < due_ms:
            return []
        if self._m.answer.state is AnswerState.LEAVING:
            return self._person("a voice", now_ms)
        if now_ms >= self._began_ms + self._s.greeting_ms:
            return self._hang_up(NO_END, now_ms)
        return self._ask("silence", now_ms)
