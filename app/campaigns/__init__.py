"""Outbound calling: campaigns are planned, checked, paced, dialled exactly once and followed up."""
