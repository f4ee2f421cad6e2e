"""A PBX made of software: Asterisk's chan_websocket and a dialplan, as a bot sees them.

Written against the driver's documented behaviour, and against a real one that was watched, not
against our own bot: whatever answers chan_websocket can be called with it.
"""

from app.lab.pbx.ari import PbxAri
from app.lab.pbx.dialplan import Asked, Dialplan
from app.lab.pbx.line import PbxPhone

__all__ = ["Asked", "Dialplan", "PbxAri", "PbxPhone"]
