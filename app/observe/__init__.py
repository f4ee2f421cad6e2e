"""Logs, redacted by default."""
