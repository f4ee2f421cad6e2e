"""Telnyx as a bot sees it: one media stream for each call, in its dialect, and the REST API that
hangs up."""

from app.lab.telnyx.line import TelnyxLab

__all__ = ["TelnyxLab"]
