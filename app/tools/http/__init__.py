"""HTTP endpoints as tools, declared in an agent's file."""
