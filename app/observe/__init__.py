"""Logs, redacted by default."""

from app.observe.log import configure_logging, event
from app.observe.redact import Redactor

__all__ = ["Redactor", "configure_logging", "event"]
