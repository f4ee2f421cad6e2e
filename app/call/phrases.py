"""Fixed phrases in the agent's voice, said without a model."""

from app.call.commands import AddAgentText, Command
from app.call.events import PhraseStored
from app.call.machines import Machines


def say_phrase(m: Machines, item_id: str, event: PhraseStored, now_ms: int) -> list[Command]:
    """Say it now. It is part of what was said: models are told of it as text, one that carries the
    call at once and later ones when they take over."""
    m.scribe.transcript.agent_says(item_id, event.text, now_ms)
    m.scribe.wording.said(item_id, item_id, event.text)
    m.scribe.wording.sounded(item_id, item_id, event.n_bytes)
    m.scribe.wording.finished(item_id)
    commands = m.playout.receive(item_id, item_id, 0, event.n_bytes, now_ms)
    m.handover.memory.said_by_nobody(item_id)
    if m.handover.relay.leg:
        m.handover.memory.told(item_id)
        commands.append(AddAgentText(f"phrase-{item_id}", item_id, event.text))
    return commands + m.playout.finish(now_ms)
