"""An answer that is asked for before it is sure that the caller has said all.

    idle --asked, when what was said is committed--> ahead --the turn is over--> idle: it is heard
    ahead --the caller goes on--> idle: it is taken back, as if nobody had asked for it

Until the turn is over nothing of it is heard, and no tool of it runs. What the model thinks in the
meantime is no time that the caller waits; an answer that is taken back was paid for in vain.
"""

from app.call.commands import Command
from app.call.machines import Machines
from app.call.memory import delete, mend


def ask_ahead(m: Machines, now_ms: int) -> list[Command]:
    """Ask for an answer to what was committed, unless something else is under way."""
    if m.ahead.running or m.responses.owed or m.responses.withheld or m.playout.unplayed:
        return []
    asked = m.responses.caller_silent(now_ms) + m.want_answer(now_ms)
    if not asked:
        return []
    m.ahead.running, m.ahead.asked_ms = True, now_ms
    return m.playout.hold(now_ms) + asked


def keep(m: Machines, now_ms: int) -> list[Command]:
    """The caller has said all: what came of the answer so far is heard now."""
    m.ahead.running = False
    commands, heard = m.playout.resume(now_ms)
    m.scribe.heard(heard, now_ms)
    return commands


def take_back(m: Machines) -> list[Command]:
    """The caller goes on."""
    m.ahead.running = False
    m.ahead.taken_back += 1
    commands = m.responses.interrupt()
    m.responses.caller_started()
    commands += [delete(call.item_id) for answer in m.ahead.finished for call in answer.tool_calls]
    m.ahead.finished.clear()
    settled = m.playout.give_up()
    if settled is None:
        return commands
    for item in settled.items:
        m.scribe.transcript.agent_silent(item.item_id, interrupted=False)
    return commands + m.handover.memory.mended(mend(settled, m.responses.complete))
