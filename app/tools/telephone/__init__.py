"""The telephone's own tools: put through, hand over, other language, keys, texts, messages.

They are functions like any other tool; what they may do is decided by the call's line, outside the
model. Which ones there are, and whom they may name, is in the agent's file.
"""

from app.tools.telephone.crew import Crew
from app.tools.telephone.makers import TELEPHONE_TOOLS, telephone_tool

__all__ = ["TELEPHONE_TOOLS", "Crew", "telephone_tool"]
