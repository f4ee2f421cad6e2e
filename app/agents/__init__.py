"""The agents: who answers, with which words, voice and tools."""

from app.agents.abuse_table import Abuse
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
from app.agents.recording_table import Recording
from app.agents.sms_table import Sms

__all__ = [
    "Abuse",
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
    "Recording",
    "SemanticVad",
    "ServerVad",
    "Silence",
    "Sms",
    "TurnDetection",
    "Week",
    "agent_files",
    "default_search",
    "load_agent",
]
