"""A text model: OpenAI's Responses API as a client sees it."""
