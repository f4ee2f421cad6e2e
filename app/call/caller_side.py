"""What the caller says, hears and presses.

Where our own voice detection decides (`FloorSettings.by` is "voice"), the model's speech events are
one more witness: they carry the turns, but what began while the agent had the floor is in question
until the floor decides. If it was no interruption, nothing is owed for it.
"""

from app.call.ahead import take_back
from app.call.barge_in import Decision, Situation, Words
from app.call.caller_words import kind_of
from app.call.commands import AddUserText, Command, SendClear
from app.call.earliest import earliest
from app.call.events import (
    CallerTranscribed,
    KeyPressed,
    MarkEchoed,
    SpeechStarted,
    SpeechStopped,
    VoiceStarted,
    VoiceStopped,
)
from app.call.floor import Floor, FloorState
from app.call.key_entry import MASK
from app.call.machines import Machines
from app.call.memory import delete
from app.call.phases import Phase
from app.call.playout import Played, Settled
from app.call.question import Question

UNHEARD_MS = 2_500
"""How long after a voice of ours the model may take to hear it too."""
NOT_UNDERSTOOD = (
    "You stopped speaking because the caller seemed to interrupt, but nothing could be understood. "
    "Say in a few words that you did not catch that, and ask the caller to repeat it."
)
HIDDEN_KEYS = (
    "The caller pressed keys. They are hidden from you, because a private number was asked for. "
    "Ask for it again with collect_digits if you still need it."
)


class CallerSide:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._entries = 0
        self._question: Question | None = None
        """What the model hears or heard last while the agent had the floor."""
        self._unheard_ms: int | None = None
        """The caller took the floor, and the model has heard nothing of it: until then it may."""
        self._interrupted = False
        """... and an answer was cut for it."""
        self._put_off = False
        """The model heard the caller while nothing could be interrupted."""

    # The model's ears

    def speech_started(self, event: SpeechStarted, now_ms: int) -> list[Command]:
        m = self._m
        if not m.handover.speech_started(event):
            return []
        situation = m.situation
        m.scribe.speech_started(event, now_ms)
        interrupts = situation not in (Situation.NOTICE, Situation.WAITING)
        decision = m.floor.caller_started(agent_has_floor=interrupts)
        self._put_off = situation is Situation.NOTICE and m.floor.settings.by == "model"
        m.responses.caller_started()
        self._unheard_ms = None
        self._question = self._questioned(event, situation, now_ms)
        if self._question is not None:
            return []
        commands = self.interrupt(now_ms) if decision is Decision.YIELD else []
        return commands + m.call_off_goodbye()

    def _questioned(
        self, event: SpeechStarted, situation: Situation, now_ms: int
    ) -> Question | None:
        floor = self._m.floor
        if floor.settings.by == "model" or floor.state is FloorState.TAKEN:
            return None
        if floor.state is FloorState.FREE:
            if situation is Situation.WAITING:
                return None
            recent = floor.claim is not None and floor.claim.began_ms >= now_ms - UNHEARD_MS
            if not recent:
                floor.overheard(situation, now_ms)
        if floor.claim is not None:
            floor.claim.words_expected = True
        return Question({event.item_id})

    def speech_stopped(self, event: SpeechStopped, now_ms: int) -> list[Command]:
        self._m.handover.speech_stopped(event, now_ms)
        return self.turn_over(now_ms)

    def turn_over(self, now_ms: int, *, said: bool = True) -> list[Command]:
        """The caller has said all. `said`: not, when it was a short sound without words."""
        m, question = self._m, self._question
        if question is None or question.taken:
            owed = said or question is not None
            self._question = None
            m.floor.caller_stopped()
            responses = m.responses
            return responses.caller_stopped(now_ms) if owed else responses.caller_silent(now_ms)
        question.over_ms = now_ms
        m.floor.caller_speaking = False
        unknown = not m.settings.floor.words_wait_ms  # and its words will stay so
        if said and unknown and m.situation is Situation.NOTICE:
            return m.responses.caller_stopped(now_ms)
        return m.responses.caller_silent(now_ms)

    @property
    def in_question(self) -> bool:
        """What is being said may be no turn."""
        return self._question is not None and not self._question.taken

    def joined(self, item_id: str, new_id: str) -> None:
        """What concerns the one id concerns the other."""
        if self._question is not None and item_id in self._question.item_ids:
            self._question.item_ids.add(new_id)

    def transcribed(self, event: CallerTranscribed, now_ms: int) -> list[Command]:
        question = self._question
        if question is None or event.item_id not in question.item_ids or question.taken:
            return []
        words = kind_of(event.text, self._m.settings.language)
        if self._m.situation is Situation.NOTICE:
            return self._said_meanwhile(event.item_id, question, words, now_ms)
        commands = self._follow(self._m.floor.words(words, now_ms), now_ms)
        if words is Words.NOTHING and not question.taken:
            commands.append(delete(event.item_id))
        return commands

    def _said_meanwhile(
        self, item_id: str, question: Question, words: Words, now_ms: int
    ) -> list[Command]:
        """What was said to a notice takes no floor: it is answered when the notice is over."""
        claim = self._m.floor.claim
        if claim is not None:
            claim.words = words
        if words is Words.NOTHING:
            return [delete(item_id)]
        question.taken = words is Words.SPEECH
        if not question.taken or not question.over:
            return []
        self._question = None
        return self._m.responses.caller_stopped(now_ms)

    # Our own ears

    def voice_started(self, event: VoiceStarted, now_ms: int) -> list[Command]:
        m = self._m
        if m.settings.floor.by == "model" or event.echo >= m.settings.floor.echo_share:
            return []
        began_ms = now_ms - max(0, event.axis_ms - event.began_ms)
        before = m.floor.state
        decision = m.floor.voice_started(m.situation, began_ms, now_ms)
        if before is FloorState.FREE and m.floor.state is FloorState.TAKEN:
            self._interrupted = False
            if self._question is not None and self._question.live(now_ms):
                self._question.taken = True
        if before is FloorState.FREE and m.floor.claim is not None:
            live = self._question is not None and self._question.live(now_ms)
            m.floor.claim.words_expected = live
            m.scribe.claimed(m.floor.claim, held=decision is Decision.HOLD)
        return self._follow(decision, now_ms)

    def voice_stopped(self, event: VoiceStopped, now_ms: int) -> list[Command]:
        m = self._m
        if m.settings.floor.by == "model" or not m.floor.voice:
            return []
        commands = self._follow(m.floor.voice_stopped(event.voiced_ms, now_ms), now_ms)
        if m.floor.state is FloorState.TAKEN and not m.floor.caller_speaking:
            self._unheard_ms = now_ms + UNHEARD_MS
        return commands

    # What the floor decides

    def _follow(self, decision: Decision, now_ms: int) -> list[Command]:
        m = self._m
        if decision is Decision.HOLD:
            return m.playout.hold(now_ms)
        if decision is Decision.NOTHING:
            return []
        assert m.floor.claim is not None
        m.scribe.decided(m.floor.claim, decision.value, now_ms)
        if decision is Decision.YIELD:
            return self._yield(now_ms)
        return self._no_turn(now_ms) + self._resume(now_ms)

    def _no_turn(self, now_ms: int) -> list[Command]:
        """What was heard ends no turn of ours."""
        m, question = self._m, self._question
        if m.turn_end is None:
            return []
        m.turn_end.drop()
        over = question is None or question.over
        return [] if over else self.turn_over(now_ms)

    def _yield(self, now_ms: int) -> list[Command]:
        """The floor is the caller's, for what they are saying or have said already."""
        m, question = self._m, self._question
        commands = [*self.interrupt(now_ms), *m.call_off_goodbye()]
        self._interrupted = True
        if question is not None:
            question.taken = True
        if question is not None and question.over:
            self._question = None
            m.floor.caller_stopped()
            return commands + m.responses.caller_stopped(now_ms)
        if question is None and not m.floor.voice:
            self._unheard_ms = now_ms + UNHEARD_MS
        return commands

    def _resume(self, now_ms: int) -> list[Command]:
        m = self._m
        commands, heard = m.playout.resume(now_ms)
        m.scribe.heard(heard, now_ms)
        if m.floor.take_hint() and m.settings.floor.noisy_hint:
            commands = commands + m.responses.want(m.settings.floor.noisy_hint, now_ms)
        return commands

    def interrupt(self, now_ms: int, *, by_us: bool = False) -> list[Command]:
        """What the agent says or thinks is dead. `by_us`: not because the caller spoke."""
        m = self._m
        commands = take_back(m) if m.ahead.running else []
        commands += m.responses.interrupt(by_us=by_us)
        if not m.playout.cuttable:
            m.playout.give_up()
            m.scribe.interrupted(now_ms)
            return commands
        m.scribe.cut(m.playout.cut_generation, m.playout.held_ms or now_ms)
        cut, settled = m.playout.cut(now_ms)
        if settled is not None:
            commands += m.settle(settled, now_ms)
        if by_us and m.playout.served:
            commands.append(SendClear())
        return cut + commands

    # Marks, keys, time

    def mark_echoed(self, event: MarkEchoed, now_ms: int) -> list[Command]:
        m = self._m
        if m.scribe.timeline.answer is not None:
            m.scribe.timeline.answer.mark_echoed(event.carrier_lo_ms)
        verdict = m.playout.echoed(event.name, event.carrier_lo_ms, event.carrier_hi_ms)
        match verdict:
            case Played():
                m.played(verdict, now_ms)
            case Settled():
                return m.settle(verdict, now_ms)
            case None:
                pass
        return self._resume(now_ms) if m.playout.resume_due else []

    def key_pressed(self, event: KeyPressed, now_ms: int) -> list[Command]:
        m = self._m
        meant = m.keypad.press(event.digit, now_ms)
        deaf = m.situation in (Situation.NOTICE, Situation.WAITING)
        if not meant or not m.settings.floor.keys or deaf:
            return []
        return [*self.interrupt(now_ms, by_us=m.playout.served), *m.call_off_goodbye()]

    def tell_keys(self, now_ms: int) -> list[Command]:
        """Before the model is ready they are kept."""
        m = self._m
        keys = "" if m.phase is Phase.OPENING else m.keypad.take(now_ms)
        if not keys:
            return []
        self._entries += 1
        text = HIDDEN_KEYS if MASK in keys else f"The caller pressed these keys: {' '.join(keys)}"
        m.scribe.timeline.begin("keys")
        request_id = m.own_id("keys", self._entries)
        m.history.pressed(request_id, text)
        return [AddUserText(request_id, text), *m.want_answer(now_ms)]

    @property
    def waits(self) -> bool:
        """`due_ms` has something to say."""
        return self._unheard_ms is not None or self._m.floor.state is FloorState.CLAIMED

    @property
    def due_ms(self) -> int | None:
        return earliest((self._m.floor.due_ms, self._unheard_ms))

    def expire(self, now_ms: int) -> list[Command]:
        m = self._m
        commands = self._follow(m.floor.expire(now_ms), now_ms)
        if m.playout.resume_due:
            commands += self._resume(now_ms)
        if self._unheard_ms is not None and now_ms >= self._unheard_ms:
            self._unheard_ms = None
            m.floor.caller_stopped()
            if self._interrupted:
                self._interrupted = False
                commands += m.responses.want(NOT_UNDERSTOOD, now_ms)
        return commands

    def look(self, now_ms: int) -> list[Command]:
        """After each step: what was to be interrupted may be over."""
        m = self._m
        claim = m.floor.claim
        if self._put_off and m.situation is not Situation.NOTICE:
            return self._notice_over(now_ms)
        if m.floor.state is not FloorState.CLAIMED or claim is None or m.playout.holding:
            return []
        situation = m.situation
        if claim.situation is Situation.NOTICE and situation is not Situation.NOTICE:
            commands = self._follow(m.floor.passage_over(situation, now_ms), now_ms)
            question = self._question
            if question is not None and question.live(now_ms) and _taken(m.floor):
                question.taken = True
            return commands
        if situation is not Situation.WAITING:
            return []
        m.floor.nothing_to_interrupt()
        return self._yield(now_ms)

    def _notice_over(self, now_ms: int) -> list[Command]:
        """Who began to speak to a notice that could not be interrupted interrupts what follows."""
        m, self._put_off = self._m, False
        interrupts = m.floor.caller_speaking and m.situation is not Situation.WAITING
        return self.interrupt(now_ms) if interrupts else []


def _taken(floor: Floor) -> bool:
    return floor.state is FloorState.TAKEN
