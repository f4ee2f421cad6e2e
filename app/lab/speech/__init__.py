"""Ears and a mouth for the lab: offline recognition and synthesis."""
