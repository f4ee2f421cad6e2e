"""Hears on every caller frame whether somebody speaks, for all calls of a worker at once."""
