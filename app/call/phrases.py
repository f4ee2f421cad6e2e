"""Fixed phrases in the agent's voice, said without a model."""

from app.call.commands import Command
from app.call.events import PhraseStored
from app.call.machines import Machines


def say_phrase(m: Machines, item_id: str, event: PhraseStored, now_ms: int) -> list[Command]:
    """Say it now. It is part of what was said: models are told of it as text."""
    m.scribe.transcript.agent_says(item_id, event.text, now_ms)
    commands = m.playout.receive(item_id, item_id, 0, event.n_bytes, now_ms)
    m.handover.memory.said_by_nobody(item_id)
    return commands + m.playout.finish(now_ms)
