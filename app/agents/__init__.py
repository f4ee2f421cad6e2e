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
from app.agents.hours_table import Hours, Week
from app.agents.loading import AgentError, agent_files, default_search, load_agent
from app.agents.policy_table import Policy, PolicyLimits, PolicySpend

__all__ = [
    "Agent",
    "AgentError",
    "BargeIn",
    "Failover",
    "Hours",
    "Limits",
    "Local",
    "Policy",
    "PolicyLimits",
    "PolicySpend",
    "SemanticVad",
    "ServerVad",
    "Silence",
    "TurnDetection",
    "Week",
    "agent_files",
    "default_search",
    "load_agent",
]
