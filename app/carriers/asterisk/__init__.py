"""A PBX of the operator's: Asterisk's chan_websocket brings a call's sound over a WebSocket."""
