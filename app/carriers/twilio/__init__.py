"""Twilio: webhooks, TwiML, Media Streams, REST."""
