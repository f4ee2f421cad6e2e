"""A realtime model: OpenAI's GA Realtime endpoint as a client sees it."""
