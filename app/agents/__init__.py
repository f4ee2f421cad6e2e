"""The agents: who answers, with which words, voice and tools."""

from app.agents.agent import (
    Agent,
    BargeIn,
    Failover,
    Limits,
    Local,
    SemanticVad,
    ServerVad,
    Silence,
    TurnDetection,
)
from app.agents.loading import AgentError, agent_files, default_search, load_agent

__all__ = [
    "Agent",
    "AgentError",
    "BargeIn",
    "Failover",
    "Limits",
    "Local",
    "SemanticVad",
    "ServerVad",
    "Silence",
    "TurnDetection",
    "agent_files",
    "default_search",
    "load_agent",
]
