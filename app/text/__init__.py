"""Going on by text message: the same agents, with a text model and the memory of the call."""
