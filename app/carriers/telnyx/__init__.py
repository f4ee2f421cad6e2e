"""Telnyx: media streaming over a WebSocket, and the REST API as far as calls need it."""
