"""The heart: one phone call as a state machine. Events in, commands out, time passed in."""
