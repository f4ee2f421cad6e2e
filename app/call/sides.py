"""The sides of one call, and when each of them is asked.

Each side acts on the events that are its own (call.py says which), and after every event each looks
at what has come of it. Both happen after every event of every call, so whoever is seldom at work is
only asked then.
"""

from dataclasses import dataclass

from app.call.agent_side import AgentSide
from app.call.answer_side import AnswerSide
from app.call.caller_side import CallerSide
from app.call.calling_off import CallingOff
from app.call.collecting import Collecting
from app.call.commands import Command
from app.call.earliest import earliest
from app.call.events import DeadlineReached
from app.call.machines import Machines, ends
from app.call.model_side import ModelSide
from app.call.moving import Moving
from app.call.offers import Offers
from app.call.opening import Opening
from app.call.own_turns import OwnTurns
from app.call.phases import Phase
from app.call.served_side import ServedSide
from app.call.silence import Silence
from app.call.spending import Spending
from app.call.tool_sound import ToolSound


@dataclass(frozen=True, slots=True)
class Sides:
    """Made by `sides(machines)`."""

    machines: Machines
    models: ModelSide
    opening: Opening
    collecting: Collecting
    agent: AgentSide
    caller: CallerSide
    turns: OwnTurns
    silence: Silence
    sound: ToolSound
    offers: Offers
    spending: Spending
    calling_off: CallingOff
    moving: Moving
    answer: AnswerSide
    served: ServedSide

    @property
    def due_ms(self) -> int | None:
        """When anything but the playout has something to do, on the call clock; None: nothing is
        awaited. Only an event changes it."""
        m = self.machines
        due = [m.responses.due_ms, self.silence.due_ms, m.handover.due_ms]
        if self.caller.waits:
            due.append(self.caller.due_ms)
        if m.turn_end is not None:
            due.append(m.turn_end.due_ms)
        if self.opening.notices_pending:
            due.append(self.opening.due_ms)
        if self.sound.at_work:
            due += (self.collecting.due_ms, self.sound.due_ms, self.calling_off.due_ms)
        if m.keypad.busy and m.phase is not Phase.OPENING:
            due.append(m.keypad.due_ms)
        if m.goodbye.begun:
            due.append(m.goodbye.due_ms(m.playout))
        if m.answer.at_work:
            due.append(self.answer.due_ms)
        if self.moving.begun:
            due.append(self.moving.due_ms)
        return earliest(due)

    @property
    def in_midstream(self) -> bool:
        """In the middle of an answer, with nothing else going on: so it is at nearly every second
        step of a call, and then only audio is to be released."""
        m = self.machines
        if m.goodbye.begun or self.moving.begun or m.handover.waiting or self.sound.at_work:
            return False
        return m.playout.in_midstream and not self.opening.notices_pending

    def deadline_reached(self, _event: DeadlineReached, now_ms: int) -> list[Command]:
        """What did not happen in time."""
        m = self.machines
        commands = m.playout.release(now_ms)
        for settled in m.playout.expire(now_ms):
            commands += m.settle(settled, now_ms)
        if m.answer.at_work:
            commands += self.answer.expire(now_ms)
        if m.playout.served:
            self.served.expire(now_ms)
        commands += self.caller.expire(now_ms)
        commands += self.turns.expire(now_ms)
        commands += self.caller.tell_keys(now_ms)
        commands += self.silence.expire(now_ms)
        commands += self.models.expire_answers(now_ms)
        return commands if ends(commands) else commands + self.models.expire_legs(now_ms)

    def look(self, now_ms: int) -> list[Command]:
        """What each makes of what has just happened."""
        commands: list[Command] = []
        if self.opening.notices_pending:
            commands += self.opening.look(now_ms)
        commands += self.caller.look(now_ms)
        commands += self.turns.look(now_ms)
        commands += self.agent.look(now_ms)
        commands += self.collecting.look(now_ms)
        self.silence.look(now_ms)
        if self.calling_off.at_work:
            commands += self.agent.told(self.calling_off.look(now_ms))
        if self.sound.at_work:
            commands += self.sound.look(now_ms)
        if self.offers.at_work:
            commands += self.offers.look(now_ms)
        if self.spending.at_work:
            commands += self.spending.look(now_ms)
        return commands


def sides(machines: Machines) -> Sides:
    """All sides of a new call."""
    models, opening, collecting = ModelSide(machines), Opening(machines), Collecting(machines)
    caller = CallerSide(machines)
    answer = AnswerSide(machines, caller, opening)
    return Sides(
        machines=machines,
        models=models,
        opening=opening,
        collecting=collecting,
        agent=AgentSide(machines, models, opening, collecting),
        caller=caller,
        turns=OwnTurns(machines, caller),
        silence=Silence(machines),
        sound=ToolSound(machines),
        offers=Offers(machines),
        spending=Spending(machines),
        calling_off=CallingOff(machines),
        moving=Moving(machines, machines.settings.move_wait_ms),
        answer=answer,
        served=ServedSide(machines),
    )
