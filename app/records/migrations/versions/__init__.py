"""One file for each step, oldest first. `python -m app.records.migrations WHAT` writes the next."""
