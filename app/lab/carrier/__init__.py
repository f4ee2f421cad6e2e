"""A carrier for campaigns: Twilio's REST API for calls, without sound, quick and difficult.

Ten thousand calls ring, are answered or not, and end within minutes; each is told of by signed
status callbacks. What goes wrong with REST APIs and callbacks goes wrong here on demand, the same
way for the same seed. Its log on disk is the truth about which calls there were.
"""

from app.lab.carrier.log import Line, read_log
from app.lab.carrier.parties import Digits, Mixture, Party
from app.lab.carrier.server import LabCarrier
from app.lab.carrier.troubles import Troubles

__all__ = ["Digits", "LabCarrier", "Line", "Mixture", "Party", "Troubles", "read_log"]
