"""A telephone and a realtime model made of software: demo, tests, load."""
