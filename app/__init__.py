"""Earshot: a telephony voice bot on a speech-to-speech model."""
