"""From `earshot serve` to calls: workers at one listening socket, started, drained, replaced."""
