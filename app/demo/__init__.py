"""The whole product against the lab: no account, no network."""
