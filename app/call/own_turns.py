"""The caller's turns where we end them and not the model.

What our own ears hear becomes the same two words that a model with turn detection would say: the
caller's speech began, the caller has said all. When that is, turn_end.py decides. In between each
piece of the turn is committed, so that the model has it and its words become known.

A model that decides nothing keeps all that it is handed until it is committed. So it is made to
forget what came before the caller's voice, but for a moment: the quiet would be paid for.
A piece has an id of our making until the model has named its item.
"""

from collections import deque
from typing import Protocol

from app.call.ahead import ask_ahead, keep, take_back
from app.call.commands import ClearInput, Command, CommitInput, JudgeTurn
from app.call.events import (
    CallerTranscribed,
    CallerTurnCommitted,
    ModelFault,
    SpeechStarted,
    SpeechStopped,
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
)
from app.call.machines import Machines
from app.call.memory import delete
from app.call.timeline import Ending
from app.call.turn_end import Commit, End, Judge, Step, TurnEnd, TurnState

PADDING_MS = 300
"""What a model hears before the voice, as much as OpenAI's own turn detection gives it."""
NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty"
"""OpenAI's code for less than 100 ms."""


class Turns(Protocol):
    """Who acts on the caller's turns, whoever tells of them."""

    def speech_started(self, event: SpeechStarted, now_ms: int) -> list[Command]:
        """A turn begins."""
        ...

    def turn_over(self, now_ms: int, *, said: bool) -> list[Command]:
        """It has ended. `said`: not, when it was a short sound without words."""
        ...

    @property
    def in_question(self) -> bool:
        """What is being said may be no turn."""
        ...

    def joined(self, item_id: str, new_id: str) -> None:
        """What concerns the one id concerns the other."""
        ...


class OwnTurns:
    """One per call; without `Machines.turn_end` it does nothing."""

    def __init__(self, machines: Machines, turns: Turns) -> None:
        self._m = machines
        self._turns = turns
        self._pieces = 0
        self._piece: SpeechStarted | None = None
        """What is being said and not committed yet."""
        self._first_id = ""
        """The turn's first piece."""
        self._uncommitted: deque[str] = deque()
        """Pieces that the model has not made items of yet."""
        self._leg = 0
        self._axis_ms = self._axis_at_ms = 0
        """A place of the caller axis, and when it was reached."""
        self._ended_axis_ms = 0
        """Where the voice ended last."""
        self._voiced_ms = 0
        self._judge_usd: float | None = None

    # What happens

    def voice_started(self, event: VoiceStarted, now_ms: int) -> list[Command]:
        ends = self._m.turn_end
        if ends is None or event.echo >= self._m.settings.floor.echo_share:
            return []
        commands = self._follow(ends.expire(now_ms), now_ms)
        self._axis_ms, self._axis_at_ms = event.axis_ms, now_ms
        begins = ends.state is TurnState.IDLE
        ends.voice_started(now_ms)
        if self._m.ahead.running:
            commands += take_back(self._m)
        if self._piece is None:
            commands += self._begin(event, now_ms) if begins else self._go_on(event, now_ms)
        return commands

    def voice_stopped(self, event: VoiceStopped, now_ms: int) -> list[Command]:
        ends = self._m.turn_end
        if ends is None or not ends.voice:
            return []
        self._axis_ms, self._axis_at_ms = event.axis_ms, now_ms
        self._ended_axis_ms = event.ended_ms
        self._voiced_ms += event.voiced_ms
        ended_at_ms = now_ms - max(0, event.axis_ms - event.ended_ms)
        return self._follow(ends.voice_stopped(ended_at_ms, now_ms), now_ms)

    def committed(self, event: CallerTurnCommitted, _now_ms: int) -> list[Command]:
        ends = self._m.turn_end
        if ends is None or not self._uncommitted:
            return []
        own_id = self._uncommitted.popleft()
        self._m.scribe.carried(own_id, event.item_id)
        self._turns.joined(own_id, event.item_id)
        if self._first_id == own_id:
            self._first_id = event.item_id
        ends.committed(event.item_id)
        return []

    def transcribed(self, event: CallerTranscribed, now_ms: int) -> list[Command]:
        ends = self._m.turn_end
        if ends is None:
            return []
        return self._follow(ends.words(event.item_id, event.text, now_ms), now_ms)

    def judged(self, event: TurnJudged, now_ms: int) -> list[Command]:
        m = self._m
        cost = m.bill.pay(m.settings.judge_prices, event.usage)
        if cost is not None:
            self._judge_usd = (self._judge_usd or 0.0) + cost
        if m.turn_end is None:
            return []
        return self._follow(m.turn_end.judged(event.request_id, event.complete, now_ms), now_ms)

    def fault(self, event: ModelFault, now_ms: int) -> list[Command]:
        refused = event.code == NOTHING_TO_COMMIT
        return self._not_committed(now_ms) if refused else []

    # Time

    @property
    def due_ms(self) -> int | None:
        ends = self._m.turn_end
        return None if ends is None else ends.due_ms

    def expire(self, now_ms: int) -> list[Command]:
        ends = self._m.turn_end
        return [] if ends is None else self._follow(ends.expire(now_ms), now_ms)

    def look(self, now_ms: int) -> list[Command]:
        """After each step: the turn may be dropped, the leg that was to commit may be gone."""
        ends = self._m.turn_end
        if ends is None:
            return []
        if ends.state is TurnState.IDLE and self._piece is not None:
            self._forget_piece(self._piece, now_ms)
        commands: list[Command] = []
        if self._leg != self._m.handover.relay.leg:
            self._leg = self._m.handover.relay.leg
            while self._uncommitted:
                commands += self._not_committed(now_ms)
        return commands

    # What follows

    def _begin(self, event: VoiceStarted, now_ms: int) -> list[Command]:
        """A turn begins, with its first piece."""
        self._piece = piece = self._new_piece(event)
        self._first_id, self._voiced_ms, self._judge_usd = piece.item_id, 0, None
        self._m.ahead.taken_back = 0
        forget = ClearInput(max(0, event.axis_ms - piece.audio_start_ms))
        return [forget, *self._turns.speech_started(piece, now_ms)]

    def _go_on(self, event: VoiceStarted, now_ms: int) -> list[Command]:
        """The turn has another piece."""
        self._piece = piece = self._new_piece(event)
        self._m.handover.speech_started(piece)
        self._m.scribe.speech_went_on(piece, now_ms)
        self._turns.joined(self._first_id, piece.item_id)
        return []

    def _new_piece(self, event: VoiceStarted) -> SpeechStarted:
        self._pieces += 1
        piece_id = self._m.own_id("voice", self._pieces)
        return SpeechStarted(piece_id, max(0, event.began_ms - PADDING_MS), event.axis_ms)

    def _follow(self, steps: tuple[Step, ...], now_ms: int) -> list[Command]:
        commands: list[Command] = []
        for step in steps:
            match step:
                case Commit():
                    commands += self._commit(now_ms)
                case Judge():
                    asked = self._m.scribe.transcript.newest_of_agent
                    commands.append(JudgeTurn(step.request_id, step.text, asked))
                case End():
                    commands += self._end(step, now_ms)
        return commands

    def _commit(self, now_ms: int) -> list[Command]:
        piece = self._piece
        if piece is None:
            return []
        self._stop(piece, now_ms)
        self._uncommitted.append(piece.item_id)
        commit = CommitInput(f"commit-{piece.item_id}")
        ahead = self._m.settings.turn_end is not None and self._m.settings.turn_end.ahead
        if not ahead or self._turns.in_question:
            return [commit]
        return [commit, *ask_ahead(self._m, now_ms)]

    def _stop(self, piece: SpeechStarted, now_ms: int) -> None:
        self._piece = None
        end_ms = self._axis_ms + max(0, now_ms - self._axis_at_ms)
        self._m.handover.speech_stopped(SpeechStopped(piece.item_id, end_ms, end_ms), now_ms)
        self._m.scribe.transcript.caller_ended(piece.item_id, end_ms)

    def _forget_piece(self, piece: SpeechStarted, now_ms: int) -> None:
        """It was no turn, and no model will tell its words."""
        self._stop(piece, now_ms)
        self._m.scribe.transcript.caller_said(piece.item_id, "", now_ms)

    def _not_committed(self, now_ms: int) -> list[Command]:
        """The oldest piece that waits to become an item will not become one."""
        ends: TurnEnd | None = self._m.turn_end
        if ends is None or not self._uncommitted:
            return []
        self._uncommitted.popleft()
        return self._follow(ends.not_committed(now_ms), now_ms)

    def _end(self, end: End, now_ms: int) -> list[Command]:
        """A cough that was taken for a turn is not answered."""
        m = self._m
        brief = self._voiced_ms < m.settings.floor.brief_ms
        said = bool(end.text) or end.words_ms is None or not brief
        ending = Ending(
            "voice",
            end.why if said else "nothing_said",
            end.silence_ms,
            end.pieces,
            end.words_ms,
            end.verdict,
            end.verdict_ms,
            self._judge_usd,
            now_ms - m.ahead.asked_ms if m.ahead.running else None,
            m.ahead.taken_back,
        )
        m.scribe.turn_ended(self._first_id, self._ended_axis_ms, ending, now_ms)
        if m.ahead.running and said:
            m.floor.caller_stopped()
            return keep(m, now_ms)
        commands = take_back(m) if m.ahead.running else []
        commands += self._turns.turn_over(now_ms, said=said)
        return commands if said else [*map(delete, end.item_ids), *commands]
