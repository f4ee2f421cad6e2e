"""The I/O shell around the heart: carrier socket, model session, pacer."""
