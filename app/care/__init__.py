"""Care for callers, and from some of them: who is let in, what they agreed to, what is kept."""
