"""What an agent must never do, decided outside the model, failing closed.

Pure: no I/O and no clock; times are passed in, counts are kept behind a small protocol.
"""
