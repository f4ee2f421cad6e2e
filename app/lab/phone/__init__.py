"""A telephone: Twilio as a bot sees it."""
