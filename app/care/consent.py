"""Whether an agent's file asks for consent in a way that can work."""

from app.agents import Agent, AgentError
from app.care.tools import CONSENT_TOOL


def check_recording(agent: Agent) -> None:
    """Raises `AgentError`, whose text says how to mend the file."""
    table = agent.recording
    if table.by == "off":
        return
    if table.consent == "announce" and not agent.notices:
        raise AgentError(
            f'{agent.source}: recording: consent = "announce" expects a notice that says that the '
            "call is recorded. Add it to notices."
        )
    if table.consent == "ask" and CONSENT_TOOL not in agent.tools:
        raise AgentError(
            f'{agent.source}: recording: consent = "ask" expects the tool {CONSENT_TOOL}. Add it '
            "to tools, and tell the agent in its instructions to ask."
        )
